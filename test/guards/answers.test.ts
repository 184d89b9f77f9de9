/** Every guard against every credential, through a listening socket: one table says what each answers. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { createTestPlugin, STANDARD, type Table } from '../support/guarded-app.ts'
import { ask, expectRefusal, PRESENT, type Presented, summary, VARY } from './support.ts'

function createApp(table: Table) {
  const { plugin } = createTestPlugin(table)
  return new Elysia()
    .use(plugin)
    .get('/apiKey', ({ apiKey }) => apiKey.id, { apiKey: true })
    .get('/apiKey/live', ({ apiKey }) => apiKey.id, { apiKey: { environment: 'live' } })
    .get('/apiKey/users.view', ({ apiKey }) => apiKey.id, { apiKey: { permissions: ['users.view'] } })
    .get('/bearerToken', ({ bearerToken }) => bearerToken.kind, { bearerToken: true })
    .get('/session', ({ session }) => session.id, { session: true })
    .get('/currentUser', ({ currentUser }) => currentUser.id, { currentUser: true })
    .get('/currentUser/session', ({ currentUser }) => currentUser.id, { currentUser: { via: ['session'] } })
    .get('/optionalUser', ({ optionalUser }) => optionalUser?.id ?? 'nobody', { optionalUser: true })
    .get('/requireRole', ({ currentUser }) => currentUser.id, { requireRole: 'admin' })
    .get('/requireRole/any', ({ currentUser }) => currentUser.id, { requireRole: ['moderator', 'user'] })
    .get('/requirePermission', ({ principal }) => principal.id, { requirePermission: 'users.view' })
    .get('/requirePermission/all', ({ principal }) => principal.id, { requirePermission: ['users.view', 'posts.view'] })
    .get('/requirePermission/any', ({ principal }) => principal.id, {
      requirePermission: { any: ['users.view', 'posts.view'] },
    })
    .get('/requireModule', ({ principal }) => principal.id, { requireModule: 'users' })
    .post('/requireModule', ({ principal }) => principal.id, { requireModule: { module: 'users' } })
    .get('/masterKey', ({ principal }) => principal.id, { masterKey: true })
}

const NO_CREDENTIAL = '401 credential_missing'
const WRONG_KEY = '401 api_key_invalid'
const WRONG_TOKEN = '401 token_invalid'
const WRONG_SESSION = '401 session_invalid'
const WRONG_MASTER = '401 master_key_invalid'
const TWO = '400 request_malformed'
const LACKS = '403 permission_required'
const NO_USER = '403 user_required'

/** What a guard that takes any principal says to credentials that name none. */
const REFUSED = {
  nothing: NO_CREDENTIAL,
  'expired key': '401 api_key_expired',
  'wrong key': WRONG_KEY,
  'two keys': TWO,
  'wrong token': WRONG_TOKEN,
  'opaque nonsense': WRONG_TOKEN,
  'other scheme': WRONG_TOKEN,
  'two tokens': TWO,
  'stale session': '401 session_expired',
  'wrong session': WRONG_SESSION,
  'two sessions': TWO,
  'master key': NO_CREDENTIAL,
  'master as Bearer': WRONG_TOKEN,
  'wrong master key': NO_CREDENTIAL,
} as const

type Row = Readonly<Record<Presented, string>>

/** A route that lets in a user of any credential. */
const USER: Row = {
  ...REFUSED,
  key: NO_USER,
  'key as Bearer': NO_USER,
  'key as ApiKey': NO_USER,
  'owned key': 'user_bob',
  'test key': NO_USER,
  'admin token': 'user_alice',
  'user token': 'user_bob',
  'client token': NO_USER,
  'admin session': 'user_alice',
  'user session': 'user_bob',
}

const KEY: Row = {
  ...REFUSED,
  key: 'key_1',
  'key as Bearer': 'key_1',
  'key as ApiKey': 'key_1',
  'owned key': 'key_2',
  'test key': 'key_3',
  'admin token': NO_CREDENTIAL,
  'user token': NO_CREDENTIAL,
  'client token': NO_CREDENTIAL,
  'wrong token': NO_CREDENTIAL,
  'opaque nonsense': WRONG_KEY,
  'other scheme': WRONG_KEY,
  'master as Bearer': WRONG_KEY,
  'admin session': NO_CREDENTIAL,
  'user session': NO_CREDENTIAL,
  'stale session': NO_CREDENTIAL,
  'wrong session': NO_CREDENTIAL,
  'two sessions': NO_CREDENTIAL,
}

const TOKEN: Row = {
  ...REFUSED,
  key: NO_CREDENTIAL,
  'key as Bearer': NO_CREDENTIAL,
  'key as ApiKey': NO_CREDENTIAL,
  'owned key': NO_CREDENTIAL,
  'test key': NO_CREDENTIAL,
  'expired key': NO_CREDENTIAL,
  'wrong key': NO_CREDENTIAL,
  'two keys': NO_CREDENTIAL,
  'admin token': 'jwt',
  'user token': 'jwt',
  'client token': 'jwt',
  'admin session': NO_CREDENTIAL,
  'user session': NO_CREDENTIAL,
  'stale session': NO_CREDENTIAL,
  'wrong session': NO_CREDENTIAL,
  'two sessions': NO_CREDENTIAL,
}

const ONLY_SESSION: Row = {
  ...(Object.fromEntries(Object.keys(PRESENT).map((name) => [name, NO_CREDENTIAL])) as Row),
  'admin session': 'sess_1',
  'user session': 'sess_1',
  'stale session': '401 session_expired',
  'wrong session': WRONG_SESSION,
  'two sessions': TWO,
}

const MASTER: Row = {
  ...(Object.fromEntries(Object.keys(PRESENT).map((name) => [name, NO_CREDENTIAL])) as Row),
  'key as Bearer': WRONG_MASTER,
  'key as ApiKey': WRONG_MASTER,
  'admin token': WRONG_MASTER,
  'user token': WRONG_MASTER,
  'client token': WRONG_MASTER,
  'wrong token': WRONG_MASTER,
  'opaque nonsense': WRONG_MASTER,
  'other scheme': WRONG_MASTER,
  'two tokens': TWO,
  'master key': 'master',
  'master as Bearer': 'master',
  'wrong master key': WRONG_MASTER,
}

/** Principals and whether each has a permission. */
function granting(allowed: Partial<Row>): Row {
  return {
    ...REFUSED,
    key: LACKS,
    'key as Bearer': LACKS,
    'key as ApiKey': LACKS,
    'owned key': LACKS,
    'test key': LACKS,
    'admin token': 'user_alice',
    'user token': LACKS,
    'client token': LACKS,
    'admin session': 'user_alice',
    'user session': LACKS,
    ...allowed,
  }
}

const VIEWS_USERS = { key: 'key_1', 'key as Bearer': 'key_1', 'key as ApiKey': 'key_1' } as const
const VIEWS_POSTS = { 'owned key': 'key_2', 'user token': 'user_bob', 'user session': 'user_bob' } as const
const NOT_ADMIN = { 'owned key': '403 role_required', 'user token': '403 role_required' } as const

const ROUTES: Readonly<Record<string, Row>> = {
  'GET /apiKey': KEY,
  'GET /apiKey/live': { ...KEY, 'test key': '403 environment_mismatch' },
  'GET /apiKey/users.view': { ...KEY, 'owned key': LACKS, 'test key': LACKS },
  'GET /bearerToken': TOKEN,
  'GET /session': ONLY_SESSION,
  'GET /currentUser': USER,
  'GET /currentUser/session': {
    ...USER,
    key: NO_CREDENTIAL,
    'key as Bearer': NO_CREDENTIAL,
    'key as ApiKey': NO_CREDENTIAL,
    'owned key': NO_CREDENTIAL,
    'test key': NO_CREDENTIAL,
    'admin token': NO_CREDENTIAL,
    'user token': NO_CREDENTIAL,
    'client token': NO_CREDENTIAL,
  },
  'GET /optionalUser': {
    ...USER,
    nothing: 'nobody',
    key: 'nobody',
    'key as Bearer': 'nobody',
    'key as ApiKey': 'nobody',
    'test key': 'nobody',
    'client token': 'nobody',
    'stale session': 'nobody',
    'wrong session': 'nobody',
    'two sessions': TWO,
    'master key': 'nobody',
    'wrong master key': 'nobody',
  },
  'GET /requireRole': { ...USER, ...NOT_ADMIN, 'user session': '403 role_required' },
  'GET /requireRole/any': { ...USER, 'admin token': '403 role_required', 'admin session': '403 role_required' },
  'GET /requirePermission': granting(VIEWS_USERS),
  'GET /requirePermission/all': granting({}),
  'GET /requirePermission/any': granting({ ...VIEWS_USERS, ...VIEWS_POSTS }),
  'GET /requireModule': granting(VIEWS_USERS),
  'POST /requireModule': granting({}),
  'GET /masterKey': MASTER,
}

const CHALLENGES: Readonly<Record<string, string | null>> = {
  credential_missing: 'Bearer realm="machine-auth", ApiKey realm="machine-auth"',
  request_malformed: 'Bearer realm="machine-auth", error="invalid_request"',
  user_required: null,
  environment_mismatch: null,
}

function challengeOf(code: string, required: unknown): string | null {
  const known = CHALLENGES[code]
  if (known !== undefined) return known
  if (!Array.isArray(required)) return 'Bearer realm="machine-auth", error="invalid_token"'
  return `Bearer realm="machine-auth", error="insufficient_scope", scope="${required.join(' ')}"`
}

describe.each([
  { name: 'known credentials', isSlow: false },
  { name: 'credentials that must be looked up', isSlow: true },
])('$name', ({ isSlow }) => {
  const app = createApp({ ...STANDARD, slow: isSlow })
  let origin = ''
  beforeAll(() => {
    app.listen({ port: 0, hostname: '127.0.0.1' })
    origin = `http://127.0.0.1:${app.server?.port}`
  })
  afterAll(() => app.stop(true))

  describe.each(Object.keys(ROUTES))('%s', (route) => {
    const [method = '', path = ''] = route.split(' ')
    const row = Object.entries(ROUTES[route] ?? {}) as [Presented, string][]

    test.each(row)('given %s answers %s', async (presented, expected) => {
      const answer = await ask(origin + path, { method, headers: PRESENT[presented] })
      expect(answer.headers.get('vary')).toBe(VARY)
      const [status = '', code] = expected.split(' ')
      if (code === undefined) {
        expect({ text: answer.text, status: answer.status }).toEqual({ text: expected, status: 200 })
        expect(answer.headers.get('x-request-id')).toMatch(/^[A-Za-z0-9._-]{8,128}$/)
        return
      }
      expectRefusal(answer, Number(status), code)
      expect(answer.headers.get('www-authenticate')).toBe(challengeOf(code, answer.problem.required))
    })
  })

  test('the table has a row for every guard', () => {
    const paths = app.routes.map(({ method, path }) => `${method} ${path}`)
    expect(paths.toSorted()).toEqual(Object.keys(ROUTES).toSorted())
  })

  test('fifty requests at once do not mix up their credentials', async () => {
    const wanted: readonly Presented[] = ['admin token', 'user session', 'wrong token', 'owned key', 'nothing']
    const asked = Array.from({ length: 50 }, (_, index) => wanted[index % wanted.length] ?? 'nothing')
    const answers = await Promise.all(asked.map((name) => ask(`${origin}/currentUser`, { headers: PRESENT[name] })))
    const given = answers.map((answer) => (answer.status === 200 ? answer.text : summary(answer)))
    expect(given).toEqual(asked.map((name) => USER[name]))
    expect(new Set(answers.map(({ headers }) => headers.get('x-request-id'))).size).toBe(50)
  })
})
