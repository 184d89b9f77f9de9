import { Database } from 'bun:sqlite'
import { describe, expect, test } from 'bun:test'
import { drizzle } from 'drizzle-orm/bun-sqlite'
import { formatDuration } from '../../src/lib/duration.ts'
import { resolveOptions } from '../../src/options/resolve.ts'
import type { MachineAuthOptions } from '../../src/options/types.ts'
import { MASTER_KEY, OTHER_SECRET, resolve, SECRET, temporaryDirectory } from './support.ts'

const MINUTE = 60_000
const DAY = 86_400_000

describe('defaults', () => {
  test('are those of the contract', () => {
    const resolved = resolve({ options: { secret: SECRET } })
    expect(resolved).toEqual({
      secrets: [SECRET],
      masterKeys: [],
      masterKeyAddresses: [],
      production: false,
      management: true,
      tokens: true,
      migrate: 'auto',
      permissions: [],
      users: {},
      bearer: undefined,
      claims: undefined,
      onDenied: undefined,
      database: 'sqlite:machine-auth.db',
      postgres: { poolSize: 10, timeout: 5000, prepare: true, ca: null },
      redis: null,
      cluster: {
        name: 'machine-auth',
        limits: 'shared',
        processes: null,
        withoutRedis: 'local',
        redisTimeout: 250,
        staleness: 5 * MINUTE,
      },
      prefix: '/auth',
      docs: { path: '/swagger' },
      apiKeys: {
        prefix: 'mac',
        headers: ['x-api-key'],
        schemes: ['bearer', 'apikey', 'machine_auth'],
        cacheTtl: MINUTE,
        cacheSize: 100_000,
        defaultPermissions: [],
        defaultRateLimit: { limit: 60, window: '1m' },
        expiryWarning: 7 * DAY,
        onExpiring: undefined,
        importKinds: [],
      },
      jwt: {
        algorithm: 'EdDSA',
        issuer: 'machine-auth',
        audience: 'machine-auth',
        accessTtl: 15 * MINUTE,
        refreshTtl: 30 * DAY,
        refreshReuseWindow: 10_000,
        clockTolerance: 30_000,
      },
      sessions: {
        cookie: 'session_id',
        ttl: 7 * DAY,
        idleTtl: null,
        sameSite: 'lax',
        secure: false,
        trustedOrigins: [],
      },
      roles: { admin: ['*'] },
      modules: {},
      trustProxy: false,
      rateLimit: {
        strategy: 'sliding-window',
        default: [],
        headers: 'both',
        login: { limit: 5, window: 15 * MINUTE },
        maxSubjects: 100_000,
      },
      abuse: { threshold: 100, window: 60 * MINUTE, blockFor: '24h', allow: [] },
      audit: { retention: null },
      usage: {
        flushInterval: 1000,
        batchSize: 200,
        durability: 'buffered',
        journal: null,
        retention: 90 * DAY,
        dailyRetention: 730 * DAY,
      },
      logging: { mode: 'off', retention: 30 * DAY, maxBody: 8192, redact: [], unsafeRaw: false, sink: undefined },
      metrics: { open: false },
      shutdown: { delay: 0, timeout: 3000 },
      protect: [],
      hideCredentials: false,
      warnings: [],
    })
  })

  test.each([
    ['production', true],
    ['staging', true],
    ['Production', true],
    ['development', false],
    ['test', false],
    ['', false],
  ])('NODE_ENV=%p: production is %p, and cookies are secure with it', (NODE_ENV, production) => {
    const { sessions, ...rest } = resolve({ options: { secret: SECRET }, env: { NODE_ENV } })
    expect(rest.production).toBe(production)
    expect(sessions.secure).toBe(production)
    expect(sessions.cookie).toBe(production ? '__Host-session_id' : 'session_id')
  })
})

describe('precedence', () => {
  const json = (options: unknown) => ({ 'machine-auth.config.json': JSON.stringify(options) })

  test('code over file over environment over default', () => {
    const env = { MACHINE_AUTH_PREFIX: '/env', MACHINE_AUTH_SECRET: SECRET }
    const files = json({ prefix: '/file' })
    expect(resolve({ options: { prefix: '/code' }, files, env }).prefix).toBe('/code')
    expect(resolve({ files, env }).prefix).toBe('/file')
    expect(resolve({ env }).prefix).toBe('/env')
    expect(resolve({ env: { ...env, MACHINE_AUTH_PREFIX: '' } }).prefix).toBe('/auth')
  })

  test('undefined in code is not given', () => {
    const options = { prefix: undefined, secret: undefined, jwt: { issuer: undefined } }
    const resolved = resolve({
      options,
      files: json({ jwt: { issuer: 'file' } }),
      env: { MACHINE_AUTH_SECRET: SECRET },
    })
    expect([resolved.prefix, resolved.secrets, resolved.jwt.issuer]).toEqual(['/auth', [SECRET], 'file'])
  })

  test('members of a group count one by one', () => {
    const { jwt } = resolve({
      options: { secret: SECRET, jwt: { accessTtl: '5m' } },
      files: json({ jwt: { issuer: 'file', accessTtl: '1h' } }),
    })
    expect(jwt).toMatchObject({ issuer: 'file', audience: 'file', accessTtl: 5 * MINUTE, refreshTtl: 30 * DAY })
  })

  test('lists and single roles are taken whole; given roles replace the default', () => {
    const { apiKeys, roles } = resolve({
      options: { secret: SECRET, apiKeys: { headers: ['x-a'] }, roles: { editor: ['posts.*'] } },
      files: json({ apiKeys: { headers: ['x-b', 'x-c'] }, roles: { editor: ['*'], viewer: ['posts.view'] } }),
    })
    expect(apiKeys.headers).toEqual(['x-a'])
    expect(roles).toEqual({ editor: ['posts.*'], viewer: ['posts.view'] })
  })

  test('false in code switches off what the environment gives', () => {
    const env = { MACHINE_AUTH_SECRET: SECRET, MACHINE_AUTH_TRUST_PROXY: '10.0.0.0/8' }
    expect(resolve({ options: { trustProxy: false }, env }).trustProxy).toBe(false)
    expect(resolve({ options: { trustProxy: { header: 'forwarded' } }, env }).trustProxy).toEqual({
      from: ['10.0.0.0/8'],
      header: 'forwarded',
    })
  })

  test('every variable of the contract is read', () => {
    const resolved = resolve({
      env: {
        NODE_ENV: 'production',
        MACHINE_AUTH_SECRET: `${SECRET}, ${OTHER_SECRET}`,
        MACHINE_AUTH_MASTER_KEY: MASTER_KEY,
        MACHINE_AUTH_DATABASE: 'postgres://app:pw@db/app',
        MACHINE_AUTH_REDIS: 'rediss://app:pw@cache:6380/1',
        MACHINE_AUTH_PREFIX: '/v1/auth',
        MACHINE_AUTH_TRUST_PROXY: '10.0.0.0/8, 2001:db8::/32',
        MACHINE_AUTH_LOGGING: 'redacted',
      },
    })
    expect(resolved).toMatchObject({
      secrets: [SECRET, OTHER_SECRET],
      masterKeys: [MASTER_KEY],
      database: 'postgres://app:pw@db/app',
      redis: 'rediss://app:pw@cache:6380/1',
      prefix: '/v1/auth',
      trustProxy: { from: ['10.0.0.0/8', '2001:db8::/32'], header: 'x-forwarded-for' },
      logging: { mode: 'redacted' },
      warnings: [],
    })
  })
})

describe('values are brought into one form', () => {
  test('names, addresses, origins, headers, schemes', () => {
    const resolved = resolve({
      options: {
        secret: [SECRET, OTHER_SECRET, SECRET],
        masterKey: MASTER_KEY,
        masterKeyAddresses: ['10.1.2.3/8', '::ffff:192.0.2.1'],
        permissions: ['posts:view', 'posts.view'],
        roles: { editor: ['posts:*', 'users.view'] },
        modules: { users: { label: 'Users', crud: ['view'], actions: { profile: ['get'] } } },
        apiKeys: { headers: ['X-Api-Key', 'x-api-key', 'X-Other'], schemes: ['APIKEY', 'ApiKey'], cacheTtl: '0s' },
        sessions: { trustedOrigins: ['https://App.Example'], idleTtl: 3600 },
        trustProxy: { from: ['10.1.2.3/8'], header: 'X-Real-IP' },
        protect: [{ path: '/api/*', require: { requirePermission: { any: ['posts:view'] }, requireRole: 'editor' } }],
      },
    })
    expect(resolved).toMatchObject({
      secrets: [SECRET, OTHER_SECRET],
      masterKeyAddresses: ['10.0.0.0/8', '192.0.2.1/32'],
      permissions: ['posts.view'],
      roles: { editor: ['posts.*', 'users.view'] },
      modules: { users: { label: 'Users', crud: ['view'], actions: { profile: ['get'] } } },
      apiKeys: { headers: ['x-api-key', 'x-other'], schemes: ['apikey'], cacheTtl: 0 },
      sessions: { trustedOrigins: ['https://app.example'], idleTtl: 3_600_000 },
      trustProxy: { from: ['10.0.0.0/8'], header: 'x-real-ip' },
      protect: [{ path: '/api/*', require: { requirePermission: { any: ['posts.view'] }, requireRole: 'editor' } }],
    })
  })

  test.each([
    [{ secure: true }, '__Host-session_id'],
    [{ secure: false }, 'session_id'],
    [{ secure: true, cookie: 'sid' }, '__Host-sid'],
    [{ secure: true, cookie: '__Host-sid' }, '__Host-sid'],
    [{ secure: true, cookie: '__Secure-sid' }, '__Secure-sid'],
    [{ secure: true, cookie: '__host-sid' }, '__host-sid'],
  ])('sessions %j have the cookie %s', (sessions, cookie) => {
    expect(resolve({ options: { secret: SECRET, sessions } }).sessions.cookie).toBe(cookie)
  })

  test('a prototype name finds nothing in the tables of names', () => {
    const { roles, modules } = resolve({ options: { secret: SECRET, modules: { users: { actions: {} } } } })
    expect(roles.constructor).toBeUndefined()
    expect(modules.constructor).toBeUndefined()
    expect(modules.users?.actions?.constructor).toBeUndefined()
  })
})

describe('the result', () => {
  function isDeepFrozen(value: unknown): boolean {
    if (typeof value !== 'object' || value === null) return true
    return Object.isFrozen(value) && Object.values(value).every(isDeepFrozen)
  }

  test('is frozen through and through, and shares nothing with what was given', () => {
    const load = () => null
    const given = {
      secret: [SECRET],
      users: { load },
      roles: { admin: ['*'] },
      modules: { users: { actions: { profile: ['get'] } } },
      jwt: { issuer: 'a' },
      protect: [{ path: '/api', require: { apiKey: true } }],
    }
    const before = structuredClone({ ...given, users: undefined })
    const resolved = resolve({ options: given })
    expect(isDeepFrozen(resolved)).toBe(true)
    expect(structuredClone({ ...given, users: undefined })).toEqual(before)
    given.jwt.issuer = 'b'
    given.roles.admin.push('x')
    expect([resolved.jwt.issuer, resolved.roles.admin]).toEqual(['a', ['*']])
    expect(resolved.users.load).toBe(load)
  })

  test('takes frozen options, and a module namespace', () => {
    const frozen = Object.freeze({ secret: SECRET, jwt: Object.freeze({ issuer: 'frozen' }) })
    expect(resolve({ options: frozen }).jwt.issuer).toBe('frozen')
    expect(resolve({ options: Object.assign(Object.create(null), frozen) }).jwt.issuer).toBe('frozen')
  })

  test("an app's own Drizzle database is passed on as it is, unfrozen", () => {
    using client = new Database(':memory:')
    const db = drizzle(client)
    const { database } = resolve({ options: { secret: SECRET, database: { db } } })
    expect(typeof database === 'object' && 'db' in database && Object.is(database.db, db)).toBe(true)
    expect([Object.isFrozen(db), Object.isFrozen(client)]).toEqual([false, false])
  })

  test('takes options typed with roles and users of the app', () => {
    const options: MachineAuthOptions<'admin' | 'editor', { id: string; plan: 'free' | 'paid' }> = {
      secret: SECRET,
      roles: { admin: ['*'], editor: ['posts.*'] },
      users: { load: async (id) => ({ id, plan: 'free' }) },
    }
    using directory = temporaryDirectory()
    const resolved = resolveOptions(options, { env: {}, cwd: directory.path })
    expect(Object.keys(resolved.roles)).toEqual(['admin', 'editor'])
  })
})

describe('warnings', () => {
  test.each<[string, object, string]>([
    ['a long access token', { jwt: { accessTtl: '25h' } }, 'jwt.accessTtl'],
    ['a long login', { jwt: { refreshTtl: '366d' } }, 'jwt.refreshTtl'],
    ['refresh shorter than access', { jwt: { refreshTtl: '5m' } }, 'nobody can refresh'],
    ['a lifetime of nothing', { sessions: { ttl: '0s' } }, 'sessions.ttl'],
    ['an idle limit without effect', { sessions: { idleTtl: '8d' } }, 'sessions.idleTtl'],
    ['a proxy range of everybody', { trustProxy: { from: ['::/0'] } }, 'trustProxy.from'],
    ['addresses of no master key', { masterKeyAddresses: ['::1'] }, 'masterKeyAddresses'],
  ])('%s', (_name, options, text) => {
    const { warnings } = resolve({ options: { secret: SECRET, ...options } })
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain(text)
  })

  test('limits themselves give none', () => {
    const jwt = { accessTtl: formatDuration(DAY), refreshTtl: '365d', clockTolerance: '60s', refreshReuseWindow: '0s' }
    expect(resolve({ options: { secret: SECRET, jwt } }).warnings).toEqual([])
  })

  test('cookies that are not secure in production', () => {
    const env = { NODE_ENV: 'production' }
    expect(resolve({ options: { secret: SECRET, sessions: { secure: false } }, env }).warnings).toEqual([
      expect.stringContaining('sessions.secure'),
    ])
  })

  test('a misspelled variable, but none that Kubernetes makes', () => {
    const env = { MACHINE_AUTH_SECRETS: SECRET, MACHINE_AUTH_PORT: 'tcp://10.0.0.1:80', MACHINE_AUTH_SERVICE_HOST: 'x' }
    const { warnings } = resolve({ options: { secret: SECRET }, env })
    expect(warnings).toEqual([expect.stringContaining('MACHINE_AUTH_SECRETS')])
    expect(warnings[0]).toContain('MACHINE_AUTH_SECRET?')
    expect(warnings[0]).not.toContain(SECRET)
  })
})
