/** Who has one process on SQLite loads nothing of what others need. */
import { expect, test } from 'bun:test'
import { join } from 'node:path'

const CORE = JSON.stringify(join(import.meta.dir, '../../src/index.ts'))
/** Parts of the paths of modules that are for others. */
const FOREIGN = /cockatiel|cluster\/redis|limits\/redis|cluster\/listen-bell|lib\/resilience|postgres/

/** The modules that a process has loaded when its core is ready. */
async function modulesOf(database: string): Promise<readonly string[]> {
  const script = `
    const { createMachineAuth } = await import(${CORE})
    const core = createMachineAuth({ database: ${JSON.stringify(database)}, secret: '${crypto.randomUUID()}${crypto.randomUUID()}' })
    await core.ready.catch(() => undefined)
    await core.close()
    console.log(JSON.stringify(Object.keys(require.cache)))
    process.exit()`
  const child = Bun.spawn([process.execPath, '-e', script], { env: { NODE_ENV: 'test' }, stderr: 'inherit' })
  return JSON.parse(await new Response(child.stdout).text())
}

test('a core on SQLite loads no retries, nothing of Redis and nothing of PostgreSQL', async () => {
  const modules = await modulesOf('sqlite::memory:')
  expect(modules.length).toBeGreaterThan(100)
  expect(modules.filter((path) => FOREIGN.test(path))).toEqual([])
}, 30_000)

test('a core on PostgreSQL does, so that they would be seen', async () => {
  const modules = await modulesOf('postgres://127.0.0.1:1/none')
  for (const part of [/cockatiel/, /listen-bell/, /drizzle\/postgres\.ts/]) {
    expect(modules.some((path) => part.test(path))).toBeTrue()
  }
  expect(modules.filter((path) => /cluster\/redis|limits\/redis/.test(path))).toEqual([])
}, 30_000)
