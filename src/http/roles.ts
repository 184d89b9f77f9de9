/** `/roles` and `/permissions`: what people may be allowed. */
import { t } from 'elysia'
import type { PermissionService } from '../accounts/permissions.ts'
import type { RoleService } from '../accounts/roles.ts'
import { type PageInput, takePageBy } from '../lib/page.ts'
import { createEndpoints, refusing } from './base.ts'
import {
  ListPermissionsQuery,
  ListRolesQuery,
  PermissionList,
  PermissionSyncModel,
  PutRole,
  RoleList,
  RoleModel,
  RoleName,
  SyncPermissions,
} from './models/roles.ts'
import type { MountPoint } from './mount-point.ts'

const params = t.Object({ name: RoleName })
const nameOf = ({ name }: { readonly name: string }) => name

/** By name, from the first on unless it says otherwise; as the list is kept without either. */
function takeNamed<T extends { readonly name: string }>(
  items: readonly T[],
  { sort, order, ...page }: PageInput & { readonly sort?: 'name' },
) {
  return takePageBy(nameOf, items, { ...page, order: order ?? (sort === undefined ? undefined : 'asc') })
}

export function createRoleEndpoints(prefix: string, mount: MountPoint, roles: RoleService) {
  const tags = ['Roles']
  return createEndpoints('roles', mount)
    .get(`${prefix}/roles`, async ({ query, actor }) => takeNamed(await roles.list(actor), query), {
      machineAuthManagement: 'machine_auth.roles.view',
      query: ListRolesQuery,
      response: { 200: RoleList },
      detail: {
        ...refusing(400, 422),
        tags,
        summary: 'List roles',
        description: 'Those of the configuration first. Needs platform reach.',
      },
    })
    .get(`${prefix}/roles/:name`, ({ params: { name }, actor }) => roles.find(name, actor), {
      machineAuthManagement: 'machine_auth.roles.view',
      params,
      response: { 200: RoleModel },
      detail: { ...refusing(404), tags, summary: 'Show a role' },
    })
    .put(`${prefix}/roles/:name`, ({ params: { name }, body, actor }) => roles.put(name, body, actor), {
      machineAuthManagement: 'machine_auth.roles.update',
      params,
      body: PutRole,
      response: { 200: RoleModel },
      detail: {
        ...refusing(400, 409, 413, 422),
        tags,
        summary: 'Create or replace a role',
        description: 'Counts for its users from the next request on. Needs platform reach.',
      },
    })
    .delete(
      `${prefix}/roles/:name`,
      async ({ params: { name }, actor, set }) => {
        await roles.delete(name, actor)
        set.status = 204
      },
      {
        machineAuthManagement: 'machine_auth.roles.delete',
        params,
        response: { 204: t.Void() },
        detail: {
          ...refusing(404, 409, 422),
          tags,
          summary: 'Delete a role',
          description: 'Users who have it keep its name, which grants nothing.',
        },
      },
    )
}

export function createPermissionEndpoints(prefix: string, mount: MountPoint, permissions: PermissionService) {
  const tags = ['Permissions']
  return createEndpoints('permissions', mount)
    .get(
      `${prefix}/permissions`,
      ({ query: { module, q, ...page } }) => takeNamed(permissions.list({ module, q }), page),
      {
        machineAuthManagement: 'machine_auth.permissions.view',
        query: ListPermissionsQuery,
        response: { 200: PermissionList },
        detail: {
          ...refusing(400, 422),
          tags,
          summary: 'List permissions',
          description: 'What code declares, by name.',
        },
      },
    )
    .post(`${prefix}/permissions/sync`, ({ body, actor }) => permissions.sync(body ?? {}, actor), {
      machineAuthManagement: 'machine_auth.permissions.update',
      body: SyncPermissions,
      response: { 200: PermissionSyncModel },
      detail: {
        ...refusing(400, 413, 422),
        tags,
        summary: 'Synchronize the stored registry',
        description: 'Brings the table of permissions to what code declares. Needs platform reach.',
      },
    })
}
