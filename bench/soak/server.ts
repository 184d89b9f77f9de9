/**
 * The server under mixed load: `bun bench/soak/server.ts DATABASE BOUND`. Says its port and what to present by
 * `process.send`, and how it does whenever it is asked.
 */
import { Elysia } from 'elysia'
import { createMachineAuth, machineAuth } from '../../src/index.ts'
import { type Footprint, weighSelf } from '../scale/child.ts'
import { NEVER } from '../scale/server.ts'
import { MASTER_KEY, SECRET } from '../scale/texts.ts'
import { LoopDelay } from './loop-delay.ts'

export interface Fixtures {
  readonly port: number
  readonly expired: readonly string[]
  readonly revoked: readonly string[]
  readonly limited: readonly string[]
  readonly email: string
  readonly password: string
}

export interface Look extends Footprint {
  /** ms that the event loop was late at most, since the last look. */
  readonly delay: number
}

export interface Word {
  readonly fixtures?: Fixtures
  readonly look?: Look
}

export const SOAK_SERVER = import.meta.path
/** Of a limited key, in a minute. */
export const LIMIT = 5
/** How many keys there are of each kind. */
export const EACH = 10
const EMAIL = 'soak@example.com'
const PASSWORD = 'correct horse battery staple'
/** ms for which the keys that expire are good. */
const SOON = 1500

if (import.meta.main) {
  const [database = '', bound = ''] = process.argv.slice(2)
  const core = createMachineAuth(
    {
      database: `sqlite:${database}`,
      secret: SECRET,
      masterKey: MASTER_KEY,
      trustProxy: { from: ['127.0.0.1/32'] },
      apiKeys: { defaultRateLimit: { limit: NEVER, window: '1m' }, cacheSize: Number(bound) },
      // Small enough to be full before the second third of the run: from then on nothing may grow.
      rateLimit: { maxSubjects: Number(bound) },
    },
    { warn: (message) => console.error(message), env: {} },
  )
  await core.ready
  await core.users.create({ email: EMAIL, password: PASSWORD, roles: ['admin'] })
  const make = async (input: Omit<Parameters<typeof core.keys.create>[0], 'name'>) => {
    const made = []
    for (let index = 0; index < EACH; index += 1) made.push(await core.keys.create({ name: 'soak', ...input }))
    return made
  }
  const revoked = await make({})
  for (const { key } of revoked) await core.keys.revoke(key.id)
  const limited = await make({ rateLimit: { limit: LIMIT, window: '1m' } })
  const expired = await make({ expiresAt: new Date(Date.now() + SOON).toISOString() })
  await Bun.sleep(SOON)

  const { server } = new Elysia()
    .use(machineAuth(core))
    .get('/', ({ apiKey }) => apiKey.name, { apiKey: true })
    .get('/user', ({ currentUser }) => currentUser.email, { currentUser: true })
    .listen({ port: 0, hostname: '127.0.0.1', reusePort: false })
  const textsOf = (made: readonly { readonly rawKey: string }[]) => made.map(({ rawKey }) => rawKey)
  const send = (word: Word) => process.send?.(word)
  const delay = new LoopDelay()
  process.on('message', () => {
    const late = delay.take()
    send({ look: { ...weighSelf(), delay: late } })
    // The collection itself is no load of the server's.
    delay.take()
  })
  process.once('disconnect', () => process.exit())
  send({
    fixtures: {
      port: server?.port ?? 0,
      expired: textsOf(expired),
      revoked: textsOf(revoked),
      limited: textsOf(limited),
      email: EMAIL,
      password: PASSWORD,
    },
  })
}
