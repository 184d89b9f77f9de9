/** What cluster.md, operations.md and scaling.md say, held to the code. */
import { Database } from 'bun:sqlite'
import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createMachineAuth } from '../../src/core.ts'
import { createRate } from '../../src/limits/rate.ts'
import { concurrencyKey, rateKey } from '../../src/limits/redis/keys.ts'
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
    expect(constantIn('src/lib/resilience/circuit.ts', 'FAILURES')).toBe('5')
    expect(constantIn('src/lib/resilience/circuit.ts', 'PAUSES')).toBe('[250, 500, 1000, 2000]')
    expect(cluster).toContain('after five failures in a row, and one tries again after 250 ms, then 500 ms, 1 s, 2 s')
    expect(constantIn('src/limits/redis/leases.ts', 'LASTS')).toBe('30000')
    expect(cluster).toContain('holds its places for 30 s')
    expect(constantIn('src/storage/drizzle/postgres-calls.ts', 'PAUSES')).toContain('times: 2, firstPause: 20')
    expect(cluster).toContain('are tried again, twice, 20 to 200 ms later')
  })

  test('says how limits are named in Redis', () => {
    const rate = createRate({ limit: 5, window: 60_000 })
    expect(cluster).toContain('(`machine-auth:l:` and 27 characters)')
    for (const key of [rateKey('machine-auth', 'place', rate, 'user:42'), concurrencyKey('machine-auth', 'p', 'x')]) {
      expect(key).toMatch(/^machine-auth:[lc]:[\w-]{27}$/)
      expect(key).not.toContain('42')
    }
  })
})

test('scaling.md counts looks at the log as often as they are made', () => {
  const second = (name: string) => 1000 / Number(constantIn('src/cluster/change-watcher.ts', name))
  expect(scaling).toContain(`| ${second('INTERVAL')}; ${second('INTERVAL_WITH_BELL').toFixed(2)} where it is told`)
})

describe('operations.md', () => {
  test('explains alerts that there are, and those of what may be away', () => {
    const rules = [...read('docs/alerts.rules.yml').matchAll(/- alert: (\w+)/g)].map(([, name = '']) => name)
    const explained = [...operations.matchAll(/`(MachineAuth\w+)`/g)].map(([, name = '']) => name)
    expect(explained.length).toBeGreaterThan(10)
    expect(explained.filter((name) => !rules.includes(name))).toEqual([])
    for (const what of ['Storage', 'Redis', 'Stale', 'LocalLimits', 'ChangeBell']) {
      expect(explained.some((name) => name.includes(what))).toBe(true)
    }
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
