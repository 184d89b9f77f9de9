/** What cluster.md, operations.md and scaling.md say, held to the code. */
import { Database } from 'bun:sqlite'
import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createMachineAuth } from '../../src/core.ts'
import { createRate } from '../../src/limits/rate.ts'
import { LimitKeys } from '../../src/limits/redis/keys.ts'
import { optionsSchema } from '../../src/options/schema.ts'
import { resolve, SECRET } from '../options/support.ts'
import { createDatabaseDirectory, removeDirectory } from '../support/directories.ts'
import { describeMetrics, textOfAll } from '../support/metrics.ts'

const ROOT = join(import.meta.dir, '../..')
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')
const cluster = read('docs/cluster.md')
const operations = read('docs/operations.md')
const scaling = read('docs/scaling.md')

/** A number of the sources, as it is written there. */
function constantIn(file: string, name: string): string {
  const [, value] = new RegExp(`const ${name} = ([^\\n]+)`).exec(read(file)) ?? []
  if (value === undefined) throw new Error(`${file} has no ${name}`)
  return value.replaceAll('_', '')
}

describe('cluster.md', () => {
  test.each(['postgres', 'cluster'] as const)('says what each member of %s is for', (option) => {
    const members = Object.keys(optionsSchema.properties[option].properties)
    expect(members.length).toBeGreaterThan(3)
    const isNamed = (member: string) => new RegExp(`\\b${member}\\b`).test(cluster)
    expect(members.filter((member) => !isNamed(member))).toEqual([])
  })

  test('says the defaults', () => {
    const { postgres, cluster: shared } = resolve({ options: { secret: SECRET } })
    expect(cluster).toContain(`**\`poolSize\`** (${postgres.poolSize})`)
    expect(cluster).toContain(`**\`timeout\`** (${postgres.timeout / 1000} s)`)
    expect(cluster).toContain(`**\`redisTimeout\`** (${shared.redisTimeout} ms)`)
    expect(read('docs/storage.md')).toContain(`\`cluster.staleness\` (${shared.staleness / 60_000} min)`)
  })

  test('says the times and numbers of the code', () => {
    expect(cluster).toContain(`every ${constantIn('src/cluster/change-watcher.ts', 'INTERVAL')} ms`)
    expect(cluster).toContain(`every ${constantIn('src/cluster/change-watcher.ts', 'INTERVAL_WITH_BELL')} ms where`)
    expect(constantIn('src/cluster/change-watcher.ts', 'RETENTION')).toBe('3600000')
    expect(cluster).toContain('the hour that the log is kept')
    expect(constantIn('src/storage/drizzle/postgres-watch.ts', 'LOOK')).toBe('1000')
    expect(constantIn('src/storage/drizzle/postgres-watch.ts', 'RENEWAL')).toBe('5000')
    expect(cluster).toContain('gets no answer within a second')
    expect(cluster).toContain('once in 5 s at most')
    expect(constantIn('src/lib/resilience/circuit.ts', 'FAILURES')).toBe('5')
    expect(constantIn('src/lib/resilience/circuit.ts', 'PAUSES')).toBe('[250, 500, 1000, 2000]')
    expect(cluster).toContain('after five failures in a row, and one tries again after 250 ms, then 500 ms, 1 s, 2 s')
    expect(constantIn('src/limits/redis/leases.ts', 'LASTS')).toBe('30000')
    expect(cluster).toContain('holds its places for 30 s')
    expect(constantIn('src/storage/drizzle/postgres-calls.ts', 'PAUSES')).toContain('times: 2, firstPause: 20')
    expect(cluster).toContain('are tried again, twice, 20 to 200 ms later')
    expect(constantIn('src/authentication/authenticator.ts', 'PATIENCE')).toBe('500')
    expect(cluster).toContain('wait for half a second at most, then they are believed')
    expect(constantIn('src/limits/attempt-gate.ts', 'RATE')).toContain('limit: 20, window: 60000')
    expect(cluster).toContain('texts that may be imported keys, 20 wrong a minute')
    expect(read('src/storage/drizzle/postgres.ts')).toContain('postgres.poolSize / 2')
    expect(cluster).toContain('take half of it at most')
  })

  test('says how limits are named in Redis', () => {
    const rate = createRate({ limit: 5, window: 60_000 })
    expect(cluster).toContain('(`machine-auth:l:` and 27 characters)')
    const keys = new LimitKeys('machine-auth', new Uint8Array(32))
    for (const key of [keys.rate('place', rate, 'user:42'), keys.concurrency('p', 'x')]) {
      expect(key).toMatch(/^machine-auth:[lc]:[\w-]{27}$/)
      expect(key).not.toContain('42')
    }
  })
})

/** The numbers of the cell that a row of a table has in a column, which a text in the row tells. */
function measuredIn(page: string, row: RegExp, column: number): readonly number[] {
  const line = page.split('\n').find((each) => each.startsWith('|') && row.test(each)) ?? ''
  const cell = line.split('|')[column] ?? ''
  return [...cell.matchAll(/\d[\d,]*(?:\.\d+)?/g)].map(([text]) => Number(text.replaceAll(',', '')))
}

/** With as many digits that count. */
const rounded = (value: number, digits: number) => Number(value.toPrecision(digits))

describe('scaling.md', () => {
  const measured = (row: RegExp) => measuredIn(scaling, row, 3)
  const [sqlite = 0, postgres = 0] = [/`SQLite`, 100000/, /`PostgreSQL`, 100000/].flatMap(measured)
  const bytes = [/-window`, bytes/, /-counter`, bytes/, /-bucket`, bytes/].map(measured)
  const decisions = [/-window`, 100 at/, /-counter`, 100 at/, /-bucket`, 100 at/].flatMap(measured)

  test('has all that is measured', () => {
    expect([sqlite > 0, postgres > 0, bytes.map((each) => each.length), decisions.length]).toEqual([
      ...[true, true],
      ...[[2, 2, 2], 3],
    ])
    expect([/`by Redis`/, /`by LISTEN`/, /`by looks`/].map((row) => measured(row).length)).toEqual([2, 2, 2])
  })

  test('says what follows from it', () => {
    const megabytes = (each: number) => `${rounded(each / 10, 2)} MB`
    const ofPostgres = Array.from({ length: 3 }, () => megabytes(postgres)).join(' | ')
    expect(scaling).toContain(`| \`100,000 K\` | ${megabytes(sqlite)} | ${ofPostgres} |`)
    const busy = (processes: number) =>
      [Math.min(...decisions), Math.max(...decisions)]
        .map((each) => rounded((processes * each) / 10_000, 1))
        .join(' to ')
    expect(scaling).toContain(`| \`100 n C D\` | – | – | ${busy(100)} | ${busy(1000)} |`)
    const all = bytes.flat()
    const memory = `${rounded(Math.min(...all) / 10, 2)} to ${megabytes(Math.max(...all))}`
    expect(scaling).toContain(`| \`100,000 S\` | – | – | ${memory} | ${memory} |`)
    const [[one = 0, sixty = 0] = []] = bytes
    expect(scaling).toContain(`some ${rounded((sixty - one) / 59, 1)} KB for a subject that uses all of it`)
  })

  test('counts looks at the log as often as they are made', () => {
    const second = (name: string) => 1000 / Number(constantIn('src/cluster/change-watcher.ts', name))
    expect(scaling).toContain(`| ${second('INTERVAL')}; ${second('INTERVAL_WITH_BELL').toFixed(2)} where it is told`)
  })
})

test('operations.md says what follows from what is measured', () => {
  const cpu = (name: string) => measuredIn(operations, new RegExp(`^\\| ${name} `), 4)[0] ?? Number.NaN
  const half = (name: string) => rounded(500_000 / cpu(name), 2).toLocaleString('en')
  const [own, shared] = [half('PostgreSQL, local limits'), half('PostgreSQL and Redis, shared limits')]
  expect(operations).toContain(`such requests a second, ${own} without shared limits and ${shared} with them.`)
})

describe('operations.md', () => {
  test('explains every alert that there is, and no other', () => {
    const rules = [...read('docs/alerts.rules.yml').matchAll(/- alert: (\w+)/g)].map(([, name = '']) => name)
    const explained = [...operations.matchAll(/`(MachineAuth\w+)`/g)].map(([, name = '']) => name)
    expect(rules.length).toBeGreaterThan(10)
    expect(new Set(explained)).toEqual(new Set(rules))
  })

  test('and the pages name metrics that there are', async () => {
    const known = new Set(describeMetrics(await textOfAll()).map(({ name }) => name))
    const named = [...`${cluster}${operations}${scaling}`.matchAll(/`(machine_auth_\w+)`/g)].map(
      ([, name = '']) => name,
    )
    expect(named.filter((name) => !known.has(name))).toEqual([])
  })

  test('is right that a backup may be taken while it runs, and that a restore forgets revocations', async () => {
    const directory = createDatabaseDirectory('machine-auth-backup')
    const open = (name: string) => createMachineAuth({ database: `sqlite:${join(directory, name)}`, secret: SECRET })
    const isValid = (core: ReturnType<typeof open>, key: string) =>
      core.keys.verify({ key }).then(({ valid, code }) => (valid ? 'valid' : code))
    try {
      await using core = open('auth.db')
      const { key, rawKey } = await core.keys.create({ name: 'kept' })
      using second = new Database(join(directory, 'auth.db'))
      second.run(`VACUUM INTO '${join(directory, 'copy.db')}'`)
      await core.keys.revoke(key.id)
      expect(await isValid(core, rawKey)).toBe('api_key_revoked')

      await using restored = open('copy.db')
      expect(await isValid(restored, rawKey)).toBe('valid')
      // As the page says: what was taken away is taken away again.
      await restored.keys.revoke(key.id)
      expect(await isValid(restored, rawKey)).toBe('api_key_revoked')
    } finally {
      removeDirectory(directory)
    }
  })
})
