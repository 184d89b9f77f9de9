/** Commands beside a journal of usage: they need none, and doctor looks after it. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createDatabaseIdentity } from '../../src/recording/usage/journal/database-id.ts'
import { headerLine, labelsLine } from '../../src/recording/usage/journal/lines.ts'
import { openStorage } from '../../src/storage/open.ts'
import { START_OF_JOURNAL } from '../../src/storage/ports/usage.ts'
import type { Storage } from '../../src/storage/ports.ts'
import { START } from '../support/test-app.ts'
import { type CliDirectory, createDirectory, must } from './support.ts'

let cli: CliDirectory
let directory: string
beforeEach(() => {
  cli = createDirectory()
  directory = join(cli.path, 'auth.db.usage')
})
afterEach(() => cli[Symbol.dispose]())

function configure(usage: object): void {
  writeFileSync(join(cli.path, 'machine-auth.config.json'), JSON.stringify({ usage }))
}

describe('with a journal that cannot be written', () => {
  beforeEach(() => {
    writeFileSync(join(cli.path, 'in-the-way'), '')
    configure({ durability: 'journaled', journal: join(cli.path, 'in-the-way') })
  })

  test('commands work', async () => {
    const { key } = await must(cli, ['key', 'create', '--name', 'CI'])
    const commands = [
      ['key', 'list'],
      ['key', 'usage', key.id],
      ['stats'],
      ['org', 'create', 'Acme'],
      ['purge', '--yes'],
    ]
    for (const command of commands) {
      const run = await cli.run(command)
      expect([command, run.code, run.err]).toEqual([command, 0, expect.not.stringContaining('journal')])
    }
  })

  test('serve does not start, and says why', async () => {
    const run = await cli.run(['serve', '--port', '0'], { untilStopped: () => Promise.resolve() })
    expect([run.code, run.out]).toEqual([1, ''])
    expect(run.err).toContain('usage: cannot keep the journal in')
    expect(run.err).toContain('Name a directory that this process may write as usage.journal')
  })

  test('doctor says so, and what to do', async () => {
    const run = await cli.run(['doctor'])
    expect(run.code).toBe(1)
    expect(run.out).toMatch(
      /^fail {2}usage journal +cannot be kept in .*in-the-way: .*ENOTDIR.*\n +→ Name a directory/m,
    )
  })
})

/** A journal of two requests, of a process of which nothing is known. */
async function leave(journal: string, touchedAt: Date): Promise<number> {
  const database = await withStorage(({ usage }) => createDatabaseIdentity(usage).find())
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const labels = { keyId: 'key_1', organizationId: '', method: 'GET', route: '/data', status: 200 }
  const text = `${headerLine({ database, at: START, owner: '' })}${labelsLine(0, labels)}0 1 100\n0 2 100\n`
  const path = join(directory, `${journal}.journal`)
  writeFileSync(path, `${text}${'\0'.repeat(1000)}`, { mode: 0o600 })
  utimesSync(path, touchedAt, touchedAt)
  return text.length
}

async function withStorage<R>(act: (storage: Storage) => Promise<R>): Promise<R> {
  const { storage, ready } = openStorage(`sqlite:${join(cli.path, 'auth.db')}`, { migrate: 'check' })
  await ready
  const answer = await act(storage)
  await storage.close()
  return answer
}

async function noteCounted(journal: string, position: number): Promise<void> {
  const to = { position, target: position, written: 0 }
  await withStorage(({ usage }) => usage.record({ journal, from: START_OF_JOURNAL, to, rows: [], now: START }))
}

async function doctor() {
  const { json } = await cli.run(['doctor', '--json'])
  const checks: readonly { check: string; state: string; detail: string; mend: string | null }[] = json.checks
  return checks.find(({ check }) => check === 'usage journal')
}

const DAYS_AGO = new Date(Date.now() - 2 * 86_400_000)

describe('doctor', () => {
  test('is content with a directory that need not be made yet', async () => {
    await must(cli, ['org', 'create', 'Acme'])
    configure({ durability: 'journaled' })
    expect(await doctor()).toMatchObject({
      state: 'ok',
      detail: `${directory}: can be written, nothing is left to count`,
    })
  })

  test.each([
    { durability: 'journaled', mend: /^start the app: it counts them/ },
    { durability: 'buffered', mend: /once with usage\.durability: 'journaled'/ },
  ])('$durability: tells how many bytes an ended process left', async ({ durability, mend }) => {
    configure({ durability })
    await must(cli, ['org', 'create', 'Acme'])
    const bytes = (await leave('one', DAYS_AGO)) + (await leave('two', DAYS_AGO))
    const found = await doctor()
    expect(found).toMatchObject({ state: 'warn', detail: expect.stringContaining(`${bytes} bytes in 2 files`) })
    expect(found?.mend).toMatch(mend)
  })

  test('leaves out what was counted', async () => {
    configure({ durability: 'journaled' })
    await must(cli, ['org', 'create', 'Acme'])
    const bytes = await leave('one', DAYS_AGO)
    await leave('two', DAYS_AGO)
    await noteCounted('one', bytes - '0 2 100\n'.length)
    await noteCounted('two', bytes)
    expect((await doctor())?.detail).toContain('8 bytes in 1 file of')
  })

  test('lets a process count what it has just written', async () => {
    configure({ durability: 'journaled' })
    await must(cli, ['org', 'create', 'Acme'])
    const bytes = await leave('one', new Date())
    expect(await doctor()).toMatchObject({
      state: 'ok',
      detail: `${directory}: ${bytes} bytes in 1 file in use, not counted yet`,
      mend: null,
    })
  })

  test('passes by what is no journal of this database', async () => {
    configure({ durability: 'journaled' })
    await must(cli, ['org', 'create', 'Acme'])
    const bytes = await leave('one', DAYS_AGO)
    const another = headerLine({ database: 'another', at: START, owner: '' })
    writeFileSync(join(directory, 'another.journal'), another, { mode: 0o600 })
    if (process.platform !== 'win32') Bun.spawnSync(['mkfifo', join(directory, 'pipe.journal')])
    symlinkSync(join(directory, 'loop.journal'), join(directory, 'loop.journal'))
    expect((await doctor())?.detail).toContain(`${bytes} bytes in 1 file`)
  })

  test('says nothing of a journal where none is kept and none was left', async () => {
    await must(cli, ['org', 'create', 'Acme'])
    expect(await doctor()).toBeUndefined()
    configure({ durability: 'buffered' })
    expect(await doctor()).toBeUndefined()
  })
})
