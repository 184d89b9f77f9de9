/** Each guard puts exactly its value into the handler; without it, the value is not there. */
import { Elysia } from 'elysia'
import type { BearerToken, Principal, Session, User } from '../../src/authentication/principal.ts'
import type { ApiKeyView } from '../../src/authentication/views.ts'
import type { Auth } from '../../src/guards/auth.ts'
import { createGuards } from '../../src/guards/plugin.ts'
import { same } from './support.ts'

interface Member {
  readonly nickname: string
  readonly balance: number
}
type AppUser = User & Member
type Roles = 'admin' | 'moderator'

const plugin = createGuards<Member, Roles>('types')
const app = new Elysia().use(plugin)

app
  .get(
    '/apiKey',
    ({ apiKey }) => {
      same<typeof apiKey, ApiKeyView>(true)
      return apiKey.name
    },
    { apiKey: true },
  )
  .get('/apiKey/rules', ({ apiKey }) => same<typeof apiKey, ApiKeyView>(true), {
    apiKey: { permissions: ['users.view'], environment: 'live' },
  })
  .get('/bearerToken', ({ bearerToken }) => same<typeof bearerToken, BearerToken>(true), { bearerToken: true })
  .get('/session', ({ session }) => same<typeof session, Session>(true), { session: true })
  .get('/currentUser', ({ currentUser }) => same<typeof currentUser, AppUser>(true), { currentUser: true })
  .get('/via', ({ currentUser }) => same<typeof currentUser, AppUser>(true), { currentUser: { via: ['session'] } })
  .get('/optionalUser', ({ optionalUser }) => same<typeof optionalUser, AppUser | null>(true), { optionalUser: true })
  .get('/requireRole', ({ currentUser }) => same<typeof currentUser, AppUser>(true), { requireRole: 'admin' })
  .get('/roles', ({ currentUser }) => same<typeof currentUser, AppUser>(true), { requireRole: ['admin', 'moderator'] })
  .get('/permission', ({ principal }) => same<typeof principal, Principal>(true), { requirePermission: 'users.view' })
  .get('/any', ({ principal }) => same<typeof principal, Principal>(true), { requirePermission: { any: ['a', 'b'] } })
  .get('/module', ({ principal }) => same<typeof principal, Principal>(true), { requireModule: 'users' })
  .get('/action', ({ principal }) => same<typeof principal, Principal>(true), {
    requireModule: { module: 'users', action: 'profile' },
  })
  .get('/masterKey', ({ principal }) => same<typeof principal, Principal>(true), { masterKey: true })
  .get('/public', ({ auth }) => same<typeof auth, Auth<Member, Roles>>(true), { public: true })
  .post(
    '/several',
    ({ apiKey, currentUser, principal }) => {
      same<typeof apiKey, ApiKeyView>(true)
      same<typeof currentUser, AppUser>(true)
      same<typeof principal, Principal>(true)
      return currentUser.nickname
    },
    { apiKey: true, requireRole: 'admin', requirePermission: 'users.view' },
  )

// Without the guard, the value is not there.
app
  // @ts-expect-error: no guard
  .get('/1', ({ currentUser }) => String(currentUser))
  // @ts-expect-error: no guard
  .get('/2', ({ apiKey }) => String(apiKey))
  // @ts-expect-error: no guard
  .get('/3', ({ session }) => String(session), {})
  // @ts-expect-error: another guard
  .get('/4', ({ currentUser }) => String(currentUser), { apiKey: true })
  // @ts-expect-error: another guard
  .get('/5', ({ apiKey }) => String(apiKey), { currentUser: true })
  // @ts-expect-error: not with optionalUser
  .get('/6', ({ currentUser }) => String(currentUser), { optionalUser: true })
  // @ts-expect-error: may be null
  .get('/7', ({ optionalUser }) => optionalUser.id, { optionalUser: true })
  // @ts-expect-error: public proves nothing
  .get('/8', ({ principal }) => String(principal), { public: true })
  // @ts-expect-error: the user has no such member
  .get('/9', ({ currentUser }) => String(currentUser.password), { currentUser: true })

// What would switch a guard off is no value of it.
app
  // @ts-expect-error: false
  .get('/off/1', () => '', { currentUser: false })
  // @ts-expect-error: a boolean that may be false
  .get('/off/2', () => '', { apiKey: Math.random() > 0.5 })
  // @ts-expect-error: undefined
  .get('/off/3', () => '', { requireRole: undefined })
  // @ts-expect-error: no object
  .get('/off/4', () => '', { session: {} })
  // @ts-expect-error: false
  .get('/off/5', () => '', { masterKey: false })
  // @ts-expect-error: false
  .get('/off/6', () => '', { public: false })
  // @ts-expect-error: null
  .get('/off/7', () => '', { bearerToken: null })

// Names.
app
  // @ts-expect-error: no such role
  .get('/name/1', () => '', { requireRole: 'nobody' })
  // @ts-expect-error: one of them is no role
  .get('/name/2', () => '', { requireRole: ['admin', 'nobody'] })
  // @ts-expect-error: no such kind of credential
  .get('/name/3', () => '', { currentUser: { via: ['cookie'] } })
  // @ts-expect-error: no such environment
  .get('/name/4', () => '', { apiKey: { environment: 'production' } })
  // @ts-expect-error: a misspelt member
  .get('/name/5', () => '', { apiKey: { permission: ['users.view'] } })
  // @ts-expect-error: a module must be named
  .get('/name/7', () => '', { requireModule: { action: 'profile' } })
  // @ts-expect-error: neither a name nor a list
  .get('/name/8', () => '', { requirePermission: true })

// T4: on an app without the plugin, the options are not known.
new Elysia()
  // @ts-expect-error: no plugin
  .get('/x', () => '', { currentUser: true })
  // @ts-expect-error: no plugin
  .get('/y', ({ auth }) => String(auth))

// `auth` chains to the same types.
app.get('/auth', async ({ auth }) => {
  const key = await auth.apiKey()
  same<typeof key, ApiKeyView>(true)
  const token = await auth.bearerToken()
  same<typeof token, BearerToken>(true)
  const session = await auth.session()
  same<typeof session, Session>(true)
  const user = await auth.currentUser()
  same<typeof user, AppUser>(true)
  const optional = await auth.optionalUser()
  same<typeof optional, AppUser | null>(true)
  const admin = await auth.requireRole(['admin', 'moderator'])
  same<typeof admin, AppUser>(true)
  // @ts-expect-error: no such role
  await auth.requireRole('nobody')
  const principal = await auth.requirePermission({ any: ['a'] })
  same<typeof principal, Principal>(true)
  same<typeof auth.principal, Principal | null>(true)
  same<typeof auth.requestId, string>(true)
  same<typeof auth.address, string | null>(true)
})
