import { expect, test } from 'bun:test'
import { purgeUsage } from '../../../src/recording/usage/retention.ts'
import { START } from './support.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

test('each kind of row goes at its age, in batches until none is left', async () => {
  const asked: unknown[] = []
  const left = new Map<string, number>([
    ['minute', 2500],
    ['hour', 10],
    ['day', 1000],
    ['receipts', 1],
  ])
  const take = (kind: string, before: number, limit: number) => {
    const purged = Math.min(left.get(kind) ?? 0, limit)
    left.set(kind, (left.get(kind) ?? 0) - purged)
    asked.push([kind, START - before])
    return Promise.resolve(purged)
  }
  const store = {
    purge: take,
    purgeReceipts: (before: number, limit: number) => take('receipts', before, limit),
    async purgeCheckpoints(before: number) {
      asked.push(['checkpoints', START - before])
      return 4
    },
  }
  expect(await purgeUsage({ store, retention: 90 * DAY, dailyRetention: 730 * DAY }, START)).toBe(3515)
  expect(asked).toEqual([
    ['minute', 2 * HOUR],
    ['minute', 2 * HOUR],
    ['minute', 2 * HOUR],
    ['hour', 90 * DAY],
    ['day', 730 * DAY],
    ['day', 730 * DAY],
    ['receipts', 31 * DAY],
    ['checkpoints', 90 * DAY],
  ])
})
