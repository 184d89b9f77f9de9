/** Files of the journal: one after the other without a gap, for their owner alone, and never more than agreed. */
import { afterAll, expect, jest, test } from 'bun:test'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { headerLine, labelsLine } from '../../../../src/recording/usage/journal/lines.ts'
import { createDatabaseDirectory, removeDirectory } from '../../../support/directories.ts'
import { createRecordedRows } from '../../../support/memory-recording.ts'
import { type Fate, openRecorder, requestsOf, START, STUCK, storeOf } from '../support.ts'

const folder = createDatabaseDirectory('machine-auth-journal')
afterAll(() => removeDirectory(folder))
const newDirectory = () => join(mkdtempSync(join(folder, 'process-')), 'usage')

const HOURS = 3_600_000
const SMALL = { segmentBytes: 16_384, journalBytes: 65_536 }

function open(journal: string, rows = createRecordedRows(), fates: Fate[] = []) {
  const { store } = storeOf(rows, fates)
  return { ...openRecorder({ store, journal, bounds: SMALL }), rows }
}

type Recorder = ReturnType<typeof open>['recorder']

function count(recorder: Recorder, requests: number): void {
  for (let index = 0; index < requests; index++) recorder.count('key_1', 'org_1', 'GET', '/', 200, 0.25)
}

test('nothing is made before the first request; then a file of zeros behind its text, for its owner alone', async () => {
  const directory = newDirectory()
  const { recorder } = open(directory)
  await recorder.start()
  expect(await recorder.flush()).toBe(true)
  expect(() => statSync(directory)).toThrow('ENOENT')
  count(recorder, 2)
  const [name = ''] = readdirSync(directory)
  expect(statSync(directory).mode & 0o777).toBe(0o700)
  expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600)
  const [header, ...lines] = readFileSync(join(directory, name), 'utf8').split('\n')
  expect(JSON.parse(header ?? '')).toMatchObject({ usage: 1, at: START })
  expect(lines.slice(0, 3)).toEqual(['{"c":[0,"key_1","org_1","GET","/",200]}', '0 0 250', '0 0 250'])
  expect(lines[3]).toMatch(/^\0+$/)
  await recorder.stop()
  expect(readdirSync(directory)).toEqual([])
})

test('requests go on in the next file when one is full, and files that are counted are deleted', async () => {
  const directory = newDirectory()
  const { recorder, rows, warnings } = open(directory)
  count(recorder, 3000)
  expect(readdirSync(directory).length).toBeGreaterThan(2)
  expect(await recorder.flush()).toBe(true)
  expect(requestsOf(rows, 'hour', 'keys')).toBe(3000)
  // The one that is written to, and perhaps the one after it.
  expect(readdirSync(directory).length).toBeLessThanOrEqual(2)
  expect(warnings).toEqual([])
  expect(recorder.figures).toMatchObject({ journalBytes: 0, buffered: 0, dropped: 0 })
  await recorder.stop()
})

test('beyond the agreed size requests are counted in memory, and beyond that dropped and told of once', async () => {
  const directory = newDirectory()
  const rows = createRecordedRows()
  const fates: Fate[] = ['refused']
  const { store } = storeOf(rows, fates)
  const { recorder, warnings } = openRecorder({ store, journal: directory, bounds: { ...SMALL, counters: 2 } })
  for (let index = 0; index < 20_000; index++) recorder.count(`key_${index % 5}`, '', 'GET', '/', 200, 1)
  const size = readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)
  expect(size).toBeLessThanOrEqual(SMALL.journalBytes)
  const { dropped } = recorder.figures
  expect(dropped).toBeGreaterThan(0)
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toContain('no room')
  expect(await recorder.flush()).toBe(false)
  expect(await recorder.flush()).toBe(true)
  expect(requestsOf(rows, 'total', 'all')).toBe(20_000 - dropped)
  await recorder.stop()
})

test('of a directory that cannot be written the start tells, with its name and what to do', async () => {
  const file = join(mkdtempSync(join(folder, 'process-')), 'file')
  writeFileSync(file, '')
  for (const directory of [file, join(file, 'usage')]) {
    const { recorder } = open(directory)
    recorder.serve()
    await expect(recorder.start()).rejects.toThrow(
      `usage: cannot keep the journal in "${directory}": a part of the path is a file, not a directory (ENOTDIR). Name a directory that this process may write as usage.journal, or choose usage.durability: 'buffered'.`,
    )
  }
})

test('when no file can be made later, requests are counted in memory until one can, and it is told once', async () => {
  const directory = newDirectory()
  const rows = createRecordedRows()
  let now = START
  const { recorder, warnings } = openRecorder({
    ...{ store: storeOf(rows).store, journal: directory, bounds: SMALL },
    clock: () => now,
  })
  await recorder.start()
  writeFileSync(directory, 'in the way')
  count(recorder, 5)
  expect(await recorder.flush()).toBe(true)
  count(recorder, 5)
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toContain(`usage: cannot keep the journal in "${directory}"`)
  expect(warnings[0]).toContain('counted in memory')
  unlinkSync(directory)
  // Off the path a file is tried again, after a pause.
  now += 2000
  expect(await recorder.flush()).toBe(true)
  count(recorder, 5)
  expect(readdirSync(directory)).toHaveLength(1)
  expect(await recorder.flush()).toBe(true)
  expect(requestsOf(rows, 'total', 'all')).toBe(15)
  await recorder.stop()
})

test('files whose directory was deleted are written to no more, and what was in them is counted', async () => {
  const directory = newDirectory()
  const { recorder, rows } = open(directory)
  count(recorder, 10)
  rmSync(directory, { recursive: true })
  count(recorder, 10)
  expect(await recorder.flush()).toBe(true)
  count(recorder, 10)
  expect(readdirSync(directory)).toHaveLength(1)
  await recorder.stop()
  expect(requestsOf(rows, 'total', 'all')).toBe(30)
})

test('what could not be written before the end is counted by the next process, once', async () => {
  const directory = newDirectory()
  const rows = createRecordedRows()
  const first = openRecorder({ store: STUCK, journal: directory })
  count(first.recorder, 7)
  jest.useFakeTimers()
  const stopped = first.recorder.stop()
  jest.advanceTimersByTime(2000)
  jest.useRealTimers()
  await stopped
  expect(first.warnings).toEqual([])
  expect(readdirSync(directory)).toHaveLength(1)
  const second = open(directory, rows)
  expect(await second.recorder.flush()).toBe(true)
  expect(requestsOf(rows, 'total', 'all')).toBe(7)
  expect(readdirSync(directory)).toEqual([])
})

/** A file as a process left it that this one knows nothing of. */
function leave(name: string, text: string, age: number): string {
  const directory = newDirectory()
  mkdirSync(directory)
  writeFileSync(join(directory, name), text + '\0'.repeat(100))
  const at = new Date(Date.now() - age)
  utimesSync(join(directory, name), at, at)
  return directory
}

const labels = { keyId: 'key_1', organizationId: '', method: 'GET', route: '/', status: 200 }
const TEXT = `${headerLine({ database: 'this-one', at: START, owner: 'another machine' }) + labelsLine(0, labels)}0 1 2\n0 1 2\n`
const GONE = headerLine({ database: 'this-one', at: START, owner: 'another machine' })

test.each([
  ['is counted and stays, for its process may live', 'a.journal', TEXT, 0, 2, true],
  ['is counted and deleted after two hours', 'a.journal', TEXT, 2 * HOURS + 60_000, 2, false],
  ['is counted and deleted when it says that nothing follows', 'a.journal', `${TEXT}.\n`, 0, 2, false],
  ['with half a line is counted without it', 'a.journal', `${TEXT}0 1 9`, 2 * HOURS + 60_000, 2, false],
  ['without a request is deleted after two hours', 'a.journal', GONE, 2 * HOURS + 60_000, 0, false],
  ['that says nothing stays', 'a.journal', '', 2 * HOURS + 60_000, 0, true],
  ['of another database stays', 'a.journal', TEXT.replace('this-one', 'another'), 2 * HOURS + 60_000, 0, true],
  ['of another version stays', 'a.journal', TEXT.replace('"usage":1', '"usage":2'), 2 * HOURS + 60_000, 0, true],
  ['of another name stays', 'a.txt', TEXT, 2 * HOURS + 60_000, 0, true],
])('a journal of another process %s', async (_, name, text, age, counted, stays) => {
  const directory = leave(name, text, age)
  const { recorder, rows } = open(directory)
  expect(await recorder.flush()).toBe(true)
  expect(requestsOf(rows, 'total', 'all')).toBe(counted)
  expect(readdirSync(directory)).toEqual(stays ? [name] : [])
})

test('a journal of a process that was killed on this machine is deleted once it is counted', async () => {
  const directory = newDirectory()
  const script = `
    const { openRecorder } = await import(${JSON.stringify(join(import.meta.dir, '../support.ts'))})
    const { recorder } = openRecorder({ journal: ${JSON.stringify(directory)} })
    for (let index = 0; index < 50_000; index++) recorder.count('key_1', '', 'GET', '/', 200, 1)
    process.kill(process.pid, 'SIGKILL')`
  const child = Bun.spawn([process.execPath, '-e', script], { stdio: ['ignore', 'ignore', 'inherit'] })
  await child.exited
  expect(child.signalCode).toBe('SIGKILL')
  expect(readdirSync(directory).length).toBeGreaterThan(1)
  const { recorder, rows } = open(directory)
  expect(await recorder.flush()).toBe(true)
  expect(requestsOf(rows, 'total', 'all')).toBe(50_000)
  expect(readdirSync(directory)).toEqual([])
}, 20_000)
