/** `machineAuth(options)` infers roles and the app's own user, and takes them on from a core. */
import { Elysia } from 'elysia'
import type { User } from '../../src/authentication/principal.ts'
import { createMachineAuth, machineAuth } from '../../src/index.ts'
import { same } from './support.ts'

interface Member {
  readonly id: string
  readonly nickname: string
  readonly plan: 'free' | 'paid'
}
declare function loadMember(id: string): Promise<Member | null>

// Without options: the one role there is.
new Elysia()
  .use(machineAuth())
  .get('/x', ({ currentUser }) => same<typeof currentUser.id, string>(true), { requireRole: 'admin' })
  .get('/key', ({ apiKey }) => same<typeof apiKey.name, string>(true), { apiKey: true })
  // @ts-expect-error: no such role
  .get('/y', () => '', { requireRole: 'nobody' })

const options = {
  roles: { admin: ['*'], editor: ['posts.*'] },
  users: { load: loadMember },
} as const

new Elysia()
  .use(machineAuth({ roles: { admin: ['*'], editor: ['posts.*'] }, users: { load: loadMember } }))
  .get(
    '/x',
    ({ currentUser }) => {
      same<typeof currentUser, User & Member>(true)
      same<typeof currentUser.plan, 'free' | 'paid'>(true)
      // @ts-expect-error: so it is not any
      currentUser.nothing
      return currentUser.nickname
    },
    { requireRole: ['editor', 'admin'] },
  )
  .get('/optional', ({ optionalUser }) => same<typeof optionalUser, (User & Member) | null>(true), {
    optionalUser: true,
  })
  .get('/auth', async ({ auth }) => {
    const user = await auth.requireRole('editor')
    same<typeof user, User & Member>(true)
    // @ts-expect-error: no such role
    await auth.requireRole('nobody')
  })
  // @ts-expect-error: no such role
  .get('/y', () => '', { requireRole: 'moderator' })

// A core carries both on.
const core = createMachineAuth(options)
new Elysia()
  .use(machineAuth(core))
  .get('/x', ({ currentUser }) => same<typeof currentUser, User & Member>(true), { requireRole: 'editor' })
  // @ts-expect-error: no such role
  .get('/y', () => '', { requireRole: 'nobody' })

// Options that do not exist, or of another type.
// @ts-expect-error: a misspelt option
machineAuth({ secrets: 'x' })
// @ts-expect-error: a misspelt member
machineAuth({ apiKeys: { prefixes: 'x' } })
// @ts-expect-error: permissions are a list
machineAuth({ roles: { admin: '*' } })
// @ts-expect-error: no such algorithm
machineAuth({ jwt: { algorithm: 'none' } })
// @ts-expect-error: a rule must demand what there is
machineAuth({ protect: [{ path: '/api', require: { currentUser: false } }] })
