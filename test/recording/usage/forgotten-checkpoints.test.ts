/** Checkpoints are deleted after months; what they stand for must not count again. */
import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { purgeUsage } from '../../../src/recording/usage/retention.ts'
import { createDatabaseDirectory, removeDirectory } from '../../support/directories.ts'
import { createRecordedRows, usageVerbs } from '../../support/memory-recording.ts'
import { openRecorder, requestsOf, START, storeOf } from './support.ts'

const folder = createDatabaseDirectory('machine-auth-checkpoints')
afterAll(() => removeDirectory(folder))

const HOUR = 3_600_000
const DAY = 24 * HOUR

function open(journal: string | null) {
  const rows = createRecordedRows()
  const time = { now: START }
  const { recorder } = openRecorder({ store: storeOf(rows).store, journal, clock: () => time.now })
  const verbs = usageVerbs(rows, new Map())
  const store = {
    purge: async () => 0,
    purgeReceipts: async () => 0,
    purgeCheckpoints: async (before: number) => verbs.purgeCheckpoints(before),
  }
  return {
    ...{ recorder, rows, time },
    count: () => recorder.count('key_1', '', 'GET', '/', 200, 1),
    purge: () => purgeUsage({ store, retention: DAY, dailyRetention: DAY }, time.now),
  }
}

const kinds = [
  ['buffered', () => null],
  ['journaled', () => mkdtempSync(join(folder, 'journal-'))],
] as const

test.each(kinds)('%s: while its process lives, an idle checkpoint is kept', async (_, journal) => {
  const { recorder, rows, time, count, purge } = open(journal())
  count()
  await recorder.flush()
  for (let day = 0; day < 200; day++) {
    time.now += DAY
    await recorder.flush()
    expect(await purge()).toBe(0)
  }
  count()
  await recorder.flush()
  expect(requestsOf(rows, 'total', 'all')).toBe(2)
  await recorder.stop()
})

test.each(kinds)('%s: where it is deleted all the same, nothing counts twice', async (_, journal) => {
  const { recorder, rows, time, count, purge } = open(journal())
  for (let request = 0; request < 100; request++) count()
  await recorder.flush()
  time.now += 91 * DAY
  expect(await purge()).toBe(1)
  count()
  await recorder.flush()
  expect(requestsOf(rows, 'total', 'all')).toBe(101)
  count()
  await recorder.flush()
  expect(requestsOf(rows, 'total', 'all')).toBe(102)
  await recorder.stop()
})
