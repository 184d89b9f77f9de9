/**
 * One server of the comparison: `bun bench/server.ts VARIANT [KEYS]`. Prints its port and what to send, as JSON; with
 * more than one key, all of them to be sent in turn.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Elysia } from 'elysia'
import { createMachineAuth, type MachineAuthOptions, machineAuth } from '../src/index.ts'
import { LIMIT, MINIMUMS } from './minimum.ts'

export const VARIANTS = [
  'bare',
  'unguarded',
  'minimum-key',
  'key',
  'minimum-limit-x-alone',
  'minimum-limit-x',
  'limit-x',
  'minimum-limit-both',
  'limit-both',
  'minimum-jwt',
  'jwt',
  'minimum-session',
  'session',
  'minimum-refusal',
  'refusal',
  'refusal-none',
  'refusal-wrong',
  'refusal-over',
  'everything',
] as const
export type Variant = (typeof VARIANTS)[number]

export interface Announcement {
  readonly port: number
  readonly headers: Readonly<Record<string, string>>
  /** A header whose values the requests have one after the other. */
  readonly inTurn?: { readonly name: string; readonly values: readonly string[] }
  /** Whether the answers are to be refusals. */
  readonly isRefused?: boolean
}

export interface Served extends Pick<Announcement, 'headers' | 'isRefused'> {
  readonly app: { listen(options: object): { server: { port?: number | undefined } | null } }
  /** All keys that are known, where there may be several. */
  readonly keys?: readonly string[]
}

/** Never reached: what is measured is a count, not a refusal. */
const NEVER = { limit: LIMIT, window: '1m' } as const

const SETTINGS: Partial<Readonly<Record<Variant, MachineAuthOptions>>> = {
  'limit-x': { apiKeys: { defaultRateLimit: NEVER }, rateLimit: { headers: 'x' } },
  'limit-both': { apiKeys: { defaultRateLimit: NEVER }, rateLimit: { headers: 'both' } },
  'refusal-over': { apiKeys: { defaultRateLimit: { limit: 1, window: '1h' } }, rateLimit: { headers: 'x' } },
  everything: {
    apiKeys: { defaultRateLimit: NEVER },
    rateLimit: { headers: 'x' },
    usage: {},
    metrics: {},
  },
}

/** A file, as a server that records has it; gone when the process ends. */
function createDatabaseFile(): string {
  const directory = mkdtempSync(join(tmpdir(), 'machine-auth-bench-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  return `sqlite:${join(directory, 'bench.db')}`
}

/** Of the form of ours, and unknown. */
async function createUnknownKey(): Promise<string> {
  await using other = createMachineAuth({ database: 'sqlite::memory:', docs: false }, { warn: () => undefined })
  await other.ready
  return (await other.keys.create({ name: 'bench' })).rawKey
}

async function ours(variant: Variant, count: number): Promise<Served> {
  const core = createMachineAuth(
    {
      database: variant === 'everything' ? createDatabaseFile() : 'sqlite::memory:',
      docs: false,
      // What is measured is a guard, not a block: `refusal-wrong` presents nothing but wrong keys.
      abuse: false,
      // What it costs to record requests is measured by `everything`, and by itself: `recording.ts`.
      usage: false,
      metrics: false,
      ...SETTINGS[variant],
      // Known keys are measured: by default each is read anew once a minute, and a hundred thousand take longer in turn.
      apiKeys: { defaultRateLimit: false, cacheTtl: '1h', ...SETTINGS[variant]?.apiKeys },
    },
    { warn: () => undefined },
  )
  await core.ready
  const app = new Elysia().use(machineAuth(core))
  if (variant === 'unguarded') return { app: app.get('/', () => 'bench'), headers: {} }
  if (variant === 'jwt' || variant === 'session') {
    const user = await core.users.create({ email: 'bench@example.com', roles: ['admin'] })
    const guarded = app.get('/', ({ currentUser }) => currentUser.email, { currentUser: true })
    if (variant === 'session') {
      const { cookieValue } = await core.sessions.create(user.id)
      return { app: guarded, headers: { cookie: `session_id=${cookieValue}` } }
    }
    const { access_token } = await core.tokens.issueForUser(user)
    return { app: guarded, headers: { authorization: `Bearer ${access_token}` } }
  }
  const guarded = app.get('/', ({ apiKey }) => apiKey.name, { apiKey: true })
  switch (variant) {
    case 'refusal':
      return { app: guarded, headers: { 'x-api-key': 'wrong' }, isRefused: true }
    case 'refusal-none':
      return { app: guarded, headers: {}, isRefused: true }
    case 'refusal-wrong':
      return { app: guarded, headers: { 'x-api-key': await createUnknownKey() }, isRefused: true }
  }
  const keys: string[] = []
  for (let index = 0; index < count; index += 1) keys.push((await core.keys.create({ name: 'bench' })).rawKey)
  const headers = { 'x-api-key': keys[0] ?? '' }
  return { app: guarded, headers, keys, isRefused: variant === 'refusal-over' }
}

function isMinimum(variant: Variant): variant is keyof typeof MINIMUMS {
  return Object.hasOwn(MINIMUMS, variant)
}

function serve(variant: Variant, keys: number): Served | Promise<Served> {
  if (variant === 'bare') return { app: new Elysia().get('/', () => 'bench'), headers: {} }
  if (isMinimum(variant)) return MINIMUMS[variant](keys)
  return ours(variant, keys)
}

if (import.meta.main) {
  const variant = VARIANTS.find((name) => name === process.argv[2])
  if (variant === undefined) throw new Error(`Name one of: ${VARIANTS.join(', ')}`)
  const { app, headers, keys = [], isRefused = false } = await serve(variant, Number(process.argv[3] ?? 1))
  const { server } = app.listen({ port: 0, hostname: '127.0.0.1', reusePort: false })
  const announcement: Announcement = {
    port: server?.port ?? 0,
    headers: keys.length > 1 ? {} : headers,
    isRefused,
    ...(keys.length > 1 && { inTurn: { name: 'x-api-key', values: keys } }),
  }
  console.log(JSON.stringify(announcement))
}
