import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CHECKS, type Finding } from '../../src/cli/doctor/checks.ts'
import type { Facts, LostFact } from '../../src/cli/doctor/facts.ts'
import { resolveOptions } from '../../src/options/resolve.ts'
import type { MachineAuthOptions } from '../../src/options/types.ts'
import { SECRET, START } from '../support/test-app.ts'
import { type CliDirectory, createDirectory, must } from './support.ts'

const optionsFor = (options: MachineAuthOptions = {}) =>
  resolveOptions({ secret: SECRET, ...options }, { env: {}, cwd: '/nonexistent' })

const NONE_LOST: LostFact = { count: 0, isAll: false, keys: [], tokens: [] }

const openDatabase = (more: { newestAt?: number; lost?: Partial<LostFact>; isAuditUnknown?: boolean } = {}) => {
  const lost = { ...NONE_LOST, ...more.lost }
  return { kind: 'open', newestAt: null, isAuditUnknown: false, checkpoints: new Map(), ...more, lost } as const
}

const HEALTHY: Facts = {
  mistakes: [],
  options: optionsFor(),
  secretSource: 'MACHINE_AUTH_SECRET',
  isUsed: null,
  database: openDatabase({ newestAt: START - 1 }),
  files: [{ name: '.env', mode: 0o600 }],
  journal: null,
  redis: null,
  now: START,
}

const mistake = (path: string) => ({ path, source: 'MACHINE_AUTH_X', given: '***', accepted: 'something else' })

function findingsOf(check: string, facts: Partial<Facts>): readonly Finding[] {
  return CHECKS.find(({ name }) => name === check)?.run({ ...HEALTHY, ...facts }) ?? []
}

test('all checks are content where all is well', () => {
  expect(CHECKS.flatMap(({ run }) => run(HEALTHY)).map(({ state, mend }) => [state, mend])).toEqual(
    Array.from({ length: 10 }, () => ['ok', null]),
  )
})

interface Case {
  readonly check: string
  readonly facts: Partial<Facts>
  readonly state: 'ok' | 'warn' | 'fail'
  readonly said: RegExp
}

test.each<Case>([
  { check: 'configuration', facts: { mistakes: [mistake('prefix')], options: null }, state: 'fail', said: /^prefix/ },
  { check: 'configuration', facts: { options: optionsFor({ jwt: { accessTtl: '2d' } }) }, state: 'warn', said: /jwt/ },
  { check: 'configuration', facts: { mistakes: [mistake('secret')], options: null }, state: 'ok', said: /every/ },
  { check: 'secret', facts: { mistakes: [mistake('secret[1]')], options: null }, state: 'fail', said: /^secret/ },
  { check: 'secret', facts: { secretSource: null }, state: 'warn', said: /none yet/ },
  { check: 'secret', facts: { secretSource: '.machine-auth/secret' }, state: 'warn', said: /production does not/ },
  {
    check: 'master key',
    facts: { mistakes: [mistake('masterKey')], options: null },
    state: 'fail',
    said: /^masterKey/,
  },
  { check: 'master key', facts: { options: null }, state: 'warn', said: /not looked at/ },
  { check: 'database', facts: { database: { kind: 'missing' } }, state: 'warn', said: /does not exist/ },
  { check: 'database', facts: { database: { kind: 'unknown' } }, state: 'warn', said: /not looked at/ },
  {
    check: 'database',
    facts: { database: { kind: 'broken', reason: 'no answer', trouble: null } },
    state: 'fail',
    said: /no answer/,
  },
  {
    check: 'migrations',
    facts: { database: { kind: 'pending', migrations: ['0009_x'] } },
    state: 'warn',
    said: /0009_x/,
  },
  {
    check: 'migrations',
    facts: { database: { kind: 'pending', migrations: ['0009_x'] }, options: optionsFor({ migrate: 'check' }) },
    state: 'fail',
    said: /does not start/,
  },
  {
    check: 'old secrets',
    facts: { database: openDatabase({ lost: { count: 3 } }) },
    state: 'fail',
    said: /^3 keys .* belong to/,
  },
  {
    check: 'old secrets',
    facts: { database: openDatabase({ lost: { count: 1 } }) },
    state: 'fail',
    said: /^1 key .* belongs to/,
  },
  {
    check: 'old secrets',
    facts: { database: openDatabase({ lost: { count: 3, isAll: true } }) },
    state: 'fail',
    said: /^no stored key, .* is given: all are refused/,
  },
  {
    check: 'audit log',
    facts: { database: openDatabase({ isAuditUnknown: true }) },
    state: 'fail',
    said: /^its newest events/,
  },
  { check: 'clock', facts: { now: Date.UTC(1970, 0, 2) }, state: 'fail', said: /1970/ },
  { check: 'clock', facts: { now: Date.UTC(2200, 0, 2) }, state: 'fail', said: /2200/ },
  {
    check: 'clock',
    facts: { database: openDatabase({ newestAt: START + 60_001 }) },
    state: 'fail',
    said: /rows of 2030-01-01T00:01:00/,
  },
  {
    check: 'clock',
    facts: { database: openDatabase({ newestAt: START + 60_000 }) },
    state: 'ok',
    said: /2030/,
  },
  { check: 'file modes', facts: { files: [{ name: '.env', mode: 0o644 }] }, state: 'fail', said: /everybody.*0644/ },
  { check: 'file modes', facts: { files: [{ name: '.env', mode: 0o640 }] }, state: 'warn', said: /the group.*0640/ },
  { check: 'file modes', facts: { files: [] }, state: 'ok', said: /none yet/ },
  {
    check: 'proxies',
    facts: { options: optionsFor({ trustProxy: { from: ['0.0.0.0/0'] } }) },
    state: 'fail',
    said: /every address/,
  },
  {
    check: 'proxies',
    facts: { options: optionsFor({ trustProxy: { from: ['10.0.0.0/8', '2000::/3'] } }) },
    state: 'warn',
    said: /^wide: 2000::\/3$/,
  },
  {
    check: 'proxies',
    facts: { options: optionsFor({ trustProxy: { from: ['10.0.0.0/8'] } }) },
    state: 'ok',
    said: /x-forwarded-for is read from 10/,
  },
  { check: 'redis', facts: { redis: 'up' }, state: 'ok', said: /^answers$/ },
  { check: 'redis', facts: { redis: 'refused' }, state: 'fail', said: /cannot be reached: connection refused/ },
  { check: 'redis', facts: { redis: 'unknown_host' }, state: 'fail', said: /no host has this name/ },
  { check: 'redis', facts: { redis: 'unreachable' }, state: 'fail', said: /no way leads/ },
  { check: 'redis', facts: { redis: 'silent' }, state: 'fail', said: /within 2 s/ },
  { check: 'redis', facts: { redis: 'untrusted' }, state: 'fail', said: /certificate/ },
  { check: 'redis', facts: { redis: 'password_missing' }, state: 'fail', said: /asks for a password/ },
  { check: 'redis', facts: { redis: 'password_wrong' }, state: 'fail', said: /refuses the user or the password/ },
  { check: 'redis', facts: { redis: 'refusing' }, state: 'fail', said: /not with this URL/ },
  { check: 'redis', facts: { redis: 'no_redis' }, state: 'fail', said: /no Redis/ },
])('$check: $state for $said', ({ check, facts, state, said }) => {
  const findings = findingsOf(check, facts)
  expect(findings.map((finding) => finding.state)).toEqual([state])
  expect(findings[0]?.detail).toMatch(said)
  expect(findings[0]?.mend === null).toBe(state === 'ok')
})

interface Advice {
  readonly isUsed: boolean | null
  readonly facts: Partial<Facts>
  readonly state: 'warn' | 'fail'
  readonly mend: RegExp
}

const NOT_GIVEN: Partial<Facts> = { secretSource: null }
const IN_PRODUCTION = { ...NOT_GIVEN, mistakes: [mistake('secret')], options: null }
const OF_DEVELOPMENT: Partial<Facts> = { secretSource: '.machine-auth/secret' }
const WRONG: Partial<Facts> = { mistakes: [mistake('secret[0]')], options: null }

describe('a new secret is advised for a new database alone', () => {
  test.each<Advice>([
    {
      isUsed: true,
      facts: NOT_GIVEN,
      state: 'fail',
      mend: /^give the one the database was made with.*MACHINE_AUTH_SECRET/,
    },
    { isUsed: true, facts: IN_PRODUCTION, state: 'fail', mend: /^give the one the database was made with/ },
    { isUsed: true, facts: WRONG, state: 'fail', mend: /^give the one the database was made with/ },
    { isUsed: true, facts: OF_DEVELOPMENT, state: 'warn', mend: /^machine-auth init/ },
    { isUsed: false, facts: NOT_GIVEN, state: 'warn', mend: /secret generate/ },
    { isUsed: false, facts: IN_PRODUCTION, state: 'fail', mend: /secret generate/ },
    { isUsed: null, facts: IN_PRODUCTION, state: 'fail', mend: /was made with; for a new database: .*generate/ },
  ])('in use: $isUsed, $facts', ({ isUsed, facts, state, mend }) => {
    const [finding, ...others] = findingsOf('secret', { ...facts, isUsed })
    expect([finding?.state, others]).toEqual([state, []])
    expect(finding?.mend).toMatch(mend)
    if (isUsed) expect(finding?.mend).not.toContain('generate')
  })

  test('and without one nothing is said of rows that it made', () => {
    const facts = { ...NOT_GIVEN, database: openDatabase({ lost: { count: 3 }, isAuditUnknown: true }) }
    expect([findingsOf('old secrets', facts), findingsOf('audit log', facts)]).toEqual([[], []])
  })
})

describe('machine-auth doctor', () => {
  let cli: CliDirectory
  beforeEach(() => {
    cli = createDirectory()
  })
  afterEach(() => cli[Symbol.dispose]())

  const statesOf = (checks: readonly { check: string; state: string }[]) =>
    Object.fromEntries(checks.map(({ check, state }) => [check, state]))

  test('changes nothing where nothing is yet, not even in development without a secret', async () => {
    const run = await cli.run(['doctor', '--json'], { env: { MACHINE_AUTH_SECRET: '' } })
    expect([run.code, readdirSync(cli.path)]).toEqual([0, []])
    expect(statesOf(run.json.checks)).toMatchObject({ secret: 'warn', database: 'warn', clock: 'ok' })
    expect(run.json.healthy).toBeTrue()
  })

  test('is content after init', async () => {
    await must(cli, ['init'])
    const run = await cli.run(['doctor'])
    expect([run.code, run.err]).toEqual([0, ''])
    expect(run.out.split('\n').filter((line) => !line.startsWith('ok  '))).toEqual([''])
  })

  test('names every mistake of the configuration at once, and repeats no secret', async () => {
    const env = { MACHINE_AUTH_SECRET: 'hunter2-short', MACHINE_AUTH_MASTER_KEY: 'tiny-key', MACHINE_AUTH_PREFIX: 'x' }
    const run = await cli.run(['doctor'], { env })
    expect(run.code).toBe(1)
    expect(run.out).toMatch(/^fail {2}configuration +prefix/m)
    expect(run.out).toMatch(/^fail {2}secret +secret/m)
    expect(run.out).toMatch(/^fail {2}master key +masterKey/m)
    expect(run.out).toContain('→ give at least 32 random bytes')
    expect(run.out + run.err).not.toMatch(/hunter2|tiny-key/)
  })

  test('demands a secret in production', async () => {
    const run = await cli.run(['doctor'], { env: { MACHINE_AUTH_SECRET: '', NODE_ENV: 'production' } })
    expect([run.code, run.out]).toEqual([
      1,
      expect.stringMatching(/^fail {2}secret .*\n +→ .*machine-auth secret generate/m),
    ])
  })

  test.each([{}, { NODE_ENV: 'production' }])('never advises a new secret for a database in use: %j', async (more) => {
    await must(cli, ['key', 'create', '--name', 'CI'])
    const before = readdirSync(cli.path)
    const run = await cli.run(['doctor'], { env: { MACHINE_AUTH_SECRET: '', ...more } })
    expect([run.code, readdirSync(cli.path)]).toEqual([1, before])
    expect(run.out).toMatch(
      /^fail {2}secret +the database is in use, and its secret is not given\n +→ give the one the database/m,
    )
    expect(run.out).not.toMatch(/generate|old secrets/)
  })

  test('tells that the audit log goes on from a secret that is gone, until it is adopted', async () => {
    await must(cli, ['key', 'create', '--name', 'CI'])
    await must(cli, ['audit', 'list'])
    const env = { MACHINE_AUTH_SECRET: `another-${SECRET}` }
    const stateOf = async () => statesOf((await cli.run(['doctor', '--json'], { env })).json.checks)['audit log']
    expect(await stateOf()).toBe('fail')
    await must(cli, ['audit', 'adopt', '--yes'], { env })
    expect(await stateOf()).toBe('ok')
  })

  test('finds the keys of a secret that is gone, until they are got rid of as it says', async () => {
    const { id } = (await must(cli, ['key', 'create', '--name', 'CI'])).key
    await must(cli, ['key', 'disable', id, '--yes'])
    const token = (await cli.look((core) => core.tokens.bearer.create({ name: 'CI' }))).token
    const env = { MACHINE_AUTH_SECRET: `another-${SECRET}` }
    const look = async () => {
      const run = await cli.run(['doctor', '--json'], { env })
      const { state, detail, mend } = run.json.checks.find(({ check }: { check: string }) => check === 'old secrets')
      return `${state} ${detail} → ${mend}`
    }
    expect(await look()).toMatch(/^fail no stored key.* → see that MACHINE_AUTH_SECRET is the one of the other/)
    await must(cli, ['key', 'create', '--name', 'new'], { env })
    // The key that signed tokens is history from now on, or as soon as there is another.
    const mend = `machine-auth key revoke KEY (${id}); core.tokens.bearer.revoke(ID) (${token.id})`
    expect(await look()).toStartWith('fail 3 keys or tokens belong ')
    expect(await look()).toContain(mend)
    await must(cli, ['key', 'revoke', id, '--yes'], { env })
    await cli.look((core) => core.tokens.bearer.revoke(token.id))
    await must(cli, ['key', 'list'], { env })
    expect(await look()).toStartWith('ok ')
  })

  test('is content where the old secret is given too', async () => {
    await must(cli, ['key', 'create', '--name', 'CI'])
    const both = { MACHINE_AUTH_SECRET: `another-${SECRET},${SECRET}` }
    expect(statesOf((await cli.run(['doctor', '--json'], { env: both })).json.checks)['old secrets']).toBe('ok')
  })

  test('finds a clock behind the rows of the database', async () => {
    await must(cli, ['org', 'create', 'Acme'])
    cli.time.now -= 3_600_000
    const run = await cli.run(['doctor', '--json'])
    expect([run.code, statesOf(run.json.checks).clock]).toEqual([1, 'fail'])
  })

  test('finds files that others can read', async () => {
    await must(cli, ['init'])
    writeFileSync(join(cli.path, '.env'), '')
    mkdirSync(join(cli.path, '.machine-auth'))
    writeFileSync(join(cli.path, '.machine-auth/secret'), SECRET)
    const database = join(cli.path, 'auth.db')
    for (const name of ['.env', '.machine-auth/secret', 'auth.db']) chmodSync(join(cli.path, name), 0o644)
    const run = await cli.run(['doctor'])
    expect(run.code).toBe(1)
    for (const name of ['.env', '.machine-auth/secret', database]) expect(run.out).toContain(`→ chmod 600 ${name}\n`)
  })

  test('finds a database that is none', async () => {
    writeFileSync(join(cli.path, 'auth.db'), 'x'.repeat(5000), { mode: 0o600 })
    const run = await cli.run(['doctor', '--json'])
    expect([run.code, statesOf(run.json.checks).database]).toEqual([1, 'fail'])
  })

  test('asks Redis where it is given, and does not wait for ever', async () => {
    const run = await cli.run(['doctor', '--redis', 'redis://user:hunter2@127.0.0.1:1', '--json'])
    expect([run.code, statesOf(run.json.checks).redis]).toEqual([1, 'fail'])
    expect(run.out + run.err).not.toContain('hunter2')
    const env = { MACHINE_AUTH_REDIS: 'redis://127.0.0.1:1' }
    expect(statesOf((await cli.run(['doctor', '--json'], { env })).json.checks).redis).toBe('fail')
    expect(statesOf((await cli.run(['doctor', '--json'])).json.checks).redis).toBeUndefined()
  })
})
