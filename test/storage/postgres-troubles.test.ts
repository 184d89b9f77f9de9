/** Whoever runs the app is told in one line which database cannot be used, why, and which option says so. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CHECKS } from '../../src/cli/doctor/checks.ts'
import { inspectDatabase } from '../../src/cli/doctor/database.ts'
import type { Facts } from '../../src/cli/doctor/facts.ts'
import { describeFailure } from '../../src/cli/errors.ts'
import { MachineAuthError } from '../../src/errors.ts'
import { DatabaseTimeoutError } from '../../src/storage/drizzle/failures.ts'
import { createOutageTeller } from '../../src/storage/drizzle/postgres-outage.ts'
import { type PostgresTrouble, placeOf, reasonOf, troubleOf } from '../../src/storage/drizzle/postgres-troubles.ts'
import { openStorage } from '../../src/storage/open.ts'
import { resolve, SECRET } from '../options/support.ts'
import { createDatabaseDirectory, removeDirectory } from '../support/directories.ts'
import { freePort } from '../support/servers/free-port.ts'
import { isPgBouncerInstalled, startPgBouncer } from '../support/servers/pgbouncer.ts'
import { isPostgresInstalled, startPostgres } from '../support/servers/postgres.ts'
import { askPostgres } from '../support/servers/postgres-process.ts'
import type { PrivateServer } from '../support/servers/private-server.ts'
import { until } from '../support/until.ts'

const required = process.env.REQUIRE_SERVICES === '1'
const coded = (code: string, errno?: string) => Object.assign(new Error('any'), { code, errno })
const ofServer = (state: string) => coded('ERR_POSTGRES_SERVER_ERROR', state)

describe('the trouble', () => {
  test.each<[PostgresTrouble | null, unknown]>([
    ['refused', coded('ERR_POSTGRES_CONNECTION_REFUSED')],
    ['refused', coded('ECONNREFUSED')],
    ['silent', coded('ERR_POSTGRES_CONNECTION_TIMEOUT')],
    ['silent', new DatabaseTimeoutError('late')],
    ['lost', coded('ERR_POSTGRES_CONNECTION_CLOSED')],
    ['unknown_host', coded('ENOTFOUND')],
    ['stopping', ofServer('57P03')],
    ['full', ofServer('53300')],
    ['password', ofServer('28P01')],
    ['user', ofServer('28000')],
    ['no_database', ofServer('3D000')],
    ['right', ofServer('42501')],
    ['no_tls', coded('ERR_POSTGRES_TLS_NOT_AVAILABLE')],
    ['certificate', coded('SELF_SIGNED_CERT_IN_CHAIN')],
    ['misnamed', coded('ERR_TLS_CERT_ALTNAME_INVALID')],
    ['ca', coded('ERR_BORINGSSL')],
    ['prepared', ofServer('26000')],
    ['prepared', new Error('in our words', { cause: ofServer('42P05') })],
    ['lost', new MachineAuthError('storage_unavailable', { cause: coded('ERR_POSTGRES_IDLE_TIMEOUT') })],
    [null, ofServer('23505')],
    [null, new Error('made by a newer version')],
    [null, 'text'],
  ])('%s', (trouble, error) => expect(troubleOf(error)).toBe(trouble))

  test.each([
    ['postgres://user:hunter2@db/app?password=hunter2', 'postgres://db:5432/app'],
    ['postgresql://hunter2@[::1]:1/', 'postgresql://[::1]:1'],
  ])('of %s is told with the place only', (url, place) => expect(placeOf(url)).toBe(place))
})

describe('PostgreSQL', () => {
  if (!(isPostgresInstalled && isPgBouncerInstalled) && !required) {
    test.skip('or PgBouncer is not installed (REQUIRE_SERVICES=1 makes this a failure)', () => undefined)
    return
  }

  let server: PrivateServer
  let pooler: PrivateServer
  let closedPort: number
  const directory = createDatabaseDirectory('machine-auth-troubles')
  const noCertificate = join(directory, 'ca.pem')
  beforeAll(async () => {
    writeFileSync(noCertificate, 'no certificate')
    server = await startPostgres()
    pooler = await startPgBouncer(server)
    closedPort = await freePort()
    await askPostgres(server.url, "create role bob login password 'sesame'")
    const [row] = await askPostgres(server.url, 'show hba_file')
    const lines = ['host all bob 127.0.0.1/32 scram-sha-256', 'host all postgres 127.0.0.1/32 trust', '']
    writeFileSync(String(Object.values(Object(row))[0]), lines.join('\n'))
    await askPostgres(server.url, 'select pg_reload_conf()')
    const storage = openStorage(server.url, { migrate: 'auto' })
    await storage.ready
    await storage.storage.close()
  }, 60_000)
  afterAll(async () => {
    await pooler.stop()
    await server.stop()
    removeDirectory(directory)
  })

  const at = (user: string, rest = '/postgres') => `postgres://${user}@127.0.0.1:${server.port}${rest}`

  interface Case {
    readonly name: string
    readonly url: () => string
    readonly settings?: () => { readonly ca?: string; readonly prepare?: boolean }
    readonly code: string
    /** What the line says behind the place. */
    readonly said: string
    /** What doctor advises. */
    readonly advice: RegExp
  }
  const CASES: readonly Case[] = [
    {
      name: 'at a closed port',
      url: () => `postgres://bob:hunter2@127.0.0.1:${closedPort}/postgres`,
      code: 'storage_unavailable',
      said: 'cannot be reached: connection refused; see the option database (MACHINE_AUTH_DATABASE)',
      advice: /see that it runs, listens there/,
    },
    {
      name: 'at an unknown host',
      url: () => 'postgres://bob:hunter2@nowhere.invalid/postgres',
      code: 'storage_unavailable',
      said: 'cannot be reached: no host has this name; see the option database (MACHINE_AUTH_DATABASE)',
      advice: /see the host .*DNS/,
    },
    {
      name: 'with a wrong password',
      url: () => at('bob:hunter2'),
      code: 'internal_error',
      said: 'cannot be entered: the password of the user is missing or refused; see the option database',
      advice: /see the password/,
    },
    {
      name: 'with a user that may not come',
      url: () => at('carol:hunter2'),
      code: 'internal_error',
      said: 'cannot be entered: the user is unknown, or pg_hba.conf does not let it in from here; see the option',
      advice: /see the user .* pg_hba.conf/,
    },
    {
      name: 'without this database',
      url: () => at('bob:sesame', '/nonesuch'),
      code: 'internal_error',
      said: 'cannot be entered: there is no database of this name; see the option database',
      advice: /createdb/,
    },
    {
      name: 'with a right that is missing',
      url: () => at('bob:sesame'),
      code: 'internal_error',
      said: 'cannot be used: the user lacks a right (permission denied); see the option database',
      advice: /GRANT/,
    },
    {
      name: 'without TLS',
      url: () => at('bob:sesame', '/postgres?sslmode=require'),
      code: 'internal_error',
      said: 'cannot be entered: sslmode or postgres.ca demands TLS, which the server does not offer; see the option database',
      advice: /ssl = on/,
    },
    {
      name: 'with certificates that are none',
      url: () => at('bob:sesame', '/postgres?sslmode=verify-full'),
      settings: () => ({ ca: noCertificate }),
      code: 'internal_error',
      said: 'cannot be reached: the file of postgres.ca is missing, or holds no certificate in PEM; see the option postgres.ca',
      advice: /give postgres.ca a readable PEM file/,
    },
  ]

  const settingsOf = ({ settings }: Case) => ({ poolSize: 2, prepare: true, ca: null, timeout: 5000, ...settings?.() })

  test.each(CASES)(
    '$name: the start says so in one line, and clients hear of no host',
    async (given) => {
      const { storage, ready } = openStorage(given.url(), { migrate: 'check', postgres: settingsOf(given) })
      const error = await ready.catch((reason: unknown) => reason)
      await storage.close()
      if (!(error instanceof MachineAuthError)) throw error
      expect(error.code as string).toBe(given.code)
      expect(error.message).toStartWith(`machine-auth: the database (${placeOf(given.url())}) ${given.said}`)
      expect(error.message).not.toContain('\n')
      // What a command prints.
      expect(`machine-auth: ${describeFailure(error).lines.join('\n')}`).toBe(error.message)
      expect(error.detail).not.toMatch(/127|nowhere|postgres/)
      const printed = Bun.inspect(error)
      expect(printed).not.toContain('hunter2')
      expect(printed).not.toMatch(/headers|extras|cause|PostgresError/)
    },
    20_000,
  )

  test.each(CASES)(
    '$name: doctor says so, and what to do',
    async (given) => {
      const { poolSize, prepare, ca } = settingsOf(given)
      const postgres = { poolSize, prepare, timeout: '5s', ...(ca === null ? {} : { ca }) }
      const options = resolve({ options: { secret: SECRET, database: given.url(), postgres } })
      const database = await inspectDatabase(options, null, Date.now())
      const check = CHECKS.find(({ name }) => name === 'database')
      const [finding] = check?.run({ database } as Facts) ?? []
      expect(finding?.state).toBe('fail')
      expect(finding?.detail).toBe(`${placeOf(given.url())} ${given.said.split(';')[0]}`)
      expect(finding?.mend).toMatch(given.advice)
    },
    20_000,
  )

  test('behind a pooler with statements that are prepared, doctor names the option', async () => {
    const postgres = { poolSize: 5, prepare: true, timeout: '5s' }
    const options = resolve({ options: { secret: SECRET, database: pooler.url, postgres } })
    const check = CHECKS.find(({ name }) => name === 'database')
    // Which connection a statement is sent by is the pooler's affair.
    let finding = check?.run({ database: await inspectDatabase(options, null, Date.now()) } as Facts)[0]
    for (let looks = 0; finding?.state !== 'fail' && looks < 20; looks += 1) {
      finding = check?.run({ database: await inspectDatabase(options, null, Date.now()) } as Facts)[0]
    }
    expect([finding?.state, finding?.mend]).toEqual(['fail', 'set postgres.prepare to false'])
  }, 60_000)

  test('that goes away while it is used, and comes back, is told by one line each', async () => {
    const told: string[] = []
    const url = server.url.replace('postgres@', 'postgres:hunter2@')
    const { storage, ready } = openStorage(url, { migrate: 'check', warn: (message) => told.push(message) })
    await ready
    await server.kill()
    await until(async () => {
      await storage.quotas.claim({ subject: 'x', period: '2030', amount: 1, limit: 9 }).catch(() => undefined)
      return told.length === 1
    })
    await server.start()
    await until(async () => {
      await storage.ping().catch(() => undefined)
      return told.length === 2
    }, 20_000)
    await storage.close()
    const place = placeOf(url)
    expect(told).toEqual([
      `PostgreSQL (${place}) is away: connection refused; it is asked again by and by`,
      `PostgreSQL (${place}) is back`,
    ])
  }, 60_000)
})

describe('that it is away is told', () => {
  test.each([
    [null, ofServer('57P01'), 'PostgreSQL is away: the server is starting or stopping; it is asked again by and by'],
    [null, new Error('odd'), 'PostgreSQL is away: it does not answer; it is asked again by and by'],
    [
      'postgres://u:hunter2@db/app',
      new DatabaseTimeoutError('late'),
      'PostgreSQL (postgres://db:5432/app) is away: no answer in time; it is asked again by and by',
    ],
  ])('of %s', async (url, error, line) => {
    const told: string[] = []
    const tell = createOutageTeller(url, (message) => told.push(message))
    tell({ error })
    tell(null)
    await until(() => told.length === 2)
    expect(told[0]).toBe(line)
    expect(told[1]).toEndWith('is back')
  })

  test('also where nothing is known', () => expect(reasonOf(null)).toBe('it does not answer'))
})
