/** What the endpoints of roles and permissions take and answer. */
import { t } from 'elysia'
import type { PermissionSync } from '../../accounts/permissions.ts'
import type { RoleView } from '../../accounts/views.ts'
import type { PermissionEntry } from '../../authorization/registry.ts'
import { nextCursor, orderedPageQuery, permissions, strict } from './shared.ts'

export const RoleName = t.String({
  minLength: 1,
  maxLength: 128,
  description: 'Name of the role.',
  examples: ['editor'],
})

export const PutRole = strict(
  {
    permissions: permissions('What it grants from now on.'),
    inherits: t.Optional(
      t.Array(t.String({ minLength: 1, maxLength: 128 }), {
        maxItems: 32,
        description: 'Roles whose permissions it grants too; none unless given.',
        examples: [['user']],
      }),
    ),
  },
  { examples: [{ permissions: [] }] },
)

export const RoleModel = t.Unsafe<RoleView>(
  t.Object(
    {
      name: t.String({ description: 'Name of the role.' }),
      permissions: t.Array(t.String(), { description: 'What it grants itself: names and wildcards.' }),
      inherits: t.Array(t.String(), { description: 'Roles whose permissions it grants too.' }),
      source: t.Union([t.Literal('options'), t.Literal('stored')], {
        description: '`options`: from the configuration, not to be changed here.',
      }),
    },
    {
      description: 'A role: a name for permissions that users may be given.',
      examples: [{ name: 'editor', permissions: ['posts.*'], inherits: [], source: 'stored' }],
    },
  ),
)

export const RoleList = t.Object(
  {
    items: t.Unsafe<readonly RoleView[]>(
      t.Array(RoleModel, { description: 'Roles, those of the configuration first unless asked for otherwise.' }),
    ),
    nextCursor,
  },
  { description: 'A page of roles.' },
)

export const ListPermissionsQuery = strict({
  module: t.Optional(t.String({ maxLength: 128, description: 'The whole name of a module.', examples: ['users'] })),
  q: t.Optional(
    t.String({
      maxLength: 255,
      description: 'Part of the name or label, taken literally, in upper or lower case.',
      examples: ['view'],
    }),
  ),
  ...orderedPageQuery('name', 'asc'),
})

export const ListRolesQuery = strict(orderedPageQuery('name', 'asc'))

export const PermissionList = t.Object(
  {
    items: t.Unsafe<readonly PermissionEntry[]>(
      t.Array(
        t.Object(
          {
            name: t.String({ description: 'What routes, keys and roles name it by.' }),
            module: t.Nullable(t.String({ description: 'Module it belongs to; null for none.' })),
            label: t.String({ description: 'What people call it.' }),
            source: t.Union([t.Literal('module'), t.Literal('options'), t.Literal('library')], {
              description: 'Where it is declared: by a module, in the options or by this library.',
            }),
          },
          { examples: [{ name: 'users.view', module: 'users', label: 'User management: view', source: 'module' }] },
        ),
        { description: 'Permissions, by name unless asked for otherwise.' },
      ),
    ),
    nextCursor,
  },
  { description: 'A page of declared permissions.' },
)

export const SyncPermissions = t.Nullable(
  strict(
    {
      dryRun: t.Optional(t.Boolean({ description: 'Says what would change, and changes nothing.', examples: [true] })),
    },
    { examples: [{ dryRun: true }] },
  ),
)

const named = (description: string) =>
  t.Array(
    t.Object({
      name: t.String({ description: 'Name of the permission.', examples: ['users.view'] }),
      label: t.String({ description: 'What people call it.', examples: ['User management: view'] }),
    }),
    { description },
  )

export const PermissionSyncModel = t.Unsafe<PermissionSync>(
  t.Object(
    {
      created: named('Declared, and not stored before.'),
      changed: t.Array(
        t.Object({
          name: t.String({ description: 'Name of the permission.', examples: ['users.view'] }),
          from: t.String({ description: 'The label before.', examples: ['Users: view'] }),
          to: t.String({ description: 'The label now.', examples: ['User management: view'] }),
        }),
        { description: 'Declared with another label than was stored.' },
      ),
      removed: named('Stored, and no longer declared.'),
      dryRun: t.Boolean({ description: 'Whether nothing was changed.' }),
    },
    { description: 'What a synchronization changed, or would change.' },
  ),
)
