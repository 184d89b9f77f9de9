import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

const ROOT = join(import.meta.dir, '../..')

/** What a snippet without imports may use: the surroundings that its page speaks of. */
const PREAMBLE = `import { Elysia, t } from 'elysia'
import { authorizedResource, createMachineAuth, machineAuth, MachineAuthError } from 'elysia-machine-auth'
import { formatRoutes, listRoutes, requireGuardedRoutes } from 'elysia-machine-auth'
const core = createMachineAuth({ roles: { admin: ['*'], editor: [] } })
const app = new Elysia().use(machineAuth(core))
declare const partners: { findByToken(token: string): Promise<{ organizationId: string } | null> }
`

interface Snippet {
  /** Where it stands: `guards.md:12`. */
  readonly name: string
  readonly code: string
}

function snippetsOf(file: string): readonly Snippet[] {
  const text = readFileSync(file, 'utf8')
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => ({
    name: `${basename(file)}:${text.slice(0, match.index).split('\n').length + 1}`,
    code: match[1] ?? '',
  }))
}

const PAGES = [
  join(ROOT, 'README.md'),
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(ROOT, 'docs', name)),
]
const SNIPPETS = PAGES.flatMap(snippetsOf)

const directory = mkdtempSync(join(tmpdir(), 'machine-auth-snippets-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** The project's own settings, except that a snippet may leave what it shows unused. */
const TSCONFIG = {
  extends: join(ROOT, 'tsconfig.json'),
  compilerOptions: {
    noUnusedLocals: false,
    noUnusedParameters: false,
    allowImportingTsExtensions: true,
    paths: {
      'elysia-machine-auth': [join(ROOT, 'src/index.ts')],
      'elysia-machine-auth/schema/*': [join(ROOT, 'src/storage/drizzle/schema.*.ts')],
    },
  },
  // Scripts in other languages are imported as text.
  include: ['*.ts', join(ROOT, 'src/limits/redis/lua.d.ts')],
}

/** Checks all snippets at once, each as a module of its own. Answers one line per mistake. */
function compile(snippets: readonly Snippet[]): readonly string[] {
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'))
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify(TSCONFIG))
  for (const { name, code } of snippets) {
    const preamble = /^import |^export \*/m.test(code) ? '' : PREAMBLE
    writeFileSync(join(directory, `${name.replace(':', '_')}.ts`), `${preamble}${code}\nexport {}\n`)
  }
  const run = Bun.spawnSync([process.execPath, '--bun', 'x', '--no-install', 'tsc', '--noEmit', '-p', directory], {
    cwd: ROOT,
  })
  // What explains a mistake further is indented.
  return `${run.stdout}${run.stderr}`.split('\n').filter((line) => /^\S/.test(line))
}

test('there are snippets to check on every page that explains something', () => {
  const pages = new Set(SNIPPETS.map(({ name }) => name.split(':')[0]))
  expect([...pages].sort()).toEqual([
    'README.md',
    'audit.md',
    'cluster.md',
    'credentials.md',
    'deployment.md',
    'guards.md',
    'importing.md',
    'limits.md',
    'managing.md',
    'performance.md',
    'recording.md',
    'storage.md',
    'users.md',
  ])
})

/** The proof that mistakes are seen; in the same run, because a run costs seconds. */
const WRONG: Snippet = { name: 'wrong.md:1', code: "app.get('/x', ({ currentUser }) => currentUser.id)\n" }

test('every snippet of README and docs compiles', () => {
  expect(compile([...SNIPPETS, WRONG])).toEqual([
    expect.stringMatching(/wrong\.md_1\.ts\(\d+,\d+\): error TS2339: Property 'currentUser' does not exist/),
  ])
}, 60_000)
