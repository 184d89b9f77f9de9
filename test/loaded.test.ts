/** Who needs one thing loads nothing of the others: the modules of processes that did it, and ended. */
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { createDatabaseDirectory, removeDirectory } from './support/directories.ts'

const SOURCE = join(import.meta.dir, '../src')
const importing = (file: string) => `await import(${JSON.stringify(join(SOURCE, file))})`
const command = (...words: readonly string[]) =>
  `process.argv = ['bun', 'machine-auth', ${words.map((word) => JSON.stringify(word)).join()}]; ${importing('cli/main.ts')}`
const SECRET = `${crypto.randomUUID()}${crypto.randomUUID()}`
const CORE = `
  const { createMachineAuth } = ${importing('core.ts')}
  const core = createMachineAuth({ database: 'sqlite::memory:', secret: '${SECRET}' })
  await core.ready
  await core.close()
  process.exit()`
const APP = `
  const { Elysia } = await import('elysia')
  const { machineAuth } = ${importing('index.ts')}
  const app = new Elysia().use(machineAuth({ database: 'sqlite::memory:', secret: '${SECRET}' })).listen(0)
  await fetch(app.server.url)
  process.exit()`

/** The modules that a process has loaded when it ends. */
async function modulesOf(script: string): Promise<readonly string[]> {
  const cwd = createDatabaseDirectory('machine-auth-loaded')
  try {
    const tell = `process.once('exit', () => require('node:fs').writeFileSync('loaded.json', JSON.stringify(Object.keys(require.cache))));`
    // NODE_PATH, since Elysia is looked for from where it runs.
    const child = Bun.spawn([process.execPath, '-e', tell + script], {
      cwd,
      env: { NODE_ENV: 'test', NODE_PATH: join(SOURCE, '../node_modules') },
      stdout: 'ignore',
      stderr: 'ignore',
    })
    await child.exited
    return await Bun.file(join(cwd, 'loaded.json')).json()
  } finally {
    removeDirectory(cwd)
  }
}

const CASES = [
  {
    name: 'importing the package',
    script: importing('index.ts'),
    // Of ours it is what an app names where it declares routes.
    never:
      /drizzle|jose|prom-client|swagger|cockatiel|commander|src\/(storage|http|docs|recording|tokens|keys|accounts|options\/resolve)/,
    seen: /node_modules\/elysia\//,
  },
  {
    name: 'an app that was asked',
    script: APP,
    never: /prom-client|@elysiajs\/swagger|docs\/document|cockatiel|commander|postgres|limits\/redis|src\/cli/,
    seen: /http\/plugin\.ts/,
  },
  {
    name: 'a core without HTTP',
    script: CORE,
    never: /node_modules\/elysia\/|src\/(http|docs|cli)\/|prom-client|swagger|cockatiel|commander|postgres/,
    seen: /storage\/drizzle\/sqlite\.ts/,
  },
  ...['--help', '--version', 'key create --help', 'kye'].map((words) => ({
    name: `machine-auth ${words}`,
    script: command(...words.split(' ')),
    never: /node_modules\/(?!commander)|src\/(storage|http|options|guards|tokens|recording|create-core)/,
    seen: /commander/,
  })),
  {
    name: 'machine-auth key list',
    script: command('key', 'list', '--database', 'sqlite:auth.db'),
    never: /node_modules\/elysia\/|src\/(http|docs)\/|cli\/actions|prom-client|swagger|cockatiel|postgres/,
    seen: /create-core\.ts/,
  },
]

test.each(CASES)(
  '$name loads nothing but what it takes',
  async ({ script, never, seen }) => {
    const modules = await modulesOf(script)
    // Were they not told at all, none would be found.
    expect(modules.filter((path) => seen.test(path))).not.toBeEmpty()
    expect(modules.filter((path) => never.test(path))).toEqual([])
  },
  30_000,
)
