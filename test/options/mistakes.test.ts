import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { OptionsError } from '../../src/options/mistakes.ts'
import { failure, MASTER_KEY, OTHER_SECRET, resolve, SECRET } from './support.ts'

/** The mistakes of options that are otherwise right. */
function mistakes(options: object) {
  return failure({ options: { secret: SECRET, ...options } }).mistakes
}

describe('each mistake names its path, what was given and what is accepted', () => {
  test.each<[object, string, string, string]>([
    [{ prefix: 'auth' }, 'prefix', '"auth"', '/auth'],
    [{ prefix: '/auth/' }, 'prefix', '"/auth/"', 'slash at the end'],
    [{ prefix: '/' }, 'prefix', '"/"', '/auth'],
    [{ prefix: '' }, 'prefix', 'an empty text', '/auth'],
    [{ prefix: '/auth/*' }, 'prefix', '"/auth/*"', 'wildcard'],
    [{ prefix: '/:tenant/auth' }, 'prefix', '"/:tenant/auth"', '/auth'],
    [{ prefix: '/a/../b' }, 'prefix', '"/a/../b"', '/auth'],
    [{ prefix: null }, 'prefix', 'null', '/auth'],
    [{ docs: true }, 'docs', 'a boolean', 'false or an object { path }'],
    [{ docs: { path: 'docs' } }, 'docs.path', '"docs"', '/auth'],
    [{ docs: { pth: '/x' } }, 'docs.pth', 'a text', 'did you mean docs.path?'],
    [{ migrate: 'yes' }, 'migrate', '"yes"', "'auto' or 'check'"],
    [{ management: true }, 'management', 'a boolean', 'false or {}'],
    [{ tokens: { a: 1 } }, 'tokens.a', 'a number', 'no option of that name'],
    [{ masterKeyAddresses: ['10.0.0.0/33'] }, 'masterKeyAddresses[0]', '"10.0.0.0/33"', '10.0.0.0/8'],
    [{ masterKeyAddresses: '10.0.0.0/8' }, 'masterKeyAddresses', '"10.0.0.0/8"', 'a list'],
    [{ users: { load: 'x' } }, 'users.load', '"x"', 'a function'],
    [{ bearer: {} }, 'bearer.verify', 'nothing', 'a function'],
    [{ claims: {} }, 'claims', 'an object', 'a function'],
    [{ onDenied: 1 }, 'onDenied', '1', 'a function'],
    [{ permissions: ['Users.View'] }, 'permissions[0]', '"Users.View"', 'users.view'],
    [{ permissions: ['users.*'] }, 'permissions[0]', '"users.*"', 'users.view'],
    [{ apiKeys: { prefix: 'My_' } }, 'apiKeys.prefix', '"My_"', '2 to 16'],
    [{ apiKeys: { prefix: 'a' } }, 'apiKeys.prefix', '"a"', '2 to 16'],
    [{ apiKeys: { prefix: 'a2345678901234567' } }, 'apiKeys.prefix', '"a2345678901234567"', '2 to 16'],
    [{ apiKeys: { headers: ['x y'] } }, 'apiKeys.headers[0]', '"x y"', 'header name'],
    [{ apiKeys: { headers: ['x-ok', 'Authorization'] } }, 'apiKeys.headers[1]', '"Authorization"', 'free'],
    [{ apiKeys: { headers: ['Cookie'] } }, 'apiKeys.headers[0]', '"Cookie"', 'free'],
    [
      { apiKeys: { headers: [], schemes: [] } },
      'apiKeys.headers',
      'an empty list, as is apiKeys.schemes',
      'at least one',
    ],
    [{ apiKeys: { schemes: ['Api Key'] } }, 'apiKeys.schemes[0]', '"Api Key"', 'scheme'],
    [{ apiKeys: { schemes: ['basic'] } }, 'apiKeys.schemes[0]', '"basic"', 'other than Basic'],
    [{ apiKeys: { cacheTtl: 'soon' } }, 'apiKeys.cacheTtl', '"soon"', "'15m'"],
    [{ apiKeys: { cacheSize: 0 } }, 'apiKeys.cacheSize', '0', 'from 1'],
    [{ apiKeys: { cacheSize: 1.5 } }, 'apiKeys.cacheSize', '1.5', 'whole number'],
    [{ apiKeys: { defaultRateLimit: { limit: 5 } } }, 'apiKeys.defaultRateLimit.window', 'nothing', "'1m'"],
    [{ apiKeys: { defaultRateLimit: { limit: 0, window: '1m' } } }, 'apiKeys.defaultRateLimit.limit', '0', 'from 1'],
    [{ apiKeys: { defaultRateLimit: { limit: 1, window: '0s' } } }, 'apiKeys.defaultRateLimit.window', '"0s"', 'zero'],
    [{ jwt: 'EdDSA' }, 'jwt', 'a text', 'an object { algorithm'],
    [{ jwt: { algorithm: 'none' } }, 'jwt.algorithm', '"none"', "'EdDSA' or 'ES256' or 'HS256'"],
    [{ jwt: { issuer: '' } }, 'jwt.issuer', 'an empty text', '1 to 256'],
    [{ jwt: { accessTtl: '15 minits' } }, 'jwt.accessTtl', '"15 minits"', "'15m'"],
    [{ jwt: { accessTtl: -1 } }, 'jwt.accessTtl', '-1', "'15m'"],
    [{ jwt: { accessTtl: Number.NaN } }, 'jwt.accessTtl', 'NaN', "'15m'"],
    [{ jwt: { accessTtl: '101 years' } }, 'jwt.accessTtl', '"101 years"', '100 years'],
    [{ jwt: { clockTolerance: '61s' } }, 'jwt.clockTolerance', "'61s'", "at most '60s'"],
    [{ jwt: { acessTtl: '5m' } }, 'jwt.acessTtl', 'a text', 'did you mean jwt.accessTtl?'],
    [{ sessions: { cookie: 'a;b' } }, 'sessions.cookie', '"a;b"', 'cookie name'],
    [{ sessions: { cookie: '__Host-a', secure: false } }, 'sessions.cookie', '"__Host-a"', 'secure: true'],
    [{ sessions: { sameSite: 'None' } }, 'sessions.sameSite', '"None"', "'none'"],
    [{ sessions: { sameSite: 'none' } }, 'sessions.sameSite', "'none' without secure", 'secure: true'],
    [{ sessions: { secure: 'yes' } }, 'sessions.secure', '"yes"', 'true or false'],
    [{ sessions: { trustedOrigins: ['*'] } }, 'sessions.trustedOrigins[0]', '"*"', 'https://app.example'],
    [
      { sessions: { trustedOrigins: ['https://a.example/'] } },
      'sessions.trustedOrigins[0]',
      '"https://a.example/"',
      'slash',
    ],
    [{ sessions: { trustedOrigins: ['null'] } }, 'sessions.trustedOrigins[0]', '"null"', 'origin'],
    [{ roles: ['admin'] }, 'roles', 'a list', 'an object of roles'],
    [{ roles: { Admin: ['*'] } }, 'roles.Admin', 'a list', 'lower-case'],
    [{ roles: { 'a b': ['*'] } }, 'roles["a b"]', 'a list', 'lower-case'],
    [{ roles: { 'org:admin': ['*'] } }, 'roles["org:admin"]', 'a list', 'lower-case'],
    [{ roles: { constructor: ['*'] } }, 'roles.constructor', 'a list', 'lower-case'],
    [{ roles: { admin: '*' } }, 'roles.admin', 'a text', 'a list of permissions'],
    [{ roles: { a: { permissions: ['x.y'], inherit: ['b'] } } }, 'roles.a.inherit', 'a list', 'did you mean'],
    [{ roles: { a: { inherits: ['b'] } } }, 'roles.a.permissions', 'nothing', 'a list of permissions'],
    [{ roles: { a: { permissions: [], inherits: ['b'] } } }, 'roles.a.inherits[0]', '"b"', 'another role'],
    [{ roles: { a: { permissions: [], inherits: ['a'] } } }, 'roles.a.inherits[0]', '"a"', 'does not inherit'],
    [{ roles: { admin: ['*.view'] } }, 'roles.admin[0]', '"*.view"', "'users.*'"],
    [{ modules: { users: { crud: ['read'] } } }, 'modules.users.crud[0]', '"read"', "'view'"],
    [{ modules: { users: { actions: { profile: [] } } } }, 'modules.users.actions.profile', 'an empty list', "'get'"],
    [{ modules: { users: { actions: { profile: ['GET'] } } } }, 'modules.users.actions.profile[0]', '"GET"', "'get'"],
    [
      { modules: { users: { actions: { 'a.b': ['get'] } } } },
      'modules.users.actions["a.b"]',
      'a list',
      'an action name',
    ],
    [{ modules: { users: { acts: {} } } }, 'modules.users.acts', 'an object', 'no option of that name'],
    [{ modules: { Users: {} } }, 'modules.Users', 'an object', 'a module name'],
    [{ trustProxy: true }, 'trustProxy', 'a boolean', 'false or an object'],
    [{ trustProxy: { from: [] } }, 'trustProxy.from', 'an empty list', 'at least one'],
    [{ trustProxy: { header: 'forwarded' } }, 'trustProxy.from', 'nothing', 'at least one'],
    [{ trustProxy: { from: ['all'] } }, 'trustProxy.from[0]', '"all"', '10.0.0.0/8'],
    [{ trustProxy: { from: ['::1'], header: 'a, b' } }, 'trustProxy.header', '"a, b"', 'one header name'],
    [{ trustProxy: { from: ['::1'], header: 'Cookie' } }, 'trustProxy.header', '"Cookie"', 'one header name'],
    [{ protect: [{ path: 'api', require: { apiKey: true } }] }, 'protect[0].path', '"api"', '/api/*'],
    [
      { protect: [{ path: '/a/*/b', require: { apiKey: true } }] },
      'protect[0].path',
      '"/a/*/b"',
      'without other wildcards',
    ],
    [{ protect: [{ path: '/api' }] }, 'protect[0].require', 'nothing', 'at least one of apiKey'],
    [{ protect: [{ path: '/api', require: {} }] }, 'protect[0].require', 'an object', 'at least one of apiKey'],
    [{ protect: [{ path: '/api', require: { apiKey: false } }] }, 'protect[0].require.apiKey', 'false', 'true'],
    [
      { protect: [{ path: '/api', require: { apikey: true } }] },
      'protect[0].require.apikey',
      'a boolean',
      'require.apiKey?',
    ],
    [
      { protect: [{ path: '/api', require: { requireRole: [] } }] },
      'protect[0].require.requireRole',
      'an empty list',
      'a role name',
    ],
    [
      { protect: [{ path: '/api', require: { requirePermission: { any: [] } } }] },
      'protect[0].require.requirePermission',
      'an object',
      '{ any: [...] }',
    ],
    [
      { protect: [{ path: '/api', require: { requirePermission: 'users.*' } }] },
      'protect[0].require.requirePermission',
      '"users.*"',
      'a permission name',
    ],
    [{ database: 'machine-auth.db' }, 'database', '"machine-auth.db"', "'sqlite:FILE'"],
    [{ database: 'sqlite:' }, 'database', '"sqlite:***", which names no file', "'sqlite:FILE'"],
    [
      { database: 'sqlite:a.db?mode=ro' },
      'database',
      '"sqlite:***", which has characters that no database file should have',
      "'sqlite:FILE'",
    ],
    [{ database: 'sqlite://host/a.db' }, 'database', '"sqlite:***", which is a URL with a host', "'sqlite:FILE'"],
    [{ database: 'postgres:///app' }, 'database', '"postgres:***", which names no host', "'postgres://...'"],
    [{ database: { db: {} } }, 'database', 'an object', 'Drizzle'],
    [{ database: 5 }, 'database', 'a number', "'sqlite:FILE'"],
  ])('%j', (options, path, given, accepted) => {
    const found = mistakes(options)
    expect(found).toHaveLength(1)
    expect(found[0]).toMatchObject({ path, given, source: undefined })
    expect(found[0]?.accepted).toContain(accepted)
  })
})

test('users whom the app finds but cannot verify are a mistake among the others', () => {
  const users = { findByEmail: () => null }
  expect(mistakes({ prefix: 'auth', users }).map(({ path }) => path)).toEqual(['prefix', 'users.verifyPassword'])
  expect(mistakes({ users: { ...users, verifyPassword: 'yes' } })).toHaveLength(1)
  expect(mistakes({ prefix: 'auth', users: { ...users, verifyPassword: () => false } })).toHaveLength(1)
  expect(mistakes({ prefix: 'auth', users: { verifyPassword: () => false } })).toHaveLength(1)
})

test('each bad name of a table is reported', () => {
  const found = mistakes({
    roles: { 'a b': [], C: [], '': [] },
    modules: { X: {}, y: { actions: { 'p.q': ['get'] } } },
  })
  expect(found.map(({ path }) => path)).toEqual([
    'roles["a b"]',
    'roles.C',
    'roles[""]',
    'modules.y.actions["p.q"]',
    'modules.X',
  ])
})

describe('unknown options', () => {
  test.each<[string, unknown, string]>([
    ['sesions', {}, 'did you mean sessions?'],
    ['Secret', SECRET, 'did you mean secret?'],
    ['api_keys', {}, 'did you mean apiKeys?'],
    ['accessTtl', '5m', 'did you mean jwt.accessTtl?'],
    ['trustedOrigins', [], 'did you mean sessions.trustedOrigins?'],
    ['flushInterval', '5s', 'did you mean usage.flushInterval?'],
    ['unsafeRaw', true, 'did you mean logging.unsafeRaw?'],
    ['loging', {}, 'did you mean logging?'],
    ['colour', 'red', 'no option of that name'],
    ['poolSize', 5, 'did you mean postgres.poolSize?'],
    ['withoutRedis', 'refuse', 'did you mean cluster.withoutRedis?'],
  ])('%s is refused', (name, value, accepted) => {
    const found = mistakes({ [name]: value })
    expect(found).toHaveLength(1)
    expect(found[0]?.path).toBe(name)
    expect(found[0]?.accepted).toEndWith(accepted)
  })

  test.each([[null], [[]], ['text'], [5], [() => ({})]])('options that are no object: %p', (options) => {
    expect(failure({ options }).mistakes[0]).toMatchObject({ path: 'options', accepted: 'an object of options' })
  })
})

describe('all at once', () => {
  const options = {
    prefix: 'auth',
    jwt: { accessTtl: 'soon', clockTolerance: '2m', isuer: 'x' },
    apiKeys: { headers: ['a b', 'c d'] },
    protect: [
      { path: 'x', require: {} },
      { path: '/y', require: { aplKey: true } },
    ],
    masterKey: 'short',
  }
  const error = failure({ options, env: { NODE_ENV: 'production', MACHINE_AUTH_DATABASE: 'mysql://u:hunter2@h/d' } })

  test('every mistake has one line, and nothing else has', () => {
    expect(error).toBeInstanceOf(TypeError)
    expect(error).toBeInstanceOf(OptionsError)
    expect(error.name).toBe('OptionsError')
    expect(error.mistakes.map(({ path }) => path).sort()).toEqual([
      'apiKeys.headers[0]',
      'apiKeys.headers[1]',
      'database',
      'jwt.accessTtl',
      'jwt.clockTolerance',
      'jwt.isuer',
      'masterKey',
      'prefix',
      'protect[0].path',
      'protect[0].require',
      'protect[1].require.aplKey',
      'secret',
    ])
    const lines = error.message.split('\n')
    expect(lines).toHaveLength(error.mistakes.length + 1)
    for (const line of lines.slice(1)) expect(line).toMatch(/^ {2}\S.*: given .+; accepted: .+$/)
  })

  test('a mistake from the environment or a file says so', () => {
    expect(error.message).toContain('database (MACHINE_AUTH_DATABASE): given "mysql:***"')
    const files = { 'machine-auth.config.json': JSON.stringify({ jwt: { issuer: 5, accessTtl: 'x' }, prefix: 7 }) }
    const mixed = failure({ options: { secret: SECRET, jwt: { accessTtl: 'y' } }, files })
    expect(mixed.mistakes.map(({ path, source }) => [path, source])).toEqual([
      ['prefix', 'machine-auth.config.json'],
      ['jwt.issuer', 'machine-auth.config.json'],
      ['jwt.accessTtl', undefined],
    ])
  })
})

describe('secrets never show', () => {
  const LEAK = 'hunter2'

  test.each<[string, object]>([
    ['a short secret', { secret: LEAK }],
    ['a secret of the wrong kind', { secret: { value: LEAK } }],
    ['a list of secrets', { secret: [SECRET, LEAK] }],
    ['a list with something else', { secret: [LEAK, 5] }],
    ['a master key', { masterKey: LEAK }],
    ['a master key equal to the secret', { masterKey: SECRET }],
    ['a database password', { database: `mysql://user:${LEAK}@host/db` }],
    ['a database password without a scheme', { database: `user:${LEAK}@host` }],
    ['a database password in a query', { database: `host?password=${LEAK}` }],
    ['a postgres URL that does not parse', { database: `postgres://user:${LEAK}@[/db` }],
    ['a misspelled secret', { secrett: LEAK }],
    ['a secret in the wrong group', { jwt: { secret: LEAK } }],
    ['a secret in place of a group', { jwt: LEAK }],
    ['a secret in place of a union', { docs: LEAK }],
    ['a misspelled URL', { reddis: `redis://:${LEAK}@host` }],
    ['a Redis password', { redis: `redis://:${LEAK}@host/x` }],
    ['a Redis password alone', { redis: LEAK }],
    ['a Redis URL as an object', { redis: { url: `redis://:${LEAK}@host` } }],
    ['a Redis URL in a group', { cluster: { redis: `redis://:${LEAK}@host` } }],
    ['userinfo in an origin', { sessions: { trustedOrigins: [`https://u:${LEAK}@host`] } }],
  ])('%s', (_name, options) => {
    const error = failure({ options: { secret: SECRET, ...options } })
    const shown = `${error.message}\n${JSON.stringify(error.mistakes)}\n${Bun.inspect(error)}`.split('\n')
    // Bun.inspect shows the source line that threw, which is not ours to mask.
    expect(shown.filter((line) => !/^\s*\d+ \|/.test(line)).join('\n')).not.toMatch(new RegExp(`${LEAK}|${SECRET}`))
  })

  test('a long value is cut, control characters are escaped', () => {
    const [mistake] = mistakes({ prefix: `x\n\u001b[31m${'y'.repeat(5000)}` })
    expect(mistake?.given.length).toBeLessThan(120)
    expect(mistake?.given).not.toContain('\n')
    expect(mistake?.given).not.toContain('\u001b')
  })
})

describe('hostile and strange input', () => {
  test('__proto__ in JSON pollutes nothing', () => {
    const files = {
      'machine-auth.config.json': `{"__proto__":{"isAdmin":true,"prefix":"/evil"},"jwt":{"__proto__":{"issuer":"evil"}},
        "roles":{"editor":["a.b"],"__proto__":["*"]}}`,
    }
    const resolved = resolve({ options: { secret: SECRET }, files })
    expect(({} as Record<string, unknown>).isAdmin).toBeUndefined()
    expect([resolved.prefix, resolved.jwt.issuer]).toEqual(['/auth', 'machine-auth'])
    expect(Object.keys(resolved.roles)).toEqual(['editor'])
  })

  test('a cycle is a mistake, not a stack overflow', () => {
    const cycle: Record<string, unknown> = { secret: SECRET }
    cycle.jwt = cycle
    expect(failure({ options: cycle }).mistakes.length).toBeGreaterThan(0)
  })

  test('whatever is given is resolved or refused with an OptionsError', () => {
    const names = fc.constantFrom(
      'jwt',
      'roles',
      'docs',
      'protect',
      'database',
      'secret',
      'users',
      'apiKeys',
      'usage',
      'logging',
      'redis',
      'postgres',
      'cluster',
      'zzz',
    )
    const options = fc.dictionary(names, fc.jsonValue({ maxDepth: 3 }))
    fc.assert(
      fc.property(options, (given) => {
        try {
          // In memory, so that no secret file is made.
          resolve({ options: { database: 'sqlite::memory:', ...given } })
        } catch (error) {
          expect(error).toBeInstanceOf(OptionsError)
        }
      }),
    )
  })
})

test('the error lists are frozen', () => {
  const error = failure({ options: { secret: [SECRET, OTHER_SECRET], masterKey: MASTER_KEY, prefix: 5 } })
  expect(Object.isFrozen(error.mistakes)).toBe(true)
})
