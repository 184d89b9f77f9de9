/** The last use of a key is told with the request that is counted, however that is kept. */
import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRecordedRows } from '../../support/memory-recording.ts'
import { type Fate, openRecorder, START, storeOf } from './support.ts'

const CASES = [
  { name: 'in memory', isJournaled: false, counters: 20_000 },
  { name: 'in the journal', isJournaled: true, counters: 20_000 },
  { name: 'nowhere, since there is no room', isJournaled: false, counters: 0 },
] as const

test.each([...CASES])('where requests are counted $name', async ({ isJournaled, counters }) => {
  const journal = isJournaled ? mkdtempSync(join(tmpdir(), 'machine-auth-uses-')) : null
  const { store, touched } = storeOf(createRecordedRows())
  let now = START
  const { recorder } = openRecorder({ store, journal, clock: () => now, bounds: { counters } })
  await recorder.start()
  recorder.count('key_1', '', 'GET', '/a', 200, 1, true)
  recorder.count('key_2', '', 'GET', '/a', 200, 1, true)
  now += 5
  recorder.count('key_1', '', 'GET', '/b', 200, 1, true)
  now += 5
  recorder.count('key_1', '', 'GET', '/a', 429, 1, false)
  recorder.count('key_3', '', 'GET', '/a', 401, 1)
  expect(await recorder.flush()).toBe(true)
  expect(touched).toEqual([
    [
      { keyId: 'key_1', at: START + 5 },
      { keyId: 'key_2', at: START },
    ],
  ])
  await recorder.stop()
  if (journal !== null) rmSync(journal, { recursive: true, force: true })
})

test('what is counted while the database is away is told when it is back', async () => {
  const fates: Fate[] = ['refused']
  const { store, touched } = storeOf(createRecordedRows(), fates)
  let now = START
  const { recorder } = openRecorder({ store, clock: () => now })
  recorder.count('key_1', '', 'GET', '/', 200, 1, true)
  expect(await recorder.flush()).toBe(false)
  now += 5
  recorder.count('key_1', '', 'GET', '/', 200, 1, true)
  expect(await recorder.flush()).toBe(true)
  expect(touched).toEqual([[{ keyId: 'key_1', at: START + 5 }]])
  await recorder.stop()
})
