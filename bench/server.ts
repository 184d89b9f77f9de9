/** One server of the comparison: `bun bench/server.ts VARIANT`. Prints its port and the headers to send, as JSON. */
import { Elysia } from 'elysia'
import { createMachineAuth, machineAuth } from '../src/index.ts'

export const VARIANTS = [
  'bare',
  'unguarded',
  'minimum-key',
  'key',
  'minimum-limit-x',
  'limit-x',
  'minimum-limit-both',
  'limit-both',
  'minimum-jwt',
  'jwt',
  'session',
  'refusal',
] as const
export type Variant = (typeof VARIANTS)[number]

export interface Announcement {
  readonly port: number
  readonly headers: Readonly<Record<string, string>>
  /** A header whose values the requests have one after the other. */
  readonly inTurn?: { readonly name: string; readonly values: readonly string[] }
}

interface Served {
  readonly app: { listen(options: object): { server: { port?: number | undefined } | null } }
  readonly headers: Readonly<Record<string, string>>
}

const VARY = 'Authorization, Cookie, X-API-Key'

function nextId(): () => string {
  let count = 0
  return () => {
    count += 1
    return `hand-written-${count.toString(36)}`
  }
}

/** The least that a careful hand would write for a key: the same headers as ours, no limits, no revocation. */
function minimumKey(): Served {
  const key = `mac_live_abcdefghijklmnop_${'0123456789'.repeat(5).slice(0, 49)}`
  const known = new Map([[Bun.SHA256.hash(key, 'base64'), { name: 'bench' }]])
  const makeId = nextId()
  const app = new Elysia()
    .derive(({ request, set, status }) => {
      set.headers['x-request-id'] = request.headers.get('x-request-id') ?? makeId()
      set.headers.vary = VARY
      const given = request.headers.get('x-api-key')
      const apiKey = given === null ? undefined : known.get(Bun.SHA256.hash(given, 'base64'))
      if (apiKey === undefined) throw status(401)
      return { apiKey }
    })
    .get('/', ({ apiKey }) => apiKey.name)
  return { app, headers: { 'x-api-key': key } }
}

const LIMIT = 1_000_000_000
const WINDOW = 60_000

/** As `minimumKey`, with a limit: a counter that starts anew every minute, and its headers. */
function minimumLimit(withIetf: boolean): Served {
  const key = `mac_live_abcdefghijklmnop_${'0123456789'.repeat(5).slice(0, 49)}`
  const known = new Map([[Bun.SHA256.hash(key, 'base64'), { name: 'bench', count: 0, resetAt: 0 }]])
  const makeId = nextId()
  const app = new Elysia()
    .derive(({ request, set, status }) => {
      const { headers } = set
      headers['x-request-id'] = request.headers.get('x-request-id') ?? makeId()
      headers.vary = VARY
      const given = request.headers.get('x-api-key')
      const apiKey = given === null ? undefined : known.get(Bun.SHA256.hash(given, 'base64'))
      if (apiKey === undefined) throw status(401)
      const now = Date.now()
      if (now >= apiKey.resetAt) {
        apiKey.count = 0
        apiKey.resetAt = now + WINDOW
      }
      apiKey.count += 1
      const remaining = LIMIT - apiKey.count
      if (withIetf) {
        headers['ratelimit-policy'] = `"key";q=${LIMIT};w=60`
        headers.ratelimit = `"key";r=${remaining};t=${Math.ceil((apiKey.resetAt - now) / 1000)}`
      }
      headers['x-ratelimit-limit'] = String(LIMIT)
      headers['x-ratelimit-remaining'] = String(remaining)
      headers['x-ratelimit-reset'] = String(Math.ceil(apiKey.resetAt / 1000))
      if (remaining < 0) throw status(429)
      return { apiKey }
    })
    .get('/', ({ apiKey }) => apiKey.name)
  return { app, headers: { 'x-api-key': key } }
}

/** The least for a repeated token: a map by the whole token, and its expiry. */
function minimumJwt(): Served {
  const token = `${'h'.repeat(40)}.${'c'.repeat(220)}.${'s'.repeat(86)}`
  const known = new Map([[token, { sub: 'bench', exp: Date.now() + 1e9 }]])
  const makeId = nextId()
  const app = new Elysia()
    .derive(({ request, set, status }) => {
      set.headers['x-request-id'] = request.headers.get('x-request-id') ?? makeId()
      set.headers.vary = VARY
      const given = request.headers.get('authorization')
      const claims = given === null ? undefined : known.get(given.slice(7))
      if (claims === undefined || claims.exp < Date.now()) throw status(401)
      return { claims }
    })
    .get('/', ({ claims }) => claims.sub)
  return { app, headers: { authorization: `Bearer ${token}` } }
}

async function ours(variant: Variant): Promise<Served> {
  const core = createMachineAuth(
    {
      database: 'sqlite::memory:',
      docs: false,
      // What is measured is a guard, not a block: `refusal` presents nothing but wrong keys.
      abuse: false,
      // What it costs to record requests is measured by itself: `recording.ts`.
      usage: false,
      metrics: false,
      apiKeys: { defaultRateLimit: variant.startsWith('limit') ? { limit: LIMIT, window: '1m' } : false },
      rateLimit: { headers: variant === 'limit-x' ? 'x' : 'both' },
    },
    { warn: () => undefined },
  )
  await core.ready
  const app = new Elysia().use(machineAuth(core))
  if (variant === 'unguarded') return { app: app.get('/', () => 'bench'), headers: {} }
  if (variant === 'refusal') {
    return { app: app.get('/', ({ apiKey }) => apiKey.name, { apiKey: true }), headers: { 'x-api-key': 'wrong' } }
  }
  if (variant === 'key' || variant.startsWith('limit')) {
    const { rawKey } = await core.keys.create({ name: 'bench' })
    return { app: app.get('/', ({ apiKey }) => apiKey.name, { apiKey: true }), headers: { 'x-api-key': rawKey } }
  }
  const user = await core.users.create({ email: 'bench@example.com', roles: ['admin'] })
  const guarded = app.get('/', ({ currentUser }) => currentUser.email, { currentUser: true })
  if (variant === 'jwt') {
    const { access_token } = await core.tokens.issueForUser(user)
    return { app: guarded, headers: { authorization: `Bearer ${access_token}` } }
  }
  const { cookieValue } = await core.sessions.create(user.id)
  return { app: guarded, headers: { cookie: `session_id=${cookieValue}` } }
}

function serve(variant: Variant): Served | Promise<Served> {
  switch (variant) {
    case 'bare':
      return { app: new Elysia().get('/', () => 'bench'), headers: {} }
    case 'minimum-key':
      return minimumKey()
    case 'minimum-limit-x':
      return minimumLimit(false)
    case 'minimum-limit-both':
      return minimumLimit(true)
    case 'minimum-jwt':
      return minimumJwt()
    default:
      return ours(variant)
  }
}

if (import.meta.main) {
  const variant = VARIANTS.find((name) => name === process.argv[2])
  if (variant === undefined) throw new Error(`Name one of: ${VARIANTS.join(', ')}`)
  const { app, headers } = await serve(variant)
  const { server } = app.listen({ port: 0, hostname: '127.0.0.1', reusePort: false })
  const announcement: Announcement = { port: server?.port ?? 0, headers }
  console.log(JSON.stringify(announcement))
}
