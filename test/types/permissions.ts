/** What `definePermissions` and `PermissionOf` are typed as. */
import { definePermissions, type PermissionOf } from '../../src/index.ts'
import { same } from './support.ts'

const permissions = definePermissions({
  users: { label: 'User management', crud: ['view', 'create'], actions: { profile: ['get'], export: ['get', 'post'] } },
  posts: {},
  'billing.invoices': { actions: { send: ['post'] } },
  labels: { label: 'Labels' },
  nothing: { crud: [] },
})

type Crud = 'view' | 'create' | 'update' | 'delete'
same<
  PermissionOf<typeof permissions>,
  | 'users.view'
  | 'users.create'
  | 'users.profile.get'
  | 'users.export.get'
  | 'users.export.post'
  | `posts.${Crud}`
  | 'billing.invoices.send.post'
  | `labels.${Crud}`
>(true)

// @ts-expect-error: not a crud verb
definePermissions({ users: { crud: ['read'] } })
// @ts-expect-error: not a method in lower case
definePermissions({ users: { actions: { profile: ['GET'] } } })
// @ts-expect-error: not a member of a module
definePermissions({ users: { title: 'Users' } })
