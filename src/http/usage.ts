/** `/keys/:id/usage` and `/keys/batch/usage`: what keys are used for. */
import { status, t } from 'elysia'
import type { UsageService } from '../recording/usage/service.ts'
import { createEndpoints, refusing } from './base.ts'
import { LIST_BODY } from './body.ts'
import { KeyId } from './models/keys.ts'
import { KeyUsageModel, KeyUsageQuery, ReportUsage, UsageReportModel } from './models/usage.ts'
import type { MountPoint } from './mount-point.ts'

const tags = ['Usage']

export function createUsageEndpoints(prefix: string, mount: MountPoint, usage: UsageService) {
  return createEndpoints('usage', mount, LIST_BODY)
    .get(`${prefix}/keys/:id/usage`, ({ params: { id }, query, actor }) => usage.ofKey(id, query, actor), {
      machineAuthManagement: 'machine_auth.usage.view',
      params: t.Object({ id: KeyId }),
      query: KeyUsageQuery,
      response: { 200: KeyUsageModel },
      detail: {
        ...refusing(404, 422),
        tags,
        summary: 'Show what a key is used for',
        description:
          'Guarded requests of the key, refused ones too. Both moments are rounded outward to whole hours or days of UTC.',
      },
    })
    .post(`${prefix}/keys/batch/usage`, async ({ body, actor }) => status(202, await usage.report(body, actor)), {
      machineAuthManagement: 'machine_auth.usage.create',
      body: ReportUsage,
      response: { 202: UsageReportModel },
      detail: {
        ...refusing(400, 413, 422),
        tags,
        summary: 'Report uses of keys elsewhere',
        description:
          'For services that are not Elysia apps. Each use counts once by its `keyId` and `id`, however often it is reported; a wrong one is rejected alone.',
      },
    })
}
