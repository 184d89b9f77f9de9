import { beforeEach, describe, expect, test } from 'bun:test'
import { START_OF_JOURNAL } from '../../src/storage/ports/usage.ts'
import type { UsageRecord } from '../../src/storage/records.ts'
import { aUsage, NOW } from './fixtures.ts'
import type { Open, Opened } from './support.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const MIDNIGHT = NOW - (NOW % DAY)
const ALL = { keyId: '*', method: '', route: '' } as const

export function describeUsageSums(name: string, open: Open): void {
  describe(name, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    const usage = () => opened.storage.usage
    const sums = (given: Partial<Parameters<ReturnType<typeof usage>['sumsOfKey']>[0]> = {}) =>
      usage().sumsOfKey({ keyId: 'key_1', period: 'hour', from: NOW, to: NOW + 10, ...given })
    const record = (rows: readonly Partial<UsageRecord>[]) =>
      usage().record({
        journal: 'one',
        from: START_OF_JOURNAL,
        to: { position: 1, target: 1, written: 0 },
        rows: rows.map(aUsage),
        now: NOW,
      })

    test('the requests of a key are added up by status, endpoint and period', async () => {
      await record([
        { requests: 3, duration: 10, latency2: 2, latency0: 1 },
        { requests: 2, duration: 20, latency2: 0, latency11: 2, status: 404 },
        { requests: 4, duration: 30, latency2: 4, method: 'POST', start: NOW + 1 },
        { requests: 1, duration: 40, status: 500, method: 'POST', start: NOW + 1, organizationId: 'org_1' },
        { requests: 1, duration: 50, status: 399, route: '', start: NOW + 3 },
        { requests: 100, keyId: 'key_2' },
        { requests: 100, period: 'day' },
      ])
      expect(await sums()).toEqual({
        statuses: [
          { status: 200, requests: 7 },
          { status: 399, requests: 1 },
          { status: 404, requests: 2 },
          { status: 500, requests: 1 },
        ],
        endpoints: [
          { method: 'GET', route: '/api/data', requests: 5 },
          { method: 'POST', route: '/api/data', requests: 5 },
          { method: 'GET', route: '', requests: 1 },
        ],
        series: [
          { start: NOW, requests: 5, errors: 2 },
          { start: NOW + 1, requests: 5, errors: 1 },
          { start: NOW + 3, requests: 1, errors: 0 },
        ],
        latencies: [1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 2],
        duration: 150,
      })
    })

    test('of hours over days each request counts once', async () => {
      const hours = Array.from({ length: 76 }, (_, hour) => ({
        start: MIDNIGHT + hour * HOUR,
        status: 200 + (hour % 2),
      }))
      const days = hours.map(({ start, status }) => ({ period: 'day', start: start - (start % DAY), status }) as const)
      await record([...hours, ...days])
      for (const [from, to] of [
        [0, 76],
        [1, 75],
        [5, 50],
        [5, 20],
        [24, 48],
        [23, 49],
        [30, 60],
      ] as const) {
        const query = { from: MIDNIGHT + from * HOUR, to: MIDNIGHT + to * HOUR }
        const { series, endpoints, statuses, duration } = await sums(query)
        const requests = to - from
        expect(series.map(({ start }) => start)).toEqual(hours.slice(from, to).map(({ start }) => start))
        expect(endpoints).toEqual([{ method: 'GET', route: '/api/data', requests }])
        expect(statuses.reduce((sum, each) => sum + each.requests, 0)).toBe(requests)
        expect(duration).toBe(2000 * requests)
      }
    })

    test.each([
      { name: 'the first period counts, the one at the end does not', from: NOW, to: NOW + 2, starts: [0, 1] },
      { name: 'what lies before does not count', from: NOW + 1, to: NOW + 10, starts: [1, 2] },
      { name: 'no time has no requests', from: NOW, to: NOW, starts: [] },
    ])('$name', async ({ from, to, starts }) => {
      await record([0, 1, 2].map((offset) => ({ start: NOW + offset })))
      const { series, statuses, endpoints } = await sums({ from, to })
      expect(series).toEqual(starts.map((offset) => ({ start: NOW + offset, requests: 1, errors: 0 })))
      expect(statuses).toEqual(starts.length === 0 ? [] : [{ status: 200, requests: starts.length }])
      expect(endpoints.map(({ requests }) => requests)).toEqual(starts.length === 0 ? [] : [starts.length])
    })

    test('a key without requests has zeros', async () => {
      const none = { statuses: [], endpoints: [], series: [], duration: 0 }
      expect(await sums()).toEqual({ ...none, latencies: Array.from({ length: 12 }, () => 0) })
    })

    test('of many endpoints the 200 most used are answered', async () => {
      await record(Array.from({ length: 250 }, (_, index) => ({ route: `/${index}`, requests: 1 + (index % 250) })))
      const { endpoints, statuses } = await sums()
      expect(endpoints).toHaveLength(200)
      expect(endpoints.map(({ requests }) => requests)).toEqual(Array.from({ length: 200 }, (_, index) => 250 - index))
      expect(statuses).toEqual([{ status: 200, requests: (250 * 251) / 2 }])
    })

    test('of more rows than are read at once each counts once', async () => {
      const rows = Array.from({ length: 1203 }, (_, index) => ({
        start: NOW + (index % 3),
        route: `/${index % 301}`,
        method: index % 2 === 0 ? 'GET' : 'PUT',
        organizationId: `org_${index % 2}`,
        status: 200 + (index % 250),
        requests: 1 + (index % 5),
      }))
      await record(rows)
      const sumBy = (is: (row: (typeof rows)[number]) => boolean) =>
        rows.filter(is).reduce((all, { requests }) => all + requests, 0)
      const { statuses, endpoints, series, duration } = await sums()
      expect(duration).toBe(1203 * 2000)
      expect(statuses).toEqual(
        Array.from({ length: 250 }, (_, index) => ({
          status: 200 + index,
          requests: sumBy(({ status }) => status === 200 + index),
        })),
      )
      expect(series).toEqual(
        [0, 1, 2].map((offset) => ({
          start: NOW + offset,
          requests: sumBy(({ start }) => start === NOW + offset),
          errors: sumBy(({ start, status }) => start === NOW + offset && status >= 400),
        })),
      )
      expect(endpoints).toHaveLength(200)
      for (const { method, route, requests } of endpoints) {
        expect(requests).toBe(sumBy((row) => row.method === method && row.route === route))
      }
    })

    test.each(['minute', 'hour', 'day', 'total'] as const)(
      'all requests together are answered by %s',
      async (period) => {
        await record([
          { ...ALL, period, start: NOW + 2, requests: 5 },
          { ...ALL, period, start: NOW + 1, requests: 3, status: 404 },
          { ...ALL, period, start: NOW + 1, requests: 2 },
          { ...ALL, period, start: NOW - 1, requests: 9 },
          { period, start: NOW + 1, requests: 9 },
          { ...ALL, period: period === 'hour' ? 'day' : 'hour', start: NOW + 1, requests: 9 },
        ])
        expect(await usage().overall(period, NOW)).toEqual([
          { start: NOW + 1, status: 200, requests: 2 },
          { start: NOW + 1, status: 404, requests: 3 },
          { start: NOW + 2, status: 200, requests: 5 },
        ])
      },
    )

    test('the busiest keys come from days, the busiest first, and none is nobody or everybody', async () => {
      const day = { period: 'day' } as const
      await record([
        { ...day, keyId: 'key_b', requests: 2 },
        { ...day, keyId: 'key_b', requests: 3, status: 400, start: NOW + 1 },
        { ...day, keyId: 'key_c', requests: 5 },
        { ...day, keyId: 'key_a', requests: 7, status: 399 },
        { ...day, keyId: 'key_d', requests: 1 },
        { ...day, keyId: 'key_d', requests: 50, start: NOW - 1 },
        { ...day, keyId: '', requests: 90 },
        { ...day, ...ALL, requests: 90 },
        { keyId: 'key_d', requests: 90 },
      ])
      const busiest = [
        { keyId: 'key_a', requests: 7, errors: 0 },
        { keyId: 'key_b', requests: 5, errors: 3 },
        { keyId: 'key_c', requests: 5, errors: 0 },
        { keyId: 'key_d', requests: 1, errors: 0 },
      ]
      expect(await usage().busiestKeys(NOW, 10)).toEqual(busiest)
      expect(await usage().busiestKeys(NOW, 2)).toEqual(busiest.slice(0, 2))
    })
  })
}
