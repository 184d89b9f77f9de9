/**
 * better-auth with its API-key plugin on an Elysia route: `bun bench/peers/servers/better-auth.ts VARIANT`.
 *
 * Set up as its pages on installation, `bun:sqlite`, Elysia and the plugin say.
 */
import { Database } from 'bun:sqlite'
import { type ApiKeyConfigurationOptions, apiKey } from '@better-auth/api-key'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { Elysia } from 'elysia'
import { announce } from '../announce.ts'
import { forge, LIMIT, LISTENING, LOW_LIMIT, WINDOW } from '../figures.ts'

/** Its page on storage modes: for keys that are looked up fast. Here nothing leaves the process. */
function createMapStorage(): ApiKeyConfigurationOptions['customStorage'] {
  const values = new Map<string, string>()
  return {
    get: (name) => values.get(name) ?? null,
    set: (name, value) => {
      values.set(name, value)
    },
    delete: (name) => {
      values.delete(name)
    },
    getAndDelete: (name) => {
      const value = values.get(name) ?? null
      values.delete(name)
      return value
    },
    increment: (name) => {
      const count = Number(values.get(name) ?? 0) + 1
      values.set(name, String(count))
      return count
    },
  }
}

const LIMITED: ApiKeyConfigurationOptions = { rateLimit: { enabled: true, maxRequests: LIMIT, timeWindow: WINDOW } }
const VARIANTS: Readonly<Record<string, ApiKeyConfigurationOptions>> = {
  unlimited: { rateLimit: { enabled: false } },
  limited: LIMITED,
  'limited-in-memory': { ...LIMITED, storage: 'secondary-storage', customStorage: createMapStorage() },
}

const options = VARIANTS[process.argv[2] ?? '']
if (options === undefined) throw new Error(`Name one of: ${Object.keys(VARIANTS).join(', ')}`)

const auth = betterAuth({
  database: new Database(':memory:'),
  baseURL: 'http://127.0.0.1',
  secret: 'a-secret-of-the-bench-0123456789-abcdefghij',
  emailAndPassword: { enabled: true },
  telemetry: { enabled: false },
  // It writes a line about each key that is wrong.
  logger: { disabled: true },
  plugins: [apiKey(options)],
})
const { runMigrations } = await getMigrations(auth.options)
await runMigrations()
const { user } = await auth.api.signUpEmail({
  body: { email: 'bench@example.com', name: 'bench', password: 'a-password-of-the-bench' },
})

const { server } = new Elysia()
  .macro({
    apiKey: {
      async resolve({ status, request: { headers } }) {
        const key = headers.get('x-api-key')
        if (key === null) return status(401)
        const verified = await auth.api.verifyApiKey({ body: { key } })
        if (verified.key === null) return status(verified.error?.code === 'RATE_LIMITED' ? 429 : 401)
        return { apiKey: verified.key }
      },
    },
  })
  .get('/', ({ apiKey }) => apiKey.name ?? '', { apiKey: true })
  .listen(LISTENING)

const { key } = await auth.api.createApiKey({ body: { name: 'bench', userId: user.id } })
const { key: limited } = await auth.api.createApiKey({
  body: { name: 'bench', userId: user.id, rateLimitMax: LOW_LIMIT, rateLimitTimeWindow: WINDOW },
})
await announce({
  port: server?.port ?? 0,
  headers: { 'x-api-key': key },
  refusals: [
    { headers: {}, status: 401 },
    { headers: { 'x-api-key': forge(key) }, status: 401 },
    ...(process.argv[2] === 'unlimited'
      ? []
      : [{ headers: { 'x-api-key': limited }, status: 429, requests: LOW_LIMIT + 1 } as const]),
  ],
})
