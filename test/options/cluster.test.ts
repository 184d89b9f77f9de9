/** The options of PostgreSQL, Redis and several processes. */
import { describe, expect, test } from 'bun:test'
import { drizzle } from 'drizzle-orm/bun-sql'
import fc from 'fast-check'
import { isRedis, maskRedis } from '../../src/options/redis.ts'
import { failure, resolve, SECRET } from './support.ts'

const REDIS = 'redis://127.0.0.1:6379'
const POSTGRES = 'postgres://127.0.0.1/app'
const given = (options: object) => resolve({ options: { secret: SECRET, ...options } })

test('durations in ms, and the rest as it is given', () => {
  const resolved = given({
    database: POSTGRES,
    redis: REDIS,
    postgres: { poolSize: 1000, timeout: '5m', prepare: false, ca: '/etc/ssl/db.pem' },
    cluster: {
      name: 'Shop_2-eu',
      limits: 'shared',
      processes: 100_000,
      withoutRedis: 'refuse',
      redisTimeout: 30,
      staleness: '1h',
    },
  })
  expect(resolved).toMatchObject({
    redis: REDIS,
    postgres: { poolSize: 1000, timeout: 300_000, prepare: false, ca: '/etc/ssl/db.pem' },
    cluster: {
      name: 'Shop_2-eu',
      limits: 'shared',
      processes: 100_000,
      withoutRedis: 'refuse',
      redisTimeout: 30_000,
      staleness: 3_600_000,
    },
    warnings: [],
  })
})

test.each(['postgres', 'cluster'] as const)('%s: members that are not given are the defaults', (option) => {
  expect(given({ [option]: {} })[option]).toEqual(given({})[option])
  const { cluster, postgres } = given({ postgres: { timeout: 1 }, cluster: { staleness: 0 } })
  expect([postgres.timeout, postgres.poolSize, cluster.staleness, cluster.redisTimeout]).toEqual([1000, 10, 0, 250])
})

describe('isRedis', () => {
  test.each([
    'redis://127.0.0.1',
    'redis://127.0.0.1:6379',
    'redis://[::1]:6379/15',
    'redis://:password@host',
    'redis://user:p%40ss%2Fword@host:6380/',
    'rediss://user:password@host:6380/0',
  ])('takes %s', (url) => expect(isRedis(url)).toBe(true))

  test.each<[string, unknown]>([
    ['no text', 6379],
    ['an object', { url: REDIS }],
    ['nothing', ''],
    ['no host', 'redis://'],
    ['no host behind a password', 'redis://:password@'],
    ['no scheme', '127.0.0.1:6379'],
    ['no slashes', 'redis:127.0.0.1'],
    ['another scheme', 'http://127.0.0.1:6379'],
    ['a socket', 'redis+unix:///run/redis.sock'],
    ['several hosts', 'redis://a:6379,b:6379'],
    ['a port that is none', 'redis://host:99999'],
    ['port 0', 'redis://host:0'],
    ['a database that is no number', 'redis://host/main'],
    ['two databases', 'redis://host/0/1'],
    ['parameters', 'redis://host/0?timeout=1'],
    ['a fragment, as of a password with #', 'redis://:pass#word@host'],
    ['a space', 'redis://:pass word@host'],
    ['a line break at the end', 'redis://host\n'],
    ['a zero byte', 'redis://host/\0'],
    ['an escape that is none', 'redis://:100%@host'],
  ])('refuses %s', (_name, value) => expect(isRedis(value)).toBe(false))

  test('answers for whatever it is given, and what it takes is a URL', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'binary' }).map((rest) => `redis://${rest}`),
      fc.webUrl({ validSchemes: ['redis', 'rediss'], withQueryParameters: true, withFragments: true }),
    )
    fc.assert(
      fc.property(texts, (text) => {
        if (isRedis(text)) expect(new URL(text).protocol).toMatch(/^rediss?:$/)
      }),
    )
  })
})

test('a mask leaves nothing of what may be a password', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9]{12}$/), fc.constantFrom('redis://:', 'x:', '', ':', 'a@'), (secret, head) => {
      for (const tail of ['', '@host', '@host:6379/0', ':6379']) {
        expect(maskRedis(head + secret + tail)).not.toContain(secret)
      }
    }),
  )
  expect(maskRedis('redis://:hunter2@host')).toBe('redis:***')
})

describe('mistakes', () => {
  test.each<[object, string, string, string]>([
    [{ redis: 6379 }, 'redis', 'a number', "a URL such as 'redis://127.0.0.1:6379'"],
    [{ redis: '' }, 'redis', 'an empty text', "a URL such as 'redis://127.0.0.1:6379'"],
    [{ redis: null }, 'redis', 'null', "a URL such as 'redis://127.0.0.1:6379'"],
    [{ redis: { url: REDIS } }, 'redis', 'an object', "a URL such as 'redis://127.0.0.1:6379'"],
    [
      { redis: 'redis://:hunter2@cache?x' },
      'redis',
      '"redis:***", which has parameters, of which none is taken',
      "a URL such as 'redis://127.0.0.1:6379'",
    ],
    [{ redis: 'hunter2' }, 'redis', '"***"', "a URL such as 'redis://127.0.0.1:6379'"],
    [{ redis: [REDIS] }, 'redis', 'a list', "a URL such as 'redis://127.0.0.1:6379'"],
    [{ postgres: 'fast' }, 'postgres', 'a text', 'an object { poolSize, timeout, prepare, ca }'],
    [{ postgres: false }, 'postgres', 'a boolean', 'an object { poolSize'],
    [{ postgres: { poolSize: 0 } }, 'postgres.poolSize', '0', 'a whole number from 1 to 1000'],
    [{ postgres: { poolSize: 1001 } }, 'postgres.poolSize', '1001', 'a whole number from 1 to 1000'],
    [{ postgres: { poolSize: 2.5 } }, 'postgres.poolSize', '2.5', 'a whole number from 1 to 1000'],
    [{ postgres: { poolSize: '10' } }, 'postgres.poolSize', '"10"', 'a whole number from 1 to 1000'],
    [{ postgres: { timeout: '0s' } }, 'postgres.timeout', '"0s"', 'above zero'],
    [{ postgres: { timeout: 'soon' } }, 'postgres.timeout', '"soon"', 'above zero'],
    [{ postgres: { timeout: 301 } }, 'postgres.timeout', "'301s'", "at most '5m'"],
    [{ postgres: { prepare: 'no' } }, 'postgres.prepare', '"no"', 'true or false'],
    [{ postgres: { ca: '' } }, 'postgres.ca', 'an empty text', 'the path of a file with certificates'],
    [{ postgres: { pool: 5 } }, 'postgres.pool', 'a number', 'no option of that name'],
    [{ postgres: { poolsize: 5 } }, 'postgres.poolsize', 'a number', 'did you mean postgres.poolSize?'],
    [{ cluster: true }, 'cluster', 'a boolean', 'an object { name, limits, processes'],
    [{ cluster: { name: '' } }, 'cluster.name', 'an empty text', '1 to 64 letters, digits, - and _'],
    [{ cluster: { name: 'a:b' } }, 'cluster.name', '"a:b"', '1 to 64 letters, digits, - and _'],
    [{ cluster: { name: '{a}' } }, 'cluster.name', '"{a}"', '1 to 64 letters, digits, - and _'],
    [{ cluster: { limits: false } }, 'cluster.limits', 'false', "'shared' or 'local'"],
    [{ cluster: { processes: 0 } }, 'cluster.processes', '0', 'a whole number from 1 to 100000'],
    [{ cluster: { processes: 100_001 } }, 'cluster.processes', '100001', 'a whole number from 1 to 100000'],
    [{ cluster: { withoutRedis: 'allow' } }, 'cluster.withoutRedis', '"allow"', "'local' or 'refuse'"],
    [{ cluster: { redisTimeout: 0 } }, 'cluster.redisTimeout', '0', 'above zero'],
    [{ cluster: { redisTimeout: '31s' } }, 'cluster.redisTimeout', "'31s'", "at most '30s'"],
    [{ cluster: { staleness: -1 } }, 'cluster.staleness', '-1', "'15m'"],
    [{ cluster: { staleness: '61m' } }, 'cluster.staleness', "'61m'", "at most '1h'"],
    [{ cluster: { redisTimout: '1s' } }, 'cluster.redisTimout', 'a text', 'did you mean cluster.redisTimeout?'],
  ])('%j', (options, path, shown, accepted) => {
    const { mistakes, message } = failure({ options: { secret: SECRET, ...options } })
    expect(mistakes).toHaveLength(1)
    expect(mistakes[0]).toMatchObject({ path, given: shown, source: undefined })
    expect(mistakes[0]?.accepted).toContain(accepted)
    expect(message).toContain(`\n  ${path}: given ${shown}; accepted: `)
    expect(message).not.toContain('hunter2')
  })

  test('a name is at most 64 characters', () => {
    expect(given({ cluster: { name: 'a'.repeat(64) } }).cluster.name).toHaveLength(64)
    expect(failure({ options: { secret: SECRET, cluster: { name: 'a'.repeat(65) } } }).mistakes).toHaveLength(1)
  })

  test('all of them show at once, with the one of the environment named', () => {
    const { mistakes } = failure({
      options: { secret: SECRET, postgres: { poolSize: 0 }, cluster: { staleness: '2h' } },
      env: { MACHINE_AUTH_REDIS: 'cache' },
    })
    expect(mistakes.map(({ path, source }) => [path, source]).toSorted()).toEqual([
      ['cluster.staleness', undefined],
      ['postgres.poolSize', undefined],
      ['redis', 'MACHINE_AUTH_REDIS'],
    ])
  })
})

describe('a secret is required', () => {
  test.each<[string, object]>([
    ['with Redis', { redis: REDIS }],
    ['with PostgreSQL', { database: POSTGRES }],
  ])('%s, also in development', (why, options) => {
    const { mistakes } = failure({ options })
    expect(mistakes).toEqual([
      { path: 'secret', source: undefined, given: 'nothing', accepted: expect.stringContaining(`required ${why}`) },
    ])
  })

  test('and is enough', () => {
    expect(given({ redis: REDIS, database: POSTGRES })).toMatchObject({ secrets: [SECRET], warnings: [] })
  })
})

describe('warnings', () => {
  test.each<[string, object, readonly string[]]>([
    ['a number of processes that share nothing', { cluster: { processes: 3 } }, ['cluster.processes', 'without redis']],
    ['a policy for a Redis that is not used', { cluster: { withoutRedis: 'refuse' } }, ['cluster.withoutRedis']],
    [
      'a number of processes whose limits are their own',
      { redis: REDIS, cluster: { limits: 'local', processes: 3 } },
      ['cluster.processes', "cluster.limits 'local'"],
    ],
    [
      'keys that no other process knows',
      { redis: REDIS, database: 'sqlite::memory:' },
      ['a database in memory is not'],
    ],
    [
      'connections that nobody makes',
      { database: 'sqlite:app.db', postgres: { poolSize: 20 } },
      ['postgres.poolSize has no effect'],
    ],
    [
      'certificates that nobody asks for',
      { database: 'sqlite::memory:', postgres: { ca: 'ca.pem' } },
      ['postgres.ca has no effect'],
    ],
  ])('%s', (_name, options, texts) => {
    const { warnings } = given(options)
    expect(warnings).toHaveLength(1)
    for (const text of texts) expect(warnings[0]).toContain(text)
  })

  test('what concerns connections that an app makes itself is said to have no effect on them', () => {
    const postgres = { poolSize: 20, prepare: false }
    const { warnings } = given({ database: { db: drizzle.mock() }, postgres })
    expect(warnings).toEqual([expect.stringContaining('postgres.prepare has no effect')])
  })

  test.each<[string, object]>([
    ['Redis beside a file', { redis: REDIS, database: 'sqlite:app.db' }],
    ['limits of each process, also with Redis', { redis: REDIS, cluster: { limits: 'local' } }],
    ['a time that a store without Redis has as well', { cluster: { staleness: '0s', name: 'shop' } }],
    ['the file of a development machine beside settings of the others', { postgres: { poolSize: 20, prepare: false } }],
    ['PgBouncer', { database: POSTGRES, postgres: { prepare: false } }],
  ])('none of %s', (_name, options) => {
    expect(given(options).warnings).toEqual([])
  })
})
