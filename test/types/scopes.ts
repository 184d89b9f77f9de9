/** Values reach handlers through groups, guards, modules and WebSockets, with their types. */
import { Elysia, t } from 'elysia'
import type { User } from '../../src/authentication/principal.ts'
import type { ApiKeyView } from '../../src/authentication/views.ts'
import { createGuards } from '../../src/guards/plugin.ts'
import { same } from './support.ts'

interface Member {
  readonly nickname: string
}
type AppUser = User & Member

const plugin = createGuards<Member, 'admin'>('types')

new Elysia()
  .use(plugin)
  .group('/group', { currentUser: true }, (inner) =>
    inner
      .get('/x', ({ currentUser }) => same<typeof currentUser, AppUser>(true))
      .get(
        '/y',
        ({ currentUser, apiKey }) => [same<typeof currentUser, AppUser>(true), same<typeof apiKey, ApiKeyView>(true)],
        {
          apiKey: true,
        },
      )
      .group('/deep', { apiKey: true }, (deep) => deep.get('', ({ apiKey }) => same<typeof apiKey, ApiKeyView>(true)))
      // @ts-expect-error: the group has another guard
      .get('/z', ({ apiKey }) => String(apiKey)),
  )
  // @ts-expect-error: no such role
  .group('/wrong', { requireRole: 'nobody' }, (inner) => inner.get('', () => ''))
  .group('/plain', (inner) =>
    inner
      .get('/x', ({ currentUser }) => same<typeof currentUser, AppUser>(true), { currentUser: true })
      // @ts-expect-error: no guard
      .get('/y', ({ currentUser }) => String(currentUser)),
  )
  .guard({ requireRole: 'admin' }, (inner) =>
    inner
      .get('/guarded', ({ currentUser }) => same<typeof currentUser, AppUser>(true))
      .post(
        '/guarded',
        ({ currentUser, body }) => [same<typeof currentUser, AppUser>(true), same<typeof body, { a: string }>(true)],
        {
          body: t.Object({ a: t.String() }),
        },
      )
      .ws('/guarded', {
        message(ws) {
          same<typeof ws.data.currentUser, AppUser>(true)
        },
      }),
  )
  // Elysia 1.4 itself takes the types of such a block along to what follows it, where the values are not.
  .get('/outside', ({ currentUser }) => same<typeof currentUser, AppUser>(true))

new Elysia()
  .use(plugin)
  .guard({ currentUser: true })
  .get('/x', ({ currentUser }) => same<typeof currentUser, AppUser>(true))
  .ws('/y', {
    message(ws) {
      same<typeof ws.data.currentUser, AppUser>(true)
    },
  })

new Elysia()
  .use(plugin)
  .ws('/ws', {
    currentUser: true,
    open(ws) {
      same<typeof ws.data.currentUser, AppUser>(true)
    },
    message(ws) {
      same<typeof ws.data.currentUser, AppUser>(true)
      // @ts-expect-error: another guard
      ws.data.apiKey
    },
    close(ws) {
      same<typeof ws.data.currentUser, AppUser>(true)
    },
  })
  .ws('/key', {
    apiKey: true,
    message(ws) {
      same<typeof ws.data.apiKey, ApiKeyView>(true)
    },
  })
  .ws('/none', {
    message(ws) {
      // @ts-expect-error: no guard
      ws.data.currentUser
    },
  })
  // @ts-expect-error: false is no value of a guard
  .ws('/off', { currentUser: false, message() {} })
  // @ts-expect-error: no such role
  .ws('/role', { requireRole: 'nobody', message() {} })

// A module that uses the same instance has the same types, and its parent without it has not.
const feature = new Elysia({ name: 'feature', prefix: '/feature' })
  .use(plugin)
  .get('/x', ({ currentUser }) => same<typeof currentUser, AppUser>(true), { currentUser: true })
  .group('/g', { apiKey: true }, (inner) => inner.get('', ({ apiKey }) => same<typeof apiKey, ApiKeyView>(true)))

new Elysia()
  .use(plugin)
  .use(feature)
  .get('/y', ({ currentUser }) => same<typeof currentUser, AppUser>(true), { currentUser: true })
  // @ts-expect-error: a module's guard does not reach its parent's handlers
  .get('/z', ({ currentUser }) => String(currentUser))

new Elysia().use(plugin).use(
  new Elysia()
    // @ts-expect-error: a module without the plugin does not know its options
    .get('/x', () => '', { currentUser: true }),
)

// Beside an app's own context.
new Elysia()
  .decorate('clock', () => 0)
  .use(plugin)
  .derive(async ({ auth }) => {
    const user = await auth.optionalUser()
    same<typeof user, AppUser | null>(true)
    return { name: user?.nickname ?? 'nobody' }
  })
  .macro({ admins: { requireRole: 'admin' } })
  .get(
    '/x/:id',
    ({ clock, name, params, currentUser, query }) => {
      same<ReturnType<typeof clock>, 0>(true)
      same<typeof name, string>(true)
      same<typeof params.id, string>(true)
      same<typeof currentUser, AppUser>(true)
      same<typeof query, { page: number }>(true)
      return currentUser.nickname
    },
    { currentUser: true, query: t.Object({ page: t.Number() }) },
  )
