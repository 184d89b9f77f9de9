/**
 * One server of the comparison of what recording costs: `bun bench/recording-server.ts VARIANT DIRECTORY`. Prints its
 * port and the headers to send, as JSON.
 */
import { join } from 'node:path'
import { Elysia } from 'elysia'
import { createMachineAuth, type MachineAuthOptions, machineAuth } from '../src/index.ts'
import type { Announcement } from './server.ts'

type Recording = Pick<MachineAuthOptions, 'usage' | 'metrics' | 'logging'>

interface Setting {
  /** Null for a route of Elysia alone. */
  readonly recording: Recording | null
  /** Whether a limit is counted, and said in three headers. */
  readonly isLimited?: true
  /** Keys that are used in turn. */
  readonly keys?: number
}

const OFF: Recording = { usage: false, metrics: false }
const BUFFERED: Recording = { metrics: false }
const JOURNALED: Recording = { usage: { durability: 'journaled' }, metrics: false }
const METERED: Recording = { usage: false }
const DEFAULT: Recording = {}
const LOGGED: Recording = { logging: { mode: 'metadata_only' } }

const MANY = 1000

/** `off` of each group is what the others of the group are compared to. */
export const SETTINGS = {
  bare: { recording: null },
  off: { recording: OFF },
  buffered: { recording: BUFFERED },
  journaled: { recording: JOURNALED },
  metrics: { recording: METERED },
  default: { recording: DEFAULT },
  logged: { recording: LOGGED },
  'bare-1000': { recording: null, keys: MANY },
  'off-1000': { recording: OFF, keys: MANY },
  'buffered-1000': { recording: BUFFERED, keys: MANY },
  'journaled-1000': { recording: JOURNALED, keys: MANY },
  'default-1000': { recording: DEFAULT, keys: MANY },
  'limited-off': { recording: OFF, isLimited: true },
  everything: { recording: DEFAULT, isLimited: true },
} as const satisfies Readonly<Record<string, Setting>>

export type Variant = keyof typeof SETTINGS

export function isVariant(name: string): name is Variant {
  return Object.hasOwn(SETTINGS, name)
}

/** Never reached: what is measured is a count, not a refusal. */
const LIMIT = { limit: 1_000_000_000, window: '1m' } as const

async function serve({ recording, isLimited, keys = 1 }: Setting, directory: string) {
  if (recording === null) {
    const texts = Array.from({ length: keys }, (_, index) => `mac_live_${String(index).padStart(66, '0')}`)
    return { app: new Elysia().get('/', () => 'bench'), texts }
  }
  const core = createMachineAuth(
    {
      database: `sqlite:${join(directory, 'bench.db')}`,
      docs: false,
      abuse: false,
      apiKeys: { defaultRateLimit: isLimited === true ? LIMIT : false },
      rateLimit: { headers: 'x' },
      ...recording,
    },
    { warn: () => undefined, cwd: directory },
  )
  await core.ready
  const made: string[] = []
  for (let index = 0; index < keys; index += 1) made.push((await core.keys.create({ name: `bench ${index}` })).rawKey)
  const app = new Elysia().use(machineAuth(core)).get('/', ({ apiKey }) => apiKey.name, { apiKey: true })
  return { app, texts: made }
}

if (import.meta.main) {
  const [, , name = '', directory = '.'] = process.argv
  if (!isVariant(name)) throw new Error(`Name one of: ${Object.keys(SETTINGS).join(', ')}`)
  const { app, texts } = await serve(SETTINGS[name], directory)
  const { server } = app.listen({ port: 0, hostname: '127.0.0.1', reusePort: false })
  const announcement: Announcement = {
    port: server?.port ?? 0,
    headers: { 'x-api-key': texts[0] ?? '' },
    ...(texts.length > 1 && { inTurn: { name: 'x-api-key', values: texts } }),
  }
  console.log(JSON.stringify(announcement))
}
