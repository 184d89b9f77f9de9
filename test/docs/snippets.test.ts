import { afterAll, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
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
  ...readdirSync(join(ROOT, 'docs'))
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
  include: ['*.ts'],
}

/** Each snippet as a module of its own, all checked at once. */
function compile(snippets: readonly Snippet[]): string {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory)
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'))
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify(TSCONFIG))
  for (const { name, code } of snippets) {
    // An expression alone is no module, and a name on its first line would hide where a mistake is.
    const preamble = /^import |^export \*/m.test(code) ? '' : PREAMBLE
    writeFileSync(join(directory, `${name.replace(':', '_')}.ts`), `${preamble}${code}\nexport {}\n`)
  }
  const run = Bun.spawnSync([process.execPath, '--bun', 'x', '--no-install', 'tsc', '--noEmit', '-p', directory], {
    cwd: ROOT,
  })
  return `${run.stdout}${run.stderr}${run.success ? '' : `exit ${run.exitCode}`}`
}

test('there are snippets to check on every page that explains something', () => {
  const pages = new Set(SNIPPETS.map(({ name }) => name.split(':')[0]))
  expect([...pages].sort()).toEqual([
    'README.md',
    'credentials.md',
    'deployment.md',
    'guards.md',
    'storage.md',
    'users.md',
  ])
})

test('every snippet of README and docs compiles', () => {
  expect(compile(SNIPPETS)).toBe('')
}, 60_000)

test('a snippet with a mistake does not', () => {
  const wrong = { name: 'wrong.md:1', code: "app.get('/x', ({ currentUser }) => currentUser.id)\n" }
  expect(compile([wrong])).toContain("Property 'currentUser' does not exist")
}, 60_000)
