/** Clocks of machines are wrong at times; what they say when they are right again must count. */
import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { createDatabaseDirectory, removeDirectory } from '../../support/directories.ts'
import { createRecordedRows } from '../../support/memory-recording.ts'
import { openRecorder, START, storeOf } from './support.ts'

const folder = createDatabaseDirectory('machine-auth-clock')
afterAll(() => removeDirectory(folder))

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const kinds = [
  ['buffered', () => null],
  ['journaled', () => mkdtempSync(join(folder, 'journal-'))],
] as const

const jumps = [
  [
    'an hour after a jump ahead and back',
    [START + 400 * DAY, START, START + HOUR],
    [START, START + HOUR, START + 400 * DAY],
  ],
  ['the hour before a small step back', [START, START - MINUTE], [START]],
  ['the hours of two jumps back', [START + 2 * HOUR, START + HOUR, START], [START, START + HOUR, START + 2 * HOUR]],
] as const

const cases = kinds.flatMap(([kind, journal]) => jumps.map((jump) => [kind, ...jump, journal] as const))

test.each(cases)('%s: requests are counted in %s', async (_, __, times, hours, journal) => {
  const rows = createRecordedRows()
  const time = { now: START }
  const { recorder } = openRecorder({ store: storeOf(rows).store, journal: journal(), clock: () => time.now })
  for (const at of times) {
    time.now = at
    recorder.count('key_1', '', 'GET', '/', 200, 1)
  }
  expect(await recorder.flush()).toBe(true)
  const counted = [...rows.usage.values()].filter(({ keyId, period }) => keyId === 'key_1' && period === 'hour')
  expect(counted.map(({ start }) => start).sort()).toEqual([...hours])
  await recorder.stop()
})

test('last uses are written on after a jump ahead and back', async () => {
  const { store, touched } = storeOf(createRecordedRows())
  const time = { now: START + 400 * DAY }
  const { recorder } = openRecorder({ store, clock: () => time.now })
  for (const now of [START + 400 * DAY, START, START + MINUTE]) {
    time.now = now
    recorder.touch('key_1')
    await recorder.flush()
  }
  expect(touched.flat().map(({ at }) => at)).toEqual([START + 400 * DAY, START, START + MINUTE])
  await recorder.stop()
})
