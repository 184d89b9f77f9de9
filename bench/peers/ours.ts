/** One of our servers of the comparison, or the bare one: `bun bench/peers/ours.ts VARIANT`. */
import { Elysia } from 'elysia'
import { createMachineAuth, type MachineAuth, type MachineAuthOptions, machineAuth } from '../../src/index.ts'
import { announce, type Entry } from './announce.ts'
import { bearerOf, forge, LIMIT, LISTENING, LOW_LIMIT, TOKEN_LIFETIME, TOKENS, TOKENS_REMEMBERED } from './figures.ts'

/** What only one variant needs; what it costs to record requests is measured by itself. */
function start(options: MachineAuthOptions): MachineAuth {
  return createMachineAuth(
    {
      database: 'sqlite::memory:',
      docs: false,
      abuse: false,
      usage: false,
      metrics: false,
      rateLimit: { headers: 'x' },
      jwt: { algorithm: 'HS256', accessTtl: TOKEN_LIFETIME },
      ...options,
    },
    { warn: () => undefined },
  )
}

function listen(app: { listen(options: object): { server: { port?: number | undefined } | null } }): number {
  return app.listen(LISTENING).server?.port ?? 0
}

function bare(): Entry {
  return { port: listen(new Elysia().get('/', () => 'bench')), headers: {}, refusals: [] }
}

async function withKey(limit: number | false): Promise<Entry> {
  const core = start({ apiKeys: { defaultRateLimit: limit === false ? false : { limit, window: '1m' } } })
  await core.ready
  const { rawKey } = await core.keys.create({ name: 'bench' })
  const { rawKey: limited } = await core.keys.create({ name: 'bench', rateLimit: { limit: LOW_LIMIT, window: '1m' } })
  const app = new Elysia().use(machineAuth(core)).get('/', ({ apiKey }) => apiKey.name, { apiKey: true })
  return {
    port: listen(app),
    headers: { 'x-api-key': rawKey },
    refusals: [
      { headers: {}, status: 401 },
      { headers: { 'x-api-key': forge(rawKey) }, status: 401 },
      { headers: { 'x-api-key': limited }, status: 429, requests: LOW_LIMIT + 1 },
    ],
  }
}

/** A limit by address and nothing else, as `elysia-rate-limit` is. */
async function withLimitOnly(): Promise<Entry> {
  const core = start({})
  await core.ready
  const serve = (limit: number) =>
    listen(
      new Elysia()
        .use(machineAuth(core))
        .get('/', () => 'bench', { public: true, rateLimit: { limit, window: '1m', by: 'ip' } }),
    )
  const refusal = { headers: {}, status: 429, requests: LOW_LIMIT + 1, port: serve(LOW_LIMIT) } as const
  return { port: serve(LIMIT), headers: {}, refusals: [refusal] }
}

async function withToken(isFirstSeen: boolean): Promise<Entry> {
  const core = start(isFirstSeen ? { apiKeys: { cacheSize: TOKENS_REMEMBERED } } : {})
  await core.ready
  const user = await core.users.create({ email: 'bench@example.com', roles: ['admin'] })
  const { access_token: token } = await core.tokens.issueForUser(user)
  const app = new Elysia().use(machineAuth(core)).get('/', ({ currentUser }) => currentUser.id, { currentUser: true })
  const values: string[] = []
  while (isFirstSeen && values.length < TOKENS) {
    const { access_token: next } = await core.tokens.issueForUser(user)
    values.push(bearerOf(next).authorization)
  }
  return {
    port: listen(app),
    headers: bearerOf(token),
    ...(isFirstSeen && { inTurn: { name: 'authorization', values } }),
    refusals: [
      { headers: {}, status: 401 },
      { headers: bearerOf(forge(token)), status: 401 },
    ],
  }
}

const VARIANTS: Readonly<Record<string, () => Entry | Promise<Entry>>> = {
  bare,
  key: () => withKey(false),
  'key-limit': () => withKey(LIMIT),
  limit: withLimitOnly,
  jwt: () => withToken(false),
  'jwt-first-seen': () => withToken(true),
}

const variant = VARIANTS[process.argv[2] ?? '']
if (variant === undefined) throw new Error(`Name one of: ${Object.keys(VARIANTS).join(', ')}`)
await announce(await variant())
