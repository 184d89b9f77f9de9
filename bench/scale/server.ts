/**
 * One server with many keys: `bun bench/scale/server.ts SETTING`, a setting as JSON. Says its port by `process.send`,
 * and what it holds whenever it is asked.
 */
import { Elysia } from 'elysia'
import { createMachineAuth, machineAuth } from '../../src/index.ts'
import { type Footprint, weighSelf } from './child.ts'
import { MASTER_KEY, SECRET } from './texts.ts'

export interface Setting {
  /** Null for a route of Elysia alone. */
  readonly database: string | null
  readonly cacheSize?: number
  /** Units of each key in a minute; default the one of the library. */
  readonly limit?: number
  /** Several processes that listen on one port. */
  readonly port?: number
}

export interface Word {
  readonly port?: number
  readonly footprint?: Footprint
}

/** Never reached: what is measured is a count, not a refusal. */
export const NEVER = 1_000_000_000

export const SERVER = import.meta.path

async function createApp({ database, cacheSize, limit }: Setting) {
  if (database === null) return new Elysia().get('/', () => 'bench')
  const core = createMachineAuth(
    {
      database: `sqlite:${database}`,
      secret: SECRET,
      masterKey: MASTER_KEY,
      apiKeys: {
        ...(cacheSize === undefined ? {} : { cacheSize }),
        ...(limit === undefined ? {} : { defaultRateLimit: { limit, window: '1m' } }),
      },
    },
    { warn: () => undefined, env: {} },
  )
  return new Elysia().use(machineAuth(core)).get('/', ({ apiKey }) => apiKey.name, { apiKey: true })
}

if (import.meta.main) {
  const setting = JSON.parse(process.argv[2] ?? '{}') as Setting
  const app = await createApp(setting)
  const isShared = setting.port !== undefined
  const { server } = app.listen({ port: setting.port ?? 0, hostname: '127.0.0.1', reusePort: isShared })
  const send = (word: Word) => process.send?.(word)
  process.on('message', () => send({ footprint: weighSelf() }))
  process.once('disconnect', () => process.exit())
  send({ port: server?.port ?? 0 })
}
