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

/** How often a verified key was remembered, and how often storage was asked, since the start. */
export interface Lookups {
  readonly hits: number
  readonly misses: number
}

export interface Word {
  readonly port?: number
  readonly footprint?: Footprint
  readonly lookups?: Lookups
}

/** What a server is asked. */
export type Question = 'footprint' | 'lookups'

/** Never reached: what is measured is a count, not a refusal. */
export const NEVER = 1_000_000_000

export const SERVER = import.meta.path

interface Served {
  readonly app: { listen(options: object): { readonly server: { readonly port?: number | undefined } | null } }
  readonly lookups: () => Promise<Lookups>
}

const NONE: Lookups = { hits: 0, misses: 0 }

/** Reads them from the text for Prometheus. */
export function parseLookups(text: string): Lookups {
  const of = (result: string) =>
    Number(
      new RegExp(`^machine_auth_cache_lookups_total\\{cache="api_key",result="${result}"\\} (\\d+)`, 'm').exec(
        text,
      )?.[1],
    )
  return { hits: of('hit'), misses: of('miss') }
}

function createApp({ database, cacheSize, limit }: Setting): Served {
  if (database === null) {
    return { app: new Elysia().get('/', () => 'bench'), lookups: async () => NONE }
  }
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
  const app = new Elysia().use(machineAuth(core)).get('/', ({ apiKey }) => apiKey.name, { apiKey: true })
  return { app, lookups: async () => parseLookups((await core.metrics?.text()) ?? '') }
}

if (import.meta.main) {
  const setting = JSON.parse(process.argv[2] ?? '{}') as Setting
  const { app, lookups } = createApp(setting)
  const isShared = setting.port !== undefined
  const { server } = app.listen({ port: setting.port ?? 0, hostname: '127.0.0.1', reusePort: isShared })
  const send = (word: Word) => process.send?.(word)
  const answers: Readonly<Record<Question, () => Promise<Word>>> = {
    footprint: async () => ({ footprint: weighSelf() }),
    lookups: async () => ({ lookups: await lookups() }),
  }
  process.on('message', async (question: Question) => send(await answers[question]()))
  process.once('disconnect', () => process.exit())
  send({ port: server?.port ?? 0 })
}
