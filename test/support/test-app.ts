/** A whole application on a free port: a core on SQLite, users, guarded routes, and a clock that is moved by hand. */
import { Database } from 'bun:sqlite'
import { tmpdir } from 'node:os'
import { drizzle } from 'drizzle-orm/bun-sqlite'
import { Elysia } from 'elysia'
import { createCore } from '../../src/create-core.ts'
import { type MachineAuth, type MachineAuthOptions, machineAuth } from '../../src/index.ts'
import type { SharedLimits } from '../../src/limits/shared-limits.ts'
import { lookThroughText } from './credentials/report.ts'
import { openMigrated } from './migrated.ts'
import { everywhere } from './shared-limits.ts'

export const SECRET = 'root-secret-of-the-tests-Zk3v9QpLx7Tn2RbW'
export const MASTER_KEY = 'master-key-of-the-tests-8Hq2LmVs5Yc1DgXf'
export const START = Date.UTC(2030, 0, 1)

/** Everybody's password; the hash is ready-made, because making one takes 24 ms. */
export const PASSWORD = 'correct horse battery'
export const PASSWORD_HASH =
  '$argon2id$v=19$m=19456,t=2,p=1$TV938h2/Ps2vzWSh5/QJxuk5x/1bz/jBW3d0xNXXEC4$oer6v+F2uMJAKyCwGb0BPJ6uw0mlhPpxoWQjF8eUkXc'

export const ROLES = { admin: ['*'], user: ['posts.view'], keeper: ['machine_auth.*', 'users.*'] }
export const MODULES = { users: { actions: { profile: ['get'] }, crud: ['view', 'create'] }, posts: {} } as const

export type Json = Readonly<Record<string, unknown>>

/** An answer, read to its end. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as JSON; empty when it is none. */
  readonly json: Json
  /** `200`, or status and code. */
  readonly said: string
}

export async function readAnswer(response: Response): Promise<Answer> {
  const { status, headers } = response
  const text = await response.text()
  const isJson = /^application\/(?:problem\+)?json/.test(headers.get('content-type') ?? '')
  const json: Json = isJson && text !== '' ? JSON.parse(text) : {}
  const said = headers.get('content-type') === 'application/problem+json' ? `${status} ${json.code}` : String(status)
  return { status, headers, text, json, said }
}

/** What a test asks: `body` is sent as JSON, `raw` as it is. */
export interface Question {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>> | Headers
  readonly body?: unknown
  readonly raw?: NonNullable<RequestInit['body']>
}

/** Asks a server. The method is POST when there is a body. */
export async function askServer(origin: string, path: string, question: Question = {}): Promise<Answer> {
  const { body, raw } = question
  const headers = new Headers(question.headers)
  const hasBody = body !== undefined || raw !== undefined
  if (hasBody && !headers.has('content-type')) headers.set('content-type', 'application/json')
  const method = question.method ?? (hasBody ? 'POST' : 'GET')
  const payload = raw ?? (body === undefined ? null : JSON.stringify(body))
  return readAnswer(await fetch(origin + path, { method, headers, body: payload, redirect: 'manual' }))
}

/** Routes with every guard, that say whom they take the caller for. */
function addRoutes(plugin: ReturnType<typeof machineAuth<string, object>>) {
  return new Elysia()
    .use(plugin)
    .get('/open', () => 'open', { public: true })
    .get('/key', ({ apiKey }) => ({ id: apiKey.id }), { apiKey: true })
    .get('/live', ({ apiKey }) => ({ id: apiKey.id }), { apiKey: { environment: 'live' } })
    .get('/token', ({ bearerToken }) => ({ id: bearerToken.userId ?? bearerToken.clientId }), { bearerToken: true })
    .get('/session', ({ session }) => ({ id: session.id }), { session: true })
    .get('/user', ({ currentUser }) => ({ id: currentUser.id }), { currentUser: true })
    .post('/user', ({ currentUser }) => ({ id: currentUser.id }), { currentUser: true })
    .get('/optional', ({ optionalUser }) => ({ id: optionalUser?.id ?? null }), { optionalUser: true })
    .get('/admin', ({ currentUser }) => ({ id: currentUser.id }), { requireRole: 'admin' })
    .get('/users', ({ principal }) => ({ id: principal.id }), { requirePermission: 'users.view' })
    .get('/posts', ({ principal }) => ({ id: principal.id }), { requireModule: 'posts' })
    .get('/profile', ({ principal }) => ({ id: principal.id }), {
      requireModule: { module: 'users', action: 'profile' },
    })
    .get('/master', ({ principal }) => ({ id: principal.id }), { masterKey: true })
    .ws('/ws', {
      currentUser: true,
      open: (ws) => void ws.send(ws.data.currentUser.id),
      message: (ws, message) => void ws.send(message),
    })
}

/** Statements of the watcher, the audit log, and what is recorded of requests: of nobody's request itself. */
const WATCHER =
  /"machine_auth_audit_marks"|^select .* from "machine_auth_audit" where .*"sequence"|^update "machine_auth_audit" |^delete from "machine_auth_changes"|from \(select 1\)|^select .* from "machine_auth_blocks" where "machine_auth_blocks"."id" = |"machine_auth_(?:usage|usage_checkpoints|usage_receipts|request_log)"|^update "machine_auth_api_keys" set "last_used_at" = used/

/** Counts of requests and how far they are written. */
const RECORDED = /^machine_auth_usage(?:_checkpoints)?$/

export interface TestApp extends AsyncDisposable {
  readonly core: MachineAuth<string, object>
  readonly app: ReturnType<typeof addRoutes>
  readonly origin: string
  readonly time: { now: number }
  readonly warnings: readonly string[]
  readonly client: Database
  /** Every statement since the last call. */
  takeStatements(): readonly string[]
  /** Number of rows by table, but for those of what is recorded of requests: these come when their time has come. */
  countRows(): Readonly<Record<string, number>>
  ask(path: string, question?: Question): Promise<Answer>
  close(): Promise<void>
}

/** Opens a SQLite file, or a migrated memory, and notes each statement that the core sends, but for the watcher's. */
export function openLogged(file?: string) {
  const client = file === undefined ? openMigrated() : new Database(file)
  const statements: string[] = []
  const logQuery = (text: string) => {
    if (!WATCHER.test(text)) statements.push(text)
  }
  return { client, statements, db: drizzle(client, { logger: { logQuery } }) }
}

/** A core in memory with the tests' secrets, roles and modules, unless the options say otherwise. */
export function createTestCore(options: MachineAuthOptions<string, object> = {}, shared = everywhere.create()) {
  const time = { now: START }
  const warnings: string[] = []
  const warn = (message: string) => {
    warnings.push(message)
    lookThroughText('a warning', message)
  }
  const core = createCore<string, object>(
    {
      database: 'sqlite::memory:',
      secret: SECRET,
      masterKey: MASTER_KEY,
      roles: ROLES,
      modules: MODULES,
      docs: false,
      // All of a test comes from one address; what limits do has its own tests.
      abuse: false,
      rateLimit: { login: { limit: 1_000_000, window: '15m' } },
      apiKeys: { defaultRateLimit: false },
      ...options,
    },
    { clock: () => time.now, env: {}, cwd: tmpdir(), warn, ...(shared === null ? {} : { sharedLimits: shared }) },
  )
  return { core, time, warnings }
}

/**
 * Serves an application. The options are those of `machineAuth`; secret, master key, roles and modules have defaults.
 *
 * @param extend adds routes of the test's own
 * @param shared counts limits for it and others; null lets it count alone
 */
export async function createTestApp(
  options: MachineAuthOptions<string, object> = {},
  extend: (app: ReturnType<typeof addRoutes>) => unknown = () => undefined,
  shared: SharedLimits | null = everywhere.create(),
): Promise<TestApp> {
  const { client, statements, db } = openLogged()
  const { core, time, warnings } = createTestCore({ database: { db }, ...options }, shared)
  await core.ready
  const app = addRoutes(machineAuth(core))
  extend(app)
  app.listen({ port: 0, hostname: '127.0.0.1' })
  const origin = `http://127.0.0.1:${app.server?.port}`

  async function close(): Promise<void> {
    await app.stop(true)
    await core.close()
    client.close()
  }

  return {
    core,
    app,
    origin,
    time,
    warnings,
    client,
    takeStatements: () => statements.splice(0),
    countRows() {
      const tables = client.query<{ name: string }, []>("select name from sqlite_master where type = 'table'").all()
      const count = (name: string) => client.query<{ n: number }, []>(`select count(*) as n from "${name}"`).get()?.n
      const counted = tables.filter(({ name }) => !RECORDED.test(name))
      return Object.fromEntries(counted.map(({ name }) => [name, count(name) ?? 0]))
    },
    ask: (path, question) => askServer(origin, path, question),
    close,
    [Symbol.asyncDispose]: close,
  }
}

export const ALICE = 'alice@example.com'
export const BOB = 'bob@example.com'

/** Adds Alice, an administrator, and Bob, who may view posts. Both log in with `PASSWORD`. */
export async function addPeople({ core }: Pick<TestApp, 'core'>) {
  const common = { passwordHash: PASSWORD_HASH }
  const alice = await core.users.create({ ...common, email: ALICE, roles: ['admin'], id: 'user_alice' })
  const bob = await core.users.create({ ...common, email: BOB, roles: ['user'], id: 'user_bob' })
  return { alice, bob }
}

export const asMaster = { 'x-admin-key': MASTER_KEY } as const
export const withKey = (rawKey: string) => ({ 'x-api-key': rawKey }) as const
export const withBearer = (token: string) => ({ authorization: `Bearer ${token}` }) as const
export const withCookie = (value: string, name = 'session_id') => ({ cookie: `${name}=${value}` }) as const

/** A key for a test, by its raw text and its id. */
export async function addKey(
  { core }: Pick<TestApp, 'core'>,
  more: Omit<Parameters<MachineAuth['keys']['create']>[0], 'name'> = {},
) {
  const { key, rawKey } = await core.keys.create({ name: 'test', ...more })
  return { id: key.id, rawKey, headers: withKey(rawKey) }
}

/** A token pair for a user, without a login. */
export async function addTokens({ core }: Pick<TestApp, 'core'>, userId: string) {
  const user = await core.users.find(userId)
  const pair = await core.tokens.issueForUser(user)
  return { pair, headers: withBearer(pair.access_token) }
}

/** A session for a user, without a login. */
export async function addSession({ core }: Pick<TestApp, 'core'>, userId: string) {
  const { session, cookieValue } = await core.sessions.create(userId)
  return { id: session.id, cookieValue, headers: withCookie(cookieValue) }
}
