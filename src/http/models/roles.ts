/** What the endpoints of roles and permissions take and answer. */
import { t } from 'elysia'
import type { PermissionSync } from '../../accounts/permissions.ts'
import type { RoleView } from '../../accounts/views.ts'
import type { PermissionEntry } from '../../authorization/registry.ts'
import { orderedPageQuery, Permissions, strict } from './shared.ts'

export const RoleName = t.String({ minLength: 1, maxLength: 128 })

export const PutRole = strict(
  {
    permissions: Permissions,
    inherits: t.Optional(
      t.Array(t.String({ minLength: 1, maxLength: 128 }), {
        maxItems: 32,
        description: 'Roles whose permissions it grants too.',
      }),
    ),
  },
  { examples: [{ permissions: [] }] },
)

export const RoleModel = t.Unsafe<RoleView>(
  t.Object(
    {
      name: t.String(),
      permissions: t.Array(t.String()),
      inherits: t.Array(t.String()),
      source: t.Union([t.Literal('options'), t.Literal('stored')], {
        description: '`options`: from the configuration, not to be changed here.',
      }),
    },
    { examples: [{ name: 'editor', permissions: ['posts.*'], inherits: [], source: 'stored' }] },
  ),
)

export const RoleList = t.Object({
  items: t.Unsafe<readonly RoleView[]>(t.Array(RoleModel)),
  nextCursor: t.Nullable(t.String()),
})

export const ListPermissionsQuery = strict({
  module: t.Optional(t.String({ maxLength: 128, description: 'The whole name of a module.' })),
  q: t.Optional(t.String({ maxLength: 255, description: 'Part of the name or label, taken literally.' })),
  ...orderedPageQuery('name'),
})

export const ListRolesQuery = strict(orderedPageQuery('name'))

export const PermissionList = t.Object({
  items: t.Unsafe<readonly PermissionEntry[]>(
    t.Array(
      t.Object(
        {
          name: t.String(),
          module: t.Nullable(t.String()),
          label: t.String(),
          source: t.Union([t.Literal('module'), t.Literal('options'), t.Literal('library')]),
        },
        { examples: [{ name: 'users.view', module: 'users', label: 'User management: view', source: 'module' }] },
      ),
    ),
  ),
  nextCursor: t.Nullable(t.String()),
})

export const SyncPermissions = t.Nullable(
  strict(
    { dryRun: t.Optional(t.Boolean({ description: 'Says what would change.' })) },
    { examples: [{ dryRun: true }] },
  ),
)

const named = t.Array(t.Object({ name: t.String(), label: t.String() }))

export const PermissionSyncModel = t.Unsafe<PermissionSync>(
  t.Object({
    created: named,
    changed: t.Array(t.Object({ name: t.String(), from: t.String(), to: t.String() })),
    removed: named,
    dryRun: t.Boolean(),
  }),
)
