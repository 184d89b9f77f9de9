/** `/audit`: who did what. */
import type { AuditLog } from '../recording/audit/audit.ts'
import { createEndpoints, refusing } from './base.ts'
import { AuditList, AuditVerificationModel, ListAuditQuery, VerifyAuditQuery } from './models/audit.ts'
import type { MountPoint } from './mount-point.ts'

/** Events that are gone through well before a connection counts as idle. */
const MOST = 50_000

const tags = ['Audit log']

export function createAuditEndpoints(prefix: string, mount: MountPoint, audit: AuditLog) {
  return createEndpoints('audit', mount)
    .get(
      `${prefix}/audit`,
      ({ query: { cursor, limit, sort: _, order, ...filter }, actor }) =>
        audit.list(filter, { cursor, limit, order }, actor),
      {
        machineAuthManagement: 'machine_auth.audit.view',
        query: ListAuditQuery,
        response: { 200: AuditList },
        detail: {
          ...refusing(400, 404, 422),
          tags,
          summary: 'List events',
          description:
            "Management acts and denied attempts, newest first: all with platform reach, else those of one's organization.",
        },
      },
    )
    .get(
      `${prefix}/audit/verify`,
      ({ query, request, actor }) => audit.verify({ ...query, most: MOST, signal: request.signal }, actor),
      {
        machineAuthManagement: 'machine_auth.audit.view',
        query: VerifyAuditQuery,
        response: { 200: AuditVerificationModel },
        detail: {
          ...refusing(400, 422),
          tags,
          summary: 'Verify the log',
          description:
            'Goes through all of it for events that were changed, taken out or put in. Needs platform reach. Of more than 50,000 events 422: these are for `machine-auth audit verify`.',
        },
      },
    )
}
