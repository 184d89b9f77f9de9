/** The least that a careful hand would write for a route: no storage, no revocation, none of what a guard is asked for. */
import { Elysia } from 'elysia'
import type { Served } from './server.ts'

export const VARY = 'Authorization, Cookie, X-API-Key'
export const LIMIT = 1_000_000_000
const WINDOW = 60_000

function nextId(): () => string {
  let count = 0
  return () => {
    count += 1
    return `hand-written-${count.toString(36)}`
  }
}

const keyOf = (index: number) => `mac_live_abcdefghijklmnop_${'0123456789'.repeat(5).slice(0, 43)}${100_000 + index}`

/** The headers of every answer of ours. */
function minimumKey(): Served {
  const key = keyOf(0)
  const known = new Map([[Bun.SHA256.hash(key, 'base64'), { name: 'bench' }]])
  const makeId = nextId()
  const app = new Elysia()
    .derive(({ request, set, status }) => {
      set.headers['x-request-id'] = request.headers.get('x-request-id') ?? makeId()
      set.headers.vary = VARY
      const given = request.headers.get('x-api-key')
      const apiKey = given === null ? undefined : known.get(Bun.SHA256.hash(given, 'base64'))
      if (apiKey === undefined) return status(401)
      return { apiKey }
    })
    .get('/', ({ apiKey }) => apiKey.name)
  return { app, headers: { 'x-api-key': key } }
}

/**
 * As `minimumKey`, with a limit: a counter that starts anew every minute, and its headers.
 *
 * @param isAlone whether the headers of the limit are all there are
 */
function minimumLimit(count: number, { withIetf = false, isAlone = false }): Served {
  const keys = Array.from({ length: count }, (_, index) => keyOf(index))
  const known = new Map(keys.map((key) => [Bun.SHA256.hash(key, 'base64'), { name: 'bench', count: 0, resetAt: 0 }]))
  const makeId = nextId()
  const app = new Elysia()
    .derive(({ request, set, status }) => {
      const { headers } = set
      if (!isAlone) {
        headers['x-request-id'] = request.headers.get('x-request-id') ?? makeId()
        headers.vary = VARY
      }
      const given = request.headers.get('x-api-key')
      const apiKey = given === null ? undefined : known.get(Bun.SHA256.hash(given, 'base64'))
      if (apiKey === undefined) return status(401)
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
      if (remaining < 0) return status(429)
      return { apiKey }
    })
    .get('/', ({ apiKey }) => apiKey.name)
  return { app, headers: { 'x-api-key': keyOf(0) }, keys }
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
      if (claims === undefined || claims.exp < Date.now()) return status(401)
      return { claims }
    })
    .get('/', ({ claims }) => claims.sub)
  return { app, headers: { authorization: `Bearer ${token}` } }
}

const COOKIE = 'session_id='

/** The least for a session: its cookie found in the header, a map by its digest, and its expiry. */
function minimumSession(): Served {
  const value = 'mas_abcdefghijklmnopqrstuv_0123456789012345678901234567890123456789012'
  const known = new Map([[Bun.SHA256.hash(value, 'base64'), { email: 'bench@example.com', exp: Date.now() + 1e9 }]])
  const makeId = nextId()
  const app = new Elysia()
    .derive(({ request, set, status }) => {
      set.headers['x-request-id'] = request.headers.get('x-request-id') ?? makeId()
      set.headers.vary = VARY
      const cookies = request.headers.get('cookie')?.split('; ') ?? []
      const given = cookies.find((cookie) => cookie.startsWith(COOKIE))?.slice(COOKIE.length)
      const session = given === undefined ? undefined : known.get(Bun.SHA256.hash(given, 'base64'))
      if (session === undefined || session.exp < Date.now()) return status(401)
      return { session }
    })
    .get('/', ({ session }) => session.email)
  return { app, headers: { cookie: `${COOKIE}${value}` } }
}

const PROBLEM =
  '{"type":"urn:machine-auth:error:credential_missing","title":"Credential required","status":401,"code":"credential_missing","detail":"Present a credential that this route takes.","retryable":false,"requestId":"'

/** The least for a refusal: the same headers and as long a body as ours, returned, which costs less than to throw it. */
function minimumRefusal(): Served {
  const makeId = nextId()
  const app = new Elysia()
    .derive(({ request, set, status }) => {
      const { headers } = set
      const id = request.headers.get('x-request-id') ?? makeId()
      headers['x-request-id'] = id
      headers.vary = VARY
      if (request.headers.get('x-api-key') !== null) return { apiKey: { name: 'bench' } }
      headers['cache-control'] = 'no-store'
      headers['content-type'] = 'application/problem+json'
      headers['www-authenticate'] = 'Bearer realm="machine-auth", ApiKey realm="machine-auth"'
      return status(401, `${PROBLEM}${id}"}`)
    })
    .get('/', ({ apiKey }) => apiKey.name)
  return { app, headers: {}, isRefused: true }
}

export const MINIMUMS = {
  'minimum-key': minimumKey,
  'minimum-limit-x': (keys) => minimumLimit(keys, {}),
  'minimum-limit-x-alone': (keys) => minimumLimit(keys, { isAlone: true }),
  'minimum-limit-both': (keys) => minimumLimit(keys, { withIetf: true }),
  'minimum-jwt': minimumJwt,
  'minimum-session': minimumSession,
  'minimum-refusal': minimumRefusal,
} as const satisfies Readonly<Record<string, (keys: number) => Served>>
