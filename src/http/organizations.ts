/** `/organizations`: the tenants that keys and users belong to. */
import { t } from 'elysia'
import type { OrganizationService } from '../accounts/organizations.ts'
import { createEndpoints, refusing } from './base.ts'
import { IdempotencyHeader, type Idempotent } from './idempotency.ts'
import {
  ChangeOrganization,
  CreateOrganization,
  ListOrganizationsQuery,
  OrganizationId,
  OrganizationList,
  OrganizationModel,
} from './models/organizations.ts'
import type { MountPoint } from './mount-point.ts'

const tags = ['Organizations']
const params = t.Object({ id: OrganizationId })

interface OrganizationEndpointServices {
  readonly organizations: OrganizationService
  readonly idempotent: Idempotent
}

export function createOrganizationEndpoints(
  prefix: string,
  mount: MountPoint,
  { organizations, idempotent }: OrganizationEndpointServices,
) {
  return createEndpoints('organizations', mount)
    .post(`${prefix}/organizations`, (call) => idempotent(call, () => organizations.create(call.body, call.actor)), {
      machineAuthManagement: 'machine_auth.organizations.create',
      headers: IdempotencyHeader,
      body: CreateOrganization,
      response: { 201: OrganizationModel },
      detail: {
        ...refusing(400, 409, 413, 422),
        tags,
        summary: 'Create an organization',
        description: 'Needs platform reach.',
      },
    })
    .get(
      `${prefix}/organizations`,
      ({ query: { cursor, limit, ...order }, actor }) => organizations.list(order, { cursor, limit }, actor),
      {
        machineAuthManagement: 'machine_auth.organizations.view',
        query: ListOrganizationsQuery,
        response: { 200: OrganizationList },
        detail: {
          ...refusing(400, 422),
          tags,
          summary: 'List organizations',
          description: 'All with platform reach; else the own one.',
        },
      },
    )
    .get(`${prefix}/organizations/:id`, ({ params: { id }, actor }) => organizations.find(id, actor), {
      machineAuthManagement: 'machine_auth.organizations.view',
      params,
      response: { 200: OrganizationModel },
      detail: { ...refusing(404), tags, summary: 'Show an organization' },
    })
    .patch(`${prefix}/organizations/:id`, ({ params: { id }, body, actor }) => organizations.update(id, body, actor), {
      machineAuthManagement: 'machine_auth.organizations.update',
      params,
      body: ChangeOrganization,
      response: { 200: OrganizationModel },
      detail: {
        ...refusing(400, 404, 409, 413, 422),
        tags,
        summary: 'Change, suspend or activate an organization',
        description:
          'Only the members given. Suspending refuses all its keys, users and tokens from the next request on. Limits need platform reach.',
      },
    })
}
