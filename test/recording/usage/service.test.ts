/** The service on storage in memory; over HTTP it is in test/http/usage.test.ts and usage-report.test.ts. */
import { describe, expect, test } from 'bun:test'
import { MachineAuthError } from '../../../src/errors.ts'
import { requireKey } from '../../../src/keys/options.ts'
import { toTimestamp } from '../../../src/lib/timestamp.ts'
import { AuditLog } from '../../../src/recording/audit/audit.ts'
import type { ReportedUse } from '../../../src/recording/usage/reported-use.ts'
import { UsageService } from '../../../src/recording/usage/service.ts'
import { aKey, anOrganization } from '../../contract/fixtures.ts'
import { createMemoryStorage } from '../../support/memory-storage.ts'
import { expectInvalid, expectRefused } from '../../support/refusals.ts'
import { actorWith } from '../../support/services.ts'
import { SECRET } from '../../support/test-app.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** A quarter past eleven. */
const NOW = Date.UTC(2030, 0, 10, 11, 15)
const KEPT = { retention: 90 * DAY, dailyRetention: 730 * DAY }

async function open({ flush }: { flush?: () => Promise<boolean> } = {}) {
  const time = { now: NOW }
  const clock = () => time.now
  const storage = createMemoryStorage(clock)
  const { usage: store, keys, organizations } = storage
  const audit = new AuditLog({ store: storage.audit, clock, secrets: [SECRET] })
  const service = new UsageService({
    ...{ store, keys, organizations, audit, clock, kept: KEPT },
    requireKey: (id, actor) => requireKey({ keys, audit }, id, actor),
    recorder: flush === undefined ? null : { flush },
  })
  const key = aKey({ name: 'CI' })
  await keys.insert(key)
  let made = 0
  const use = (more: Partial<ReportedUse> = {}): ReportedUse => {
    made += 1
    const at = toTimestamp(NOW)
    return {
      ...{ id: `use-${made}`, keyId: key.id, endpoint: '/a', method: 'GET', status: 200, latencyMs: 2, at },
      ...more,
    }
  }
  return { time, storage, service, audit, key, use }
}

/** The points of a series that are not zero, by their beginning. */
const pointsOf = (series: readonly { start: string; total: number; errors: number }[]) =>
  series.flatMap(({ start, total, errors }) => (total === 0 ? [] : [[start.slice(0, 13), total, errors]]))

describe('of a key', () => {
  test('without requests everything is zero, and nothing is known of latency', async () => {
    const { service, key } = await open()
    const usage = await service.ofKey(key.id)
    expect(usage).toMatchObject({ keyId: key.id, bucket: 'hour', total: 0, errors: 0, byStatus: {}, byEndpoint: {} })
    expect(usage.latency).toEqual({ mean: null, p50: null, p90: null, p99: null })
    expect(usage.series).toHaveLength(24)
    expect(usage.series[0]).toEqual({ start: '2030-01-09T12:00:00.000Z', total: 0, errors: 0 })
    expect(usage.series.at(-1)).toEqual({ start: '2030-01-10T11:00:00.000Z', total: 0, errors: 0 })
  })

  test('requests are added up by status, endpoint and hour, those of others left out', async () => {
    const { service, storage, key, use } = await open()
    const other = aKey()
    await storage.keys.insert(other)
    await service.report([
      use(),
      use({ method: 'POST', status: 201 }),
      use({ status: 404, at: toTimestamp(NOW - HOUR) }),
      use({ status: 500, at: toTimestamp(NOW - HOUR), endpoint: '/b' }),
      use({ at: toTimestamp(NOW - 2 * DAY) }),
      use({ keyId: other.id }),
    ])
    const usage = await service.ofKey(key.id)
    expect(usage).toMatchObject({
      total: 4,
      errors: 2,
      byStatus: { '200': 1, '201': 1, '404': 1, '500': 1 },
      byEndpoint: { 'GET /a': 2, 'POST /a': 1, 'GET /b': 1 },
    })
    expect(pointsOf(usage.series)).toEqual([
      ['2030-01-10T10', 2, 2],
      ['2030-01-10T11', 2, 0],
    ])
    const byDay = await service.ofKey(key.id, { bucket: 'day' })
    expect([byDay.total, byDay.series.length]).toEqual([5, 30])
    expect(pointsOf(byDay.series)).toEqual([
      ['2030-01-08T00', 1, 0],
      ['2030-01-10T00', 4, 2],
    ])
  })

  test('requests that no route was found for have a name', async () => {
    const { service, storage, key, use } = await open()
    await service.report([use()])
    const { usage } = storage.rows
    for (const [name, row] of usage) usage.set(name, { ...row, route: '' })
    expect((await service.ofKey(key.id)).byEndpoint).toEqual({ 'GET (none)': 1 })
  })

  test('latency is told to the microsecond', async () => {
    const { service, key, use } = await open()
    await service.report([use({ latencyMs: 1 / 3 }), use({ latencyMs: 4 }), use({ latencyMs: 2500 })])
    expect((await service.ofKey(key.id)).latency).toEqual({ mean: 834.778, p50: 3.75, p90: 1000, p99: 1000 })
  })

  test.each([[true], [false]])('what this process counted is written before it is read: %p', async (isWritten) => {
    const done: string[] = []
    const opened = await open({
      async flush() {
        done.push('flush')
        return isWritten
      },
    })
    const { service, storage, key } = opened
    storage.before.set('usage.sumsOfKey', () => void done.push('read'))
    expect(await service.ofKey(key.id)).toMatchObject({ total: 0, complete: isWritten })
    expect(done).toEqual(['flush', 'read'])
    expect(await service.stats()).toMatchObject({ requests: 0, complete: isWritten })
    expect(done.at(-1)).toBe('flush')
  })

  test('where this process counts nothing there is nothing to be written', async () => {
    const { service, key } = await open()
    expect((await service.ofKey(key.id)).complete).toBe(true)
  })

  test('another’s key is as one that is not there, and the attempt is written down', async () => {
    const { service, storage } = await open()
    const theirs = aKey({ organizationId: 'org_b' })
    await storage.keys.insert(theirs)
    const actor = actorWith(['*'], { organizationId: 'org_a' })
    await expectRefused(service.ofKey('key_none', {}, actor), 'not_found')
    expect(storage.rows.audit.size).toBe(0)
    await expectRefused(service.ofKey(theirs.id, {}, actor), 'not_found')
    expect([...storage.rows.audit.values()]).toMatchObject([{ action: 'cross_tenant_attempt', subject: theirs.id }])
    // Rows that are nobody's, and those of all together.
    for (const id of ['', '*']) await expectRefused(service.ofKey(id), 'not_found')
    const own = actorWith(['*'], { organizationId: 'org_b' })
    expect((await service.ofKey(theirs.id, {}, own)).keyId).toBe(theirs.id)
    await expectInvalid(service.ofKey(theirs.id, { from: 'x' }, own), 'from')
  })
})

describe('the figures of all', () => {
  test('of an empty installation are zeros', async () => {
    const { service, storage } = await open()
    storage.rows.keys.clear()
    const { series, ...figures } = await service.stats()
    expect(figures).toEqual({
      ...{ organizations: 0, keys: 0, activeKeys: 0, requests: 0, requestsLastHour: 0, errorRate: 0, topKeys: [] },
      complete: true,
    })
    expect(series).toHaveLength(24)
  })

  test('are organizations, keys, requests, errors of a day, and the most used keys', async () => {
    const { service, storage, key, use } = await open()
    await storage.organizations.insert(anOrganization())
    const second = aKey({ name: 'second', organizationId: 'org_1', revokedAt: NOW })
    await storage.keys.insert(second)
    await service.report([
      use(),
      use({ status: 500 }),
      use({ at: toTimestamp(NOW - 59 * 60_000) }),
      use({ at: toTimestamp(NOW - 61 * 60_000) }),
      use({ keyId: second.id, status: 403, at: toTimestamp(NOW - 23 * HOUR) }),
      use({ keyId: second.id, at: toTimestamp(NOW - 3 * DAY) }),
    ])
    const stats = await service.stats()
    expect(stats).toMatchObject({
      ...{ organizations: 1, keys: 2, activeKeys: 1, requests: 6, requestsLastHour: 3, errorRate: 2 / 5 },
    })
    expect(stats.topKeys).toEqual([
      { id: key.id, name: 'CI', prefix: key.prefix, organizationId: key.organizationId, requests: 4, errors: 1 },
      { id: second.id, name: 'second', prefix: second.prefix, organizationId: 'org_1', requests: 1, errors: 1 },
    ])
    expect(pointsOf(stats.series)).toEqual([
      ['2030-01-09T12', 1, 1],
      ['2030-01-10T10', 2, 0],
      ['2030-01-10T11', 2, 1],
    ])
  })

  test('go through all keys once in five seconds, however many ask', async () => {
    const { time, service, storage } = await open()
    let reads = 0
    async function ask(): Promise<readonly number[]> {
      for (const verb of ['keys.count', 'usage.busiestKeys']) {
        storage.before.set(verb, () => {
          reads += 1
          storage.before.set(verb, () => {
            throw new Error(`${verb} is read twice`)
          })
        })
      }
      const stats = await Promise.all(Array.from({ length: 5 }, () => service.stats()))
      return stats.map(({ keys }) => keys)
    }
    expect([await ask(), reads]).toEqual([[1, 1, 1, 1, 1], 2])
    await storage.keys.insert(aKey())
    time.now += 4999
    expect([await ask(), reads]).toEqual([[1, 1, 1, 1, 1], 2])
    time.now += 1
    expect([await ask(), reads]).toEqual([[2, 2, 2, 2, 2], 4])
  })

  test('name ten keys, without any that is not there any more', async () => {
    const { time, service, storage, use } = await open()
    const records = Array.from({ length: 12 }, () => aKey())
    for (const record of records) await storage.keys.insert(record)
    await service.report(
      records.flatMap(({ id }, index) => Array.from({ length: index + 1 }, () => use({ keyId: id }))),
    )
    const busiest = records.toReversed().map(({ id }) => id)
    const named = async () => (await service.stats()).topKeys.map(({ id }) => id)
    expect(await named()).toEqual(busiest.slice(0, 10))
    storage.rows.keys.delete(busiest[1] ?? '')
    time.now += 5000
    expect(await named()).toEqual([...busiest.slice(0, 1), ...busiest.slice(2, 10)])
  })

  test.each([
    ['an organization', actorWith(['*'], { organizationId: 'org_1' })],
    ['who does not reach the platform', actorWith(['machine_auth.*'])],
  ])('are not for %s', async (_, actor) => {
    const { service } = await open()
    await expectRefused(service.stats(actor), 'permission_required')
    await expectRefused(service.purge({}, actor), 'permission_required')
  })
})

describe('a report', () => {
  test('counts each use once: in the list, and of all lists', async () => {
    const { service, key, use } = await open()
    const [first, second] = [use(), use()]
    expect(await service.report([first, second, first])).toEqual({ accepted: 2, duplicates: 1, rejected: [] })
    const reports = await Promise.all(Array.from({ length: 20 }, () => service.report([second, first])))
    expect(new Set(reports.map(({ accepted, duplicates }) => `${accepted} ${duplicates}`))).toEqual(new Set(['0 2']))
    expect((await service.ofKey(key.id)).total).toBe(2)
  })

  test('of racing ones with the same uses one counts each', async () => {
    const { service, key, use } = await open()
    const uses = Array.from({ length: 30 }, () => use())
    const reports = await Promise.all([0, 10, 20, 0].map((start) => service.report(uses.slice(start))))
    expect(reports.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(30)
    expect((await service.ofKey(key.id)).total).toBe(30)
  })

  test('after one that failed half way the same report counts the rest', async () => {
    const { service, storage, key, use } = await open()
    const uses = Array.from({ length: 500 }, () => use())
    let calls = 0
    const fail = () => {
      calls += 1
      if (calls === 2) throw new MachineAuthError('storage_unavailable')
      storage.before.set('usage.accept', fail)
    }
    storage.before.set('usage.accept', fail)
    await expectRefused(service.report(uses), 'storage_unavailable')
    expect(await service.report(uses)).toEqual({ accepted: 300, duplicates: 200, rejected: [] })
    expect((await service.ofKey(key.id)).total).toBe(500)
  })

  test('the same name of another key is another use', async () => {
    const { service, storage, use } = await open()
    const other = aKey()
    await storage.keys.insert(other)
    const report = [use({ id: 'same' }), use({ id: 'same', keyId: other.id })]
    expect(await service.report(report)).toMatchObject({ accepted: 2, duplicates: 0 })
  })

  test('rejects each wrong use alone, and keeps the order of the list', async () => {
    const { service, key, use } = await open()
    const report = [use({ status: 0 }), use(), use({ keyId: 'key_none' }), use({ at: 'x' }), use()]
    const { rejected, ...counts } = await service.report(report)
    expect(counts).toEqual({ accepted: 2, duplicates: 0 })
    expect(rejected.map(({ index }) => index)).toEqual([0, 2, 3])
    expect(rejected[1]?.reason).toBe('keyId names no key.')
    expect((await service.ofKey(key.id)).total).toBe(2)
  })

  test('has 200 endpoints of a key in a day, in one list or many', async () => {
    const { time, service, key, use } = await open()
    const reportPaths = (from: number, count: number) =>
      service.report(Array.from({ length: count }, (_, index) => use({ endpoint: `/${from + index}`, latencyMs: 1 })))
    expect(await reportPaths(0, 150)).toMatchObject({ accepted: 150, rejected: [] })
    const { accepted, rejected } = await reportPaths(100, 102)
    expect([accepted, rejected]).toEqual([
      100,
      [100, 101].map((index) => ({
        index,
        reason:
          "the key has 200 endpoints today already: report the route's pattern, such as /orders/:id, and no path with an id.",
      })),
    ])
    expect((await service.ofKey(key.id)).total).toBe(250)
    time.now += DAY
    expect(await reportPaths(300, 1)).toMatchObject({ accepted: 1, rejected: [] })
  })

  test('of others’ keys is rejected like one of no key, and written down once', async () => {
    const { service, storage, use } = await open()
    const [own, ...theirs] = [aKey({ organizationId: 'org_a' }), aKey({ organizationId: 'org_b' }), aKey()]
    for (const record of [own, ...theirs]) await storage.keys.insert(record)
    const uses = [own, ...theirs].map(({ id }) => use({ keyId: id }))
    const report = await service.report(
      [...uses, use({ keyId: 'key_none' })],
      actorWith(['*'], { organizationId: 'org_a' }),
    )
    const reason = 'keyId names no key.'
    expect(report).toEqual({ accepted: 1, duplicates: 0, rejected: [1, 2, 3].map((index) => ({ index, reason })) })
    expect([...storage.rows.audit.values()]).toMatchObject([
      { action: 'cross_tenant_attempt', subject: theirs[0]?.id, organizationId: 'org_a' },
    ])
    expect([...storage.rows.usageReceipts.values()].map(({ keyId }) => keyId)).toEqual([own.id])
  })

  test('moves the last use of its keys forward, never into the future', async () => {
    const { service, storage, key, use } = await open()
    const lastUsedAt = async () => (await storage.keys.find(key.id))?.lastUsedAt
    await service.report([use({ at: toTimestamp(NOW - HOUR) }), use({ at: toTimestamp(NOW - DAY) })])
    expect(await lastUsedAt()).toBe(NOW - HOUR)
    await service.report([use({ at: toTimestamp(NOW - DAY) })])
    expect(await lastUsedAt()).toBe(NOW - HOUR)
    await service.report([use({ at: toTimestamp(NOW + 60_000) })])
    expect(await lastUsedAt()).toBe(NOW)
    await service.report([use({ status: 1 })])
    expect(storage.calls.filter((call) => call === 'usage.accept')).toHaveLength(3)
  })

  // What JavaScript may give.
  test.each([
    ['nothing', []],
    ['no list', JSON.parse('{ "length": 1 }')],
    ['too many', Array(1001).fill({})],
  ])('of %s is refused', async (_, uses) => {
    const { service, storage } = await open()
    await expectInvalid(service.report(uses), 'events')
    expect(storage.calls.filter((call) => call.startsWith('usage.'))).toEqual([])
  })
})

describe('purging', () => {
  test('deletes what is older than it is kept, and says how much so far', async () => {
    const { service, storage, time, use } = await open()
    await service.report([use(), use({ endpoint: '/b' })])
    const left = () => [...storage.rows.usage.values()].map(({ period }) => period).sort()
    expect(left()).toEqual(['day', 'day', 'day', 'hour', 'hour', 'hour', 'minute', 'total'])
    expect(await service.purge()).toBe(0)
    time.now = NOW + 3 * HOUR
    expect(await service.purge()).toBe(1)
    time.now = NOW + 91 * DAY
    const heard: number[] = []
    expect(await service.purge({ onProgress: (deleted) => heard.push(deleted) })).toBe(5)
    expect(heard).toEqual([0, 3, 3, 5])
    expect(left()).toEqual(['day', 'day', 'day', 'total'])
    expect(storage.rows.usageReceipts.size).toBe(0)
    time.now = NOW + 731 * DAY
    expect(await service.purge()).toBe(3)
    expect((await service.stats()).requests).toBe(2)
  })
})
