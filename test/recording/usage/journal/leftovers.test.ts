/** What others put into the directory of a journal: files of other databases, of crash loops, and what is no file. */
import { afterAll, describe, expect, spyOn, test } from 'bun:test'
import * as fs from 'node:fs'
import {
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { createDatabaseIdentity, readDatabaseId } from '../../../../src/recording/usage/journal/database-id.ts'
import { headerLine, labelsLine } from '../../../../src/recording/usage/journal/lines.ts'
import { createDatabaseDirectory, removeDirectory } from '../../../support/directories.ts'
import { createRecordedRows, usageVerbs } from '../../../support/memory-recording.ts'
import { openRecorder, requestsOf, START, storeOf } from '../support.ts'

const folder = createDatabaseDirectory('machine-auth-leftovers')
afterAll(() => removeDirectory(folder))
const newDirectory = () => mkdtempSync(join(folder, 'journal-'))

const HOUR = 3_600_000
const labels = { keyId: 'key_1', organizationId: '', method: 'GET', route: '/', status: 200 }
const textOf = (database: string) =>
  `${headerLine({ database, at: START, owner: 'another machine' })}${labelsLine(0, labels)}0 1 2\n`

/** A process on a database of its own. */
function begin(journal: string, rows = createRecordedRows()) {
  const { store } = storeOf(rows)
  return { ...openRecorder({ store, journal, identity: createDatabaseIdentity(store) }), rows }
}

type Process = ReturnType<typeof begin>

function count({ recorder }: Process, requests: number): void {
  for (let request = 0; request < requests; request++) recorder.count('key_1', '', 'GET', '/', 200, 1)
}

function age(path: string, ms: number): void {
  const at = new Date(Date.now() - ms)
  utimesSync(path, at, at)
}

describe('a directory that two databases share', () => {
  test('each counts its own requests, those of killed processes too', async () => {
    const directory = newDirectory()
    const [killed, other] = [begin(directory), begin(directory)]
    await Promise.all([killed.recorder.start(), other.recorder.start()])
    count(killed, 7)
    count(other, 3)
    expect(await other.recorder.flush()).toBe(true)
    expect(requestsOf(other.rows, 'total', 'all')).toBe(3)
    for (const name of readdirSync(directory)) age(join(directory, name), 48 * HOUR)
    const [next, again] = [begin(directory, killed.rows), begin(directory, other.rows)]
    expect(await again.recorder.flush()).toBe(true)
    expect(requestsOf(other.rows, 'total', 'all')).toBe(3)
    expect(await next.recorder.flush()).toBe(true)
    expect(requestsOf(killed.rows, 'total', 'all')).toBe(7)
    expect(readdirSync(directory)).toEqual([])
  })

  test('while it is not known which database it is, requests are counted in memory', async () => {
    const directory = newDirectory()
    const process = begin(directory)
    count(process, 2)
    expect(readdirSync(directory)).toEqual([])
    expect(await process.recorder.flush()).toBe(true)
    count(process, 2)
    expect(readdirSync(directory)).toHaveLength(1)
    await process.recorder.stop()
    expect(requestsOf(process.rows, 'total', 'all')).toBe(4)
  })
})

describe('the id of a database', () => {
  test('is the same for all who ask, also at once, and another one for another database', async () => {
    const [one, two] = [createRecordedRows(), createRecordedRows()]
    const find = (rows: typeof one) => createDatabaseIdentity(storeOf(rows).store).find()
    expect(await readDatabaseId(storeOf(one).store)).toBeNull()
    const found = await Promise.all([find(one), find(one), find(one)])
    expect(new Set([...found, await find(one), await readDatabaseId(storeOf(one).store)]).size).toBe(1)
    expect(await find(two)).not.toBe(found[0])
  })

  test('is asked for again after the database failed, and does not get old', async () => {
    const rows = createRecordedRows()
    const identity = createDatabaseIdentity(storeOf(rows, ['unanswered']).store)
    await expect(identity.find()).rejects.toThrow('timed out')
    expect(identity.id).toBeNull()
    const id = await identity.find()
    expect(usageVerbs(rows, new Map()).purgeCheckpoints(START + 100 * 365 * 24 * HOUR)).toBe(0)
    expect(await readDatabaseId(storeOf(rows).store)).toBe(id)
  })
})

/** What is no file of a journal, and where it leads. */
const strange: readonly [string, (path: string) => void][] = [
  ['a pipe that nobody writes to', (path) => void Bun.spawnSync(['mkfifo', path])],
  ['a link to itself', (path) => symlinkSync(path, path)],
  [
    'a link to a journal',
    (path) => {
      writeFileSync(`${path}.text`, textOf('this-one'))
      symlinkSync(`${path}.text`, path)
    },
  ],
  ['a socket', (path) => void Bun.listen({ unix: path, socket: { data() {} } }).unref()],
  ['a directory', (path) => mkdirSync(path)],
  ['an empty file', (path) => writeFileSync(path, '')],
  ['a file of zeros', (path) => writeFileSync(path, new Uint8Array(4096))],
  [
    'a file that is too large',
    (path) => {
      writeFileSync(path, textOf('this-one'))
      truncateSync(path, 6 * 1024 ** 2)
    },
  ],
]

test.each(strange)('%s in the directory stays, and stops nothing', async (_, make) => {
  const directory = newDirectory()
  const path = join(directory, 'a.journal')
  make(path)
  if (lstatSync(path).isFile()) age(path, 48 * HOUR)
  writeFileSync(join(directory, 'b.journal'), textOf('this-one'))
  const { recorder, rows } = openRecorder({ journal: directory })
  recorder.count('key_1', '', 'GET', '/', 200, 1)
  expect(await recorder.flush()).toBe(true)
  expect(requestsOf(rows, 'total', 'all')).toBe(2)
  // Throws where it is gone.
  expect(lstatSync(path).nlink).toBeGreaterThan(0)
  await recorder.stop()
})

test.if(process.getuid?.() === 0)('a file of another user is not counted', async () => {
  const directory = newDirectory()
  const path = join(directory, 'a.journal')
  writeFileSync(path, textOf('this-one'))
  chownSync(path, 12_345, 12_345)
  const { recorder, rows } = openRecorder({ journal: directory })
  expect(await recorder.flush()).toBe(true)
  expect(requestsOf(rows, 'total', 'all')).toBe(0)
})

test('files of a crash loop are counted a hundred a round, and deleted two hours after they were left', async () => {
  const directory = newDirectory()
  const names = Array.from({ length: 250 }, (_, index) => `a${index}.journal`)
  for (const name of names) {
    writeFileSync(join(directory, name), textOf('this-one'))
    age(join(directory, name), 3 * HOUR)
  }
  const { recorder, rows } = openRecorder({ journal: directory })
  const left: number[] = []
  for (let round = 0; round < 4; round++) {
    expect(await recorder.flush()).toBe(true)
    left.push(readdirSync(directory).length)
  }
  expect(left).toEqual([150, 50, 0, 0])
  expect(requestsOf(rows, 'total', 'all')).toBe(250)
})

test('a file that cannot be deleted is not counted again when its checkpoint would be old', async () => {
  const directory = newDirectory()
  writeFileSync(join(directory, 'a.journal'), `${textOf('this-one')}.\n`)
  const unlink = spyOn(fs, 'unlinkSync').mockImplementation(() => {
    throw Object.assign(new Error('EPERM'), { code: 'EPERM' })
  })
  const rows = createRecordedRows()
  const time = { now: START }
  const { recorder } = openRecorder({ store: storeOf(rows).store, journal: directory, clock: () => time.now })
  for (let day = 0; day < 200; day++) {
    time.now += 24 * HOUR
    expect(await recorder.flush()).toBe(true)
    usageVerbs(rows, new Map()).purgeCheckpoints(time.now - 90 * 24 * HOUR)
  }
  unlink.mockRestore()
  expect(requestsOf(rows, 'total', 'all')).toBe(1)
  expect(readdirSync(directory)).toEqual(['a.journal'])
})
