import { afterEach, beforeEach, describe, expect, jest, test } from 'bun:test'
import { createRecordedRows } from '../../support/memory-recording.ts'
import { type Fate, openRecorder, requestsOf, START, STUCK, type Store, storeOf } from './support.ts'

const MINUTE = 60_000
const HOUR = 3_600_000

type Recorder = ReturnType<typeof openRecorder>['recorder']

function count(recorder: Recorder, keyId = 'key_1', status = 200, elapsed = 1): void {
  recorder.count(keyId, 'org_1', 'GET', '/', status, elapsed)
}

function open(fates: Fate[] = [], setup: Parameters<typeof openRecorder>[0] = {}) {
  const rows = createRecordedRows()
  const seen = storeOf(rows, fates)
  return { ...seen, ...openRecorder({ store: seen.store, ...setup }), rows }
}

describe('what a request is counted as', () => {
  test('rows of its key by hour and day, and of all requests by minute, hour, day and in all', async () => {
    const now = START + 5 * HOUR + 7 * MINUTE + 1234
    const { recorder, rows } = open([], { clock: () => now })
    recorder.count('key_1', 'org_1', 'GET', '/users/:id', 404, 0.75)
    recorder.count('key_1', 'org_1', 'GET', '/users/:id', 404, 1200)
    expect(await recorder.flush()).toBe(true)
    const own = { keyId: 'key_1', organizationId: 'org_1', method: 'GET', route: '/users/:id' }
    const all = { keyId: '*', organizationId: '', method: '', route: '' }
    const sums = { status: 404, requests: 2, duration: 1_200_750, latency1: 1, latency11: 1, latency0: 0 }
    expect([...rows.usage.values()]).toMatchObject([
      { ...own, period: 'hour', start: START + 5 * HOUR, ...sums },
      { ...own, period: 'day', start: START, ...sums },
      { ...all, period: 'minute', start: START + 5 * HOUR + 7 * MINUTE, ...sums },
      { ...all, period: 'hour', start: START + 5 * HOUR, ...sums },
      { ...all, period: 'day', start: START, ...sums },
      { ...all, period: 'total', start: 0, ...sums },
    ])
    expect(rows.usage.size).toBe(6)
  })

  test.each([
    [-1, 0],
    [Number.NaN, 0],
    [Number.POSITIVE_INFINITY, 86_400_000_000],
    [0.0004, 0],
    [0.0006, 1],
  ])('a stopwatch that says %p ms adds %p µs', async (elapsed, duration) => {
    const { recorder, rows } = open()
    count(recorder, 'key_1', 200, elapsed)
    await recorder.flush()
    for (const row of rows.usage.values()) expect(row).toMatchObject({ requests: 1, duration })
  })

  test('by the hour it came in, and in the last one when the clock is set back', async () => {
    let now = START + HOUR - 1
    const { recorder, rows } = open([], { clock: () => now })
    count(recorder)
    now += 1
    count(recorder)
    now -= MINUTE / 2
    count(recorder)
    await recorder.flush()
    const hours = [...rows.usage.values()].filter(({ period, keyId }) => period === 'hour' && keyId !== '*')
    expect(hours.map(({ start, requests }) => [start, requests])).toEqual([
      [START, 1],
      [START + HOUR, 2],
    ])
    expect(requestsOf(rows, 'day', 'keys')).toBe(3)
  })
})

describe('room', () => {
  test('requests of counters that there is no room for are dropped, told of once, and counted again after a flush', async () => {
    const { recorder, rows, warnings } = open([], { bounds: { counters: 4 } })
    for (let index = 0; index < 10; index++) count(recorder, `key_${index}`)
    // Three keys and what all requests come to.
    expect(recorder.figures).toMatchObject({ buffered: 4, dropped: 7 })
    count(recorder, 'key_0')
    expect(recorder.figures.dropped).toBe(7)
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toStartWith('usage: 4 counters wait to be written, and there is no room for more')
    expect(await recorder.flush()).toBe(true)
    count(recorder, 'key_9')
    await recorder.flush()
    expect(requestsOf(rows, 'total', 'all')).toBe(5)
    expect(warnings).toHaveLength(1)
    for (let index = 0; index < 10; index++) count(recorder, `key_${index}`)
    expect(warnings).toHaveLength(2)
  })
})

describe('a flush', () => {
  test('waits for the one under way, and writes what was counted since', async () => {
    const { recorder, rows } = open()
    count(recorder)
    const first = recorder.flush()
    count(recorder)
    expect(await Promise.all([first, recorder.flush(), recorder.flush()])).toEqual([true, true, true])
    expect(requestsOf(rows, 'total', 'all')).toBe(2)
    expect(recorder.figures.flushes).toBe(2)
  })

  test('writes as many counters in one transaction as is agreed, and what they come to with the last', async () => {
    const steps: unknown[] = []
    const rows = createRecordedRows()
    const { store } = storeOf(rows)
    const record: Store['record'] = (write) => {
      steps.push([write.from, write.to, write.rows.length])
      return store.record(write)
    }
    const { recorder } = openRecorder({ store: { ...store, record }, batchSize: 2 })
    for (let index = 0; index < 5; index++) count(recorder, `key_${index}`)
    await recorder.flush()
    expect(steps).toEqual([
      [{ position: 0, target: 0, written: 0 }, { position: 0, target: 5, written: 2 }, 4],
      [{ position: 0, target: 5, written: 2 }, { position: 0, target: 5, written: 4 }, 4],
      [{ position: 0, target: 5, written: 4 }, { position: 5, target: 5, written: 0 }, 6],
    ])
  })

  test('of nothing asks the database for nothing', async () => {
    const { recorder } = openRecorder({ store: STUCK })
    expect(await recorder.flush()).toBe(true)
    await recorder.stop()
  })

  test('that fails says so, and of an outage it is told once', async () => {
    const { recorder, warnings, fates } = open(new Array<Fate>(5).fill('refused'))
    count(recorder)
    for (let times = 0; times < 5; times++) expect(await recorder.flush()).toBe(false)
    expect(recorder.figures).toMatchObject({ failures: 5, isFailing: true, buffered: 2 })
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toStartWith('usage: what was counted could not be written 3 times in a row')
    expect(await recorder.flush()).toBe(true)
    expect(recorder.figures).toMatchObject({ failures: 5, isFailing: false, buffered: 0 })
    fates.push('refused', 'refused', 'refused')
    count(recorder)
    for (let times = 0; times < 3; times++) await recorder.flush()
    expect(warnings).toHaveLength(2)
  })
})

describe('stopping', () => {
  test('writes what is left, and from then on counts nothing', async () => {
    const { recorder, rows, touched, warnings } = open()
    recorder.start()
    count(recorder)
    recorder.touch('key_1')
    await recorder.stop()
    count(recorder)
    recorder.touch('key_2')
    await recorder.flush()
    expect(requestsOf(rows, 'total', 'all')).toBe(1)
    expect(touched).toEqual([[{ keyId: 'key_1', at: START }]])
    expect(warnings).toEqual([])
  })

  test('tries again in the time it has: a moment of a lock loses nothing', async () => {
    const { recorder, rows, warnings } = open(['refused', 'refused'])
    count(recorder)
    await recorder.stop()
    expect(requestsOf(rows, 'total', 'all')).toBe(1)
    expect(warnings).toEqual([])
  })

  describe('when the database does not answer', () => {
    beforeEach(() => jest.useFakeTimers())
    afterEach(() => jest.useRealTimers())

    test('ends after two seconds, and says how many requests are lost', async () => {
      const { recorder, warnings } = openRecorder({ store: STUCK })
      recorder.start()
      for (let times = 0; times < 3; times++) count(recorder)
      const stopped = recorder.stop()
      jest.advanceTimersByTime(2000)
      await stopped
      expect(warnings).toEqual([
        'usage: the database did not take the counts of 3 requests before the end: they are lost',
      ])
    })
  })
})
