/** What is left of the request log when a process ends: written, or told of by its number. */
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { createMachineAuth } from '../../../src/core.ts'
import { closeInStages } from '../../../src/life/closing.ts'
import { resolveOptions } from '../../../src/options/resolve.ts'
import { RequestLogRecorder } from '../../../src/recording/requests/recorder.ts'
import { inDirectory } from '../../storage/support.ts'
import { createTestApp, SECRET, START } from '../../support/test-app.ts'
import { FACTS } from './support.ts'

/** ms that another process writes. */
const LOCKED = 300

/** Another process, since a lock of this one would wait for itself. */
async function lock(file: string) {
  const script = `
    const db = new (require('bun:sqlite').Database)(${JSON.stringify(file)})
    db.run('BEGIN IMMEDIATE')
    console.log('locked')
    Bun.sleepSync(${LOCKED})
    db.run('ROLLBACK')`
  const other = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe' })
  await other.stdout.getReader().read()
  return other
}

test('a process that ends while another one writes waits for it, and loses nothing', () =>
  inDirectory(async (directory) => {
    const file = join(directory, 'auth.db')
    const options = { database: `sqlite:${file}`, logging: { mode: 'metadata_only' } } as const
    const server = await createTestApp(options)
    for (let n = 0; n < 50; n += 1) await server.ask('/open')
    const other = await lock(file)
    await server.close()
    await other.exited
    expect(server.warnings).toEqual([])
    await using core = createMachineAuth({ ...options, secret: SECRET }, { env: {}, cwd: directory })
    await core.ready
    expect((await core.logs.list({ route: '/open' }, { limit: 100 })).items).toHaveLength(50)
  }))

test('an end with little time left tells how many entries are lost', async () => {
  const warnings: string[] = []
  const warn = (message: string) => void warnings.push(message)
  const options = resolveOptions(
    { secret: SECRET, database: 'sqlite::memory:', logging: { mode: 'metadata_only' } },
    { env: {}, cwd: '/nowhere' },
  )
  let written = 0
  const append = (batch: readonly unknown[]) => {
    if (written >= 1000) return new Promise<void>(() => undefined)
    written += batch.length
    return Promise.resolve()
  }
  const recorder = new RequestLogRecorder({ options, store: { append }, clock: () => START, warn })
  const request = new Request('http://localhost/x')
  for (let n = 0; n < 5000; n += 1) recorder.begin(request)(FACTS, null)
  const stages = [{ Recording: (patience: number) => recorder.stop(patience) }]
  await closeInStages({ stages, last: {} }, 300, warn)
  const { dropped } = recorder.figures
  expect(dropped).toBeWithin(1, 5000)
  expect(dropped).toBeLessThanOrEqual(5000 - written)
  expect(warnings).toEqual([`the request log could not be written before the end: ${dropped} entries are lost`])
})
