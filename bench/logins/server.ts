/**
 * A server that people log in to while a key is used: `bun bench/logins/server.ts`. Says its port and what to present by
 * `process.send`, and how it does whenever it is asked.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Elysia } from 'elysia'
import { createMachineAuth, machineAuth } from '../../src/index.ts'
import { NEVER } from '../scale/server.ts'
import { MASTER_KEY, SECRET } from '../scale/texts.ts'

export interface Fixtures {
  readonly port: number
  readonly rawKey: string
  /** Who can log in with `PASSWORD`. */
  readonly emails: readonly string[]
}

/** How late the event loop was since the last look, ms, and what the process held at most, bytes. */
export interface Look {
  readonly delayP99: number
  readonly delayMost: number
  readonly resident: number
}

export interface Word {
  readonly fixtures?: Fixtures
  readonly look?: Look
}

export const LOGIN_SERVER = import.meta.path
export const PASSWORD = 'correct horse battery staple'
const PEOPLE = 20
/** ms */
const SAMPLING = 20

if (import.meta.main) {
  const core = createMachineAuth(
    {
      database: 'sqlite::memory:',
      secret: SECRET,
      masterKey: MASTER_KEY,
      // So that one machine can be many addresses.
      trustProxy: { from: ['127.0.0.1/32'] },
      apiKeys: { defaultRateLimit: { limit: NEVER, window: '1m' } },
      docs: false,
    },
    { warn: (message) => console.error(message), env: {} },
  )
  await core.ready
  const { rawKey } = await core.keys.create({ name: 'bench' })
  const emails = Array.from({ length: PEOPLE }, (_, index) => `person-${index}@example.com`)
  for (const email of emails) await core.users.create({ email, password: PASSWORD })
  const app = new Elysia().use(machineAuth(core)).get('/', ({ apiKey }) => apiKey.name, { apiKey: true })
  const { server } = app.listen({ port: 0, hostname: '127.0.0.1', reusePort: false })

  const delays = monitorEventLoopDelay({ resolution: 1 })
  delays.enable()
  let resident = 0
  setInterval(() => {
    resident = Math.max(resident, process.memoryUsage.rss())
  }, SAMPLING)
  function look(): Look {
    const seen = { delayP99: delays.percentile(99) / 1e6, delayMost: delays.max / 1e6, resident }
    delays.reset()
    resident = 0
    return seen
  }

  const send = (word: Word) => process.send?.(word)
  process.on('message', () => send({ look: look() }))
  process.once('disconnect', () => process.exit())
  send({ fixtures: { port: server?.port ?? 0, rawKey, emails } })
}
