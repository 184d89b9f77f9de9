/** What the document says of each guard, and that it is what the guard does. */
import { beforeAll, describe, expect, test } from 'bun:test'
import { type AnyElysia, Elysia } from 'elysia'
import type { OpenApiDocument } from '../../src/docs/openapi.ts'
import { authorizedResource } from '../../src/guards/authorized-resource.ts'
import { MASTER_KEY } from '../support/guarded-app.ts'
import { ALLOWED_KEY, createDocumented, createManagementGuards, fetchDocument, operationOf } from './openapi-support.ts'

const posts = authorizedResource('post', {
  load: ({ params }) => (params.id === '0' ? null : { authorId: 'user_alice' }),
  owner: (post) => post.authorId,
  roles: ['admin'],
  permission: 'posts.view',
})
const drafts = authorizedResource('blogDraft', { load: () => ({}), owner: () => 'user_alice' })

const app = new Elysia()
  .use(createDocumented())
  .use(createManagementGuards())
  .use(posts)
  .use(drafts)
  .get('/open', () => 'ok')
  .get('/public', () => 'ok', { public: true })
  .get('/key', () => 'ok', { apiKey: true })
  .get('/key-with', () => 'ok', { apiKey: { permissions: ['users.view', 'posts.view'], environment: 'live' } })
  .get('/token', () => 'ok', { bearerToken: true })
  .get('/session', () => 'ok', { session: true })
  .get('/user', () => 'ok', { currentUser: true })
  .get('/user-via', () => 'ok', { currentUser: { via: ['jwt', 'session'] } })
  .get('/optional', () => 'ok', { optionalUser: true })
  .get('/role', () => 'ok', { requireRole: 'admin' })
  .get('/roles', () => 'ok', { requireRole: ['admin', 'moderator'] })
  .get('/permission', () => 'ok', { requirePermission: 'users.view' })
  .get('/permissions', () => 'ok', { requirePermission: ['users.view', 'posts.view', 'users.create'] })
  .get('/any-permission', () => 'ok', { requirePermission: { any: ['users.view', 'users.create'] } })
  .get('/module', () => 'ok', { requireModule: 'users' })
  .get('/master', () => 'ok', { masterKey: true })
  .get('/management', () => 'ok', { management: 'users.view' })
  .get('/any', () => 'ok', { anyPrincipal: true })
  .get('/posts/:id', () => 'ok', { authorizedPost: true })
  .get('/drafts/:id', () => 'ok', { authorizedBlogDraft: true })
  .get('/key-and-token', () => 'ok', { apiKey: true, bearerToken: true })
  .get('/key-and-user', () => 'ok', { apiKey: true, currentUser: true })
  .get('/key-and-session-user', () => 'ok', { apiKey: true, currentUser: { via: ['session'] } })
  .get('/session-and-master', () => 'ok', { session: true, masterKey: true })
  .get('/role-and-permission', () => 'ok', { requireRole: 'admin', requirePermission: 'users.view' })
  .guard({ requireRole: 'user' }, (group) =>
    group.get('/two-roles', () => 'ok', { requireRole: ['admin', 'moderator'] }),
  )

const BEARER = { bearer: [] }
const KEY = { apiKey: [] }
const SESSION = { session: [] }
const MASTER = { masterKey: [] }
const ANY_USER = [BEARER, KEY, SESSION]

/** An API key may pass, which has a limit of its own, or the master key, at which few guesses are allowed. */
const COUNTED = ['200', '400', '401', '403', '429', '503']
const UNCOUNTED = ['200', '400', '401', '403', '503']

interface Row {
  readonly path: string
  readonly security: readonly object[]
  readonly text: string
  readonly statuses?: readonly string[]
  readonly permissions?: unknown
  readonly roles?: unknown
}

const ROWS: readonly Row[] = [
  { path: '/key', security: [KEY, BEARER], text: 'Requires an API key.' },
  {
    path: '/key-with',
    security: [KEY, BEARER],
    text: 'Requires an API key of environment `live` with permissions `users.view` and `posts.view`.',
    permissions: ['users.view', 'posts.view'],
  },
  { path: '/token', security: [BEARER], text: 'Requires a bearer token.', statuses: UNCOUNTED },
  { path: '/session', security: [SESSION], text: 'Requires a session.', statuses: UNCOUNTED },
  { path: '/user', security: ANY_USER, text: 'Requires a user.' },
  {
    path: '/user-via',
    security: [BEARER, SESSION],
    text: 'Requires a user, by bearer token or session.',
    statuses: UNCOUNTED,
  },
  { path: '/optional', security: [...ANY_USER, {}], text: 'Answers anonymous callers too.' },
  { path: '/role', security: ANY_USER, text: 'Requires role `admin`.', roles: ['admin'] },
  { path: '/roles', security: ANY_USER, text: 'Requires role `admin` or `moderator`.', roles: ['admin', 'moderator'] },
  {
    path: '/permission',
    security: ANY_USER,
    text: 'Requires permission `users.view`.',
    permissions: ['users.view'],
  },
  {
    path: '/permissions',
    security: ANY_USER,
    text: 'Requires permissions `users.view`, `posts.view` and `users.create`.',
    permissions: ['users.view', 'posts.view', 'users.create'],
  },
  {
    path: '/any-permission',
    security: ANY_USER,
    text: 'Requires permission `users.view` or `users.create`.',
    permissions: [{ any: ['users.view', 'users.create'] }],
  },
  {
    path: '/module',
    security: ANY_USER,
    text: 'Requires permission `users.view` (module `users`).',
    permissions: ['users.view'],
  },
  { path: '/master', security: [MASTER, BEARER], text: 'Requires the master key.' },
  {
    path: '/management',
    security: [...ANY_USER, MASTER],
    text: 'Requires permission `users.view` or the master key.',
    permissions: ['users.view'],
  },
  { path: '/any', security: ANY_USER, text: 'Requires any credential.' },
  {
    path: '/posts/{id}',
    security: ANY_USER,
    text: 'Requires the owner of the post or role `admin` or permission `posts.view`.',
    statuses: ['200', '400', '401', '403', '404', '429', '503'],
  },
  {
    path: '/drafts/{id}',
    security: ANY_USER,
    text: 'Requires the owner of the blogDraft.',
    statuses: ['200', '400', '401', '403', '404', '429', '503'],
  },
  { path: '/key-and-token', security: [{ ...BEARER, ...KEY }], text: 'Requires an API key. Requires a bearer token.' },
  { path: '/key-and-user', security: [KEY, BEARER], text: 'Requires an API key. Requires a user.' },
  {
    path: '/session-and-master',
    security: [
      { ...BEARER, ...SESSION },
      { ...SESSION, ...MASTER },
    ],
    text: 'Requires a session. Requires the master key.',
  },
  {
    path: '/role-and-permission',
    security: ANY_USER,
    text: 'Requires role `admin`. Requires permission `users.view`.',
    roles: ['admin'],
    permissions: ['users.view'],
  },
  {
    path: '/two-roles',
    security: ANY_USER,
    text: 'Requires role `admin` or `moderator`. Requires role `user`.',
    roles: [['admin', 'moderator'], ['user']],
  },
]

let document: OpenApiDocument
beforeAll(async () => {
  document = await fetchDocument(app)
})

describe('a guarded route', () => {
  test.each(ROWS)('$path says what its guards demand', ({ path, security, text, statuses, permissions, roles }) => {
    const operation = operationOf(document, 'get', path)
    expect(operation.security).toEqual(security as never)
    expect(operation.description).toBe(text)
    expect(Object.keys(operation.responses ?? {})).toEqual([...(statuses ?? COUNTED)])
    expect(operation['x-required-permissions']).toEqual(permissions as never)
    expect(operation['x-required-roles']).toEqual(roles as never)
  })

  test('refuses as problem+json with the codes of its status', () => {
    const { responses } = operationOf(document, 'get', '/role')
    expect(responses?.[401]?.content?.['application/problem+json']?.schema).toEqual({
      $ref: '#/components/schemas/Problem401',
    })
    expect(responses?.[401]?.headers?.['WWW-Authenticate']).toBeDefined()
    const codes = JSON.stringify(document.components.schemas.Problem403)
    expect(codes).toContain('"role_required"')
    expect(codes).not.toContain('"credential_missing"')
    expect(document.components.schemas.Problem).toMatchObject({
      required: ['type', 'title', 'status', 'code', 'detail', 'retryable'],
    })
  })

  test.each([
    ['/role', 'role_required'],
    ['/two-roles', 'role_required'],
    ['/permission', 'permission_required'],
    ['/any-permission', 'permission_required'],
    ['/module', 'permission_required'],
    ['/management', 'permission_required'],
    ['/key-with', 'permission_required'],
    ['/posts/{id}', 'not_owner'],
    ['/drafts/{id}', 'not_owner'],
    ['/user', 'user_required'],
    ['/user-via', 'user_required'],
    ['/key', 'ip_not_allowed'],
    ['/master', 'ip_not_allowed'],
    ['/session', 'organization_suspended'],
    ['/role-and-permission', 'role_required'],
    ['/key-and-user', 'user_required'],
  ])('%s has %p as its example of a 403', (path, code) => {
    const media = operationOf(document, 'get', path).responses?.[403]?.content?.['application/problem+json']
    expect(media?.example).toMatchObject({ status: 403, code })
  })

  test('whose guards contradict each other is not shown as open', () => {
    const { security } = operationOf(document, 'get', '/key-and-session-user')
    expect(security).toEqual([{ bearer: [], apiKey: [], session: [], masterKey: [] }])
  })
})

test('a route without guards says nothing, and a public one says that anybody may', () => {
  expect(operationOf(document, 'get', '/open').security).toBeUndefined()
  expect(Object.keys(operationOf(document, 'get', '/open').responses ?? {})).toEqual(['200'])
  expect(operationOf(document, 'get', '/public').security).toEqual([])
})

const HEADERS: Readonly<Record<string, readonly Record<string, string>[]>> = {
  bearer: ['a.alice.s', ALLOWED_KEY, MASTER_KEY].map((text) => ({ authorization: `Bearer ${text}` })),
  apiKey: [{ 'x-api-key': ALLOWED_KEY }],
  session: [{ cookie: 'session_id=alice' }],
  masterKey: [{ 'x-admin-key': MASTER_KEY }],
}
const SCHEMES = Object.keys(HEADERS)
const SUBSETS = Array.from({ length: 2 ** SCHEMES.length }, (_, bits) =>
  SCHEMES.filter((_, index) => bits & (1 << index)),
)

/** Whether a route lets in a request with one credential for each scheme, whatever the bearer credential is. */
async function admits(target: AnyElysia, path: string, schemes: readonly string[]): Promise<boolean> {
  const bearers = schemes.includes('bearer') ? (HEADERS.bearer ?? []) : [{}]
  const others = schemes.filter((scheme) => scheme !== 'bearer').flatMap((scheme) => HEADERS[scheme] ?? [])
  for (const bearer of bearers) {
    const headers = Object.assign({}, bearer, ...others)
    const response = await target.handle(new Request(`http://localhost${path.replace('{id}', '1')}`, { headers }))
    if (response.status === 200) return true
  }
  return false
}

describe('the alternatives are what the guards do', () => {
  // Alice has not both roles.
  const rows = ROWS.filter(({ path }) => path !== '/two-roles')
  test.each(rows)('$path lets in exactly who carries one of its alternatives', async ({ path }) => {
    const security = (operationOf(document, 'get', path).security ?? []).map((each) => Object.keys(each))
    for (const set of security) expect([set, await admits(app, path, set)]).toEqual([set, true])
    for (const schemes of SUBSETS) {
      if (!(await admits(app, path, schemes))) continue
      expect(security.some((set) => set.every((scheme) => schemes.includes(scheme)))).toBe(true)
    }
  })
})

describe('the security schemes', () => {
  test('are those of the credentials', () => {
    expect(document.components.securitySchemes).toMatchObject({
      bearer: { type: 'http', scheme: 'bearer' },
      apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
      session: { type: 'apiKey', in: 'cookie', name: 'session_id' },
      masterKey: { type: 'apiKey', in: 'header', name: 'X-Admin-Key' },
    })
  })

  test('say where an answer tells of the end of a key', async () => {
    const app = new Elysia().use(createDocumented({ tellsKeyExpiry: true })).get('/key', () => 'ok', { apiKey: true })
    const { apiKey } = (await fetchDocument(app)).components.securitySchemes
    expect(apiKey?.description).toContain('`X-API-Key-Expires`')
  })

  test('follow the settings', async () => {
    const settings = { masterKeyEnabled: false, keyHeaders: ['x-token', 'x-api-key'], cookieName: '__Host-session_id' }
    const other = new Elysia()
      .use(createDocumented({ ...settings, schemes: ['apikey'] }))
      .use(createManagementGuards())
      .get('/management', () => 'ok', { management: 'users.view' })
      .get('/key', () => 'ok', { apiKey: true })
    const { components, paths } = await fetchDocument(other)
    expect(Object.keys(components.securitySchemes)).toEqual(['bearer', 'apiKey', 'session'])
    expect(components.securitySchemes.apiKey?.name).toBe('X-Token')
    expect(components.securitySchemes.session?.name).toBe('__Host-session_id')
    expect(paths['/management']?.get?.security).toEqual(ANY_USER)
    expect(components.securitySchemes.apiKey?.description).toBe('An API key.')
    expect(paths['/management']?.get?.description).toBe('Requires permission `users.view`.')
    expect(paths['/key']?.get?.security).toEqual([KEY])
  })
})
