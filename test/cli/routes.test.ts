import { afterEach, beforeEach, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CliDirectory, createDirectory } from './support.ts'

const ROOT = join(import.meta.dir, '../..')

let cli: CliDirectory
beforeEach(() => {
  cli = createDirectory()
})
afterEach(() => cli[Symbol.dispose]())

/** A module that exports apps with the routes given. */
function writeApp(name: string, routes: string, exported = 'export const app ='): string {
  const path = join(cli.path, name)
  writeFileSync(
    path,
    `import { Elysia } from '${ROOT}/node_modules/elysia'
import { machineAuth } from '${ROOT}/src/index.ts'
const auth = machineAuth({ database: 'sqlite::memory:', secret: 'a root secret for tests, of more than 32 bytes', docs: false, management: false, tokens: false })
export const notAnApp = { router: 'x' }
${exported} new Elysia().use(auth)${routes}
`,
  )
  return name
}

test('lists routes with their guards', async () => {
  const file = writeApp('app.ts', ".get('/a', () => 'a', { apiKey: true }).get('/open', () => 'b')")
  const run = await cli.run(['routes', '--app', file])
  expect([run.code, run.err]).toEqual([0, ''])
  expect(run.out).toMatch(/^GET +\/a +apiKey$/m)
  expect(run.out).toMatch(/^GET +\/open +UNGUARDED$/m)
})

test('--fail-on-unguarded names what has no guard: exit 1', async () => {
  const file = writeApp(
    'open.ts',
    ".get('/open', () => 'b').get('/public', () => 'c', { public: true })",
    'export default',
  )
  const run = await cli.run(['routes', '--app', file, '--fail-on-unguarded', '--json'])
  expect([run.code, run.err]).toEqual([1, '1 without a guard: add one, or public: true.\n  GET /open\n'])
  const open = run.json.items.find(({ path }: { path: string }) => path === '/open')
  expect(open).toMatchObject({ method: 'GET', guards: [], isPublic: false })
})

test('--fail-on-unguarded is content where every route has one', async () => {
  const file = writeApp(
    'guarded.ts',
    ".get('/a', () => 'a', { apiKey: true }).listen({ port: 0, hostname: '127.0.0.1' })",
  )
  const run = await cli.run(['routes', '--app', file, '--fail-on-unguarded'])
  expect([run.code, run.err]).toEqual([0, ''])
})

test.each([
  { name: 'is missing', text: null, said: 'does not load' },
  { name: 'throws', text: "throw new Error('broken app')", said: 'broken app' },
  { name: 'exports no app', text: 'export const x = 1', said: 'exports no Elysia app' },
])('a module that $name is exit 1', async ({ name, text, said }) => {
  const file = `${name.replaceAll(' ', '-')}.ts`
  if (text !== null) writeFileSync(join(cli.path, file), text)
  const run = await cli.run(['routes', '--app', file])
  expect([run.code, run.out]).toEqual([1, ''])
  expect(run.err).toContain(said)
})

test('lists those of the app that the first example exports, which listens', () => {
  const command = [process.execPath, join(ROOT, 'src/cli/main.ts'), 'routes', '--app']
  const run = Bun.spawnSync([...command, join(ROOT, 'examples/quickstart.ts')], {
    cwd: cli.path,
    env: { PATH: process.env.PATH, ...cli.env, PORT: '0' },
  })
  expect([run.exitCode, run.stdout.toString()]).toEqual([0, expect.stringMatching(/^GET +\/data +apiKey$/m)])
}, 30_000)
