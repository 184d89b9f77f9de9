/** What becomes of the disk when files of the journal cannot be made. */
import { afterAll, afterEach, expect, spyOn, test } from 'bun:test'
import { mkdtempSync, readdirSync } from 'node:fs'
import * as promises from 'node:fs/promises'
import { join } from 'node:path'
import { Journal } from '../../../../src/recording/usage/journal/journal.ts'
import { createDatabaseDirectory, removeDirectory } from '../../../support/directories.ts'
import { DATABASE, openRecorder, START } from '../support.ts'

const folder = createDatabaseDirectory('machine-auth-journal-failures')
afterAll(() => removeDirectory(folder))
const newDirectory = () => join(mkdtempSync(join(folder, 'process-')), 'usage')

const spies: { mockRestore(): void }[] = []
afterEach(() => {
  for (const spy of spies.splice(0)) spy.mockRestore()
})

function failing(code: string): never {
  throw Object.assign(new Error(code), { code })
}

test('a file that cannot be mapped is deleted, and no other is made until a pause is over', async () => {
  const map = spyOn(Bun, 'mmap').mockImplementation(() => failing('ENODEV'))
  spies.push(map)
  const directory = newDirectory()
  let now = START
  const { recorder, warnings } = openRecorder({ journal: directory, clock: () => now })
  for (let round = 0; round < 30; round++) {
    recorder.count('key_1', '', 'GET', '/', 200, 1)
    await recorder.flush()
    now += 100
  }
  expect(readdirSync(directory)).toEqual([])
  // At once, after 1 s and 2 s.
  expect(map.mock.calls.length).toBeLessThanOrEqual(3)
  expect(warnings).toHaveLength(1)
  await recorder.stop()
})

test('requests do not try again to make a file on a full disk: rounds do, with a growing pause', async () => {
  const directory = newDirectory()
  let now = START
  const warnings: string[] = []
  const journal = new Journal({
    directory,
    segmentBytes: 4096,
    mostBytes: 65_536,
    identity: DATABASE,
    clock: () => now,
    warn: (message) => warnings.push(message),
  })
  // The first file is made at once; the next ones are made by these.
  const opened = spyOn(promises, 'open').mockImplementation(() => Promise.reject(failing('ENOSPC')))
  spies.push(opened)
  for (let request = 0; request < 200; request++) {
    journal.append('key_1', '', 'GET', '/', 200, 1, now)
    await new Promise(setImmediate)
  }
  expect(opened).toHaveBeenCalledTimes(1)
  for (let second = 0; second < 60; second++) {
    await journal.prepare()
    now += 1000
  }
  expect(opened.mock.calls.length).toBeLessThan(20)
  expect(warnings).toHaveLength(1)
  await journal.stop(true)
  expect(readdirSync(directory)).toEqual([])
})
