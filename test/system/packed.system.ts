/** The package as a stranger gets it: packed, unpacked into an empty project, type-checked there, and run. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { lookThroughText } from '../support/credentials/report.ts'
import { removeDirectory } from '../support/directories.ts'

const ROOT = join(import.meta.dir, '../..')
const MODULES = join(ROOT, 'node_modules')
const manifest: {
  readonly name: string
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
  readonly bin: { readonly 'machine-auth': string }
  readonly version: string
} = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))

const project = mkdtempSync(join(tmpdir(), 'machine-auth-packed-'))
const installed = join(project, 'node_modules', manifest.name)
let files: readonly string[] = []

function run(command: readonly string[], cwd: string) {
  const { PATH = '', HOME = '' } = process.env
  const { stdout, stderr, exitCode } = Bun.spawnSync([...command], { cwd, env: { PATH, HOME } })
  const said = { stdout: stdout.toString(), stderr: stderr.toString() }
  lookThroughText(`output of ${command.join(' ')}`, said.stdout + said.stderr)
  return { code: exitCode, ...said }
}

function succeed(command: readonly string[], cwd: string): string {
  const { code, stdout, stderr } = run(command, cwd)
  if (code !== 0) throw new Error(`${command.join(' ')} failed:\n${stdout}${stderr}`)
  return stdout
}

/** Puts one module of ours where the project finds it. */
function link(name: string): void {
  const target = join(project, 'node_modules', name)
  mkdirSync(dirname(target), { recursive: true })
  symlinkSync(join(MODULES, name), target)
}

const APP = `import { Elysia, t } from 'elysia'
import { authorizedResource, createMachineAuth, MachineAuthError, machineAuth } from 'elysia-machine-auth'
import * as tables from 'elysia-machine-auth/schema/sqlite'

const core = createMachineAuth({ database: 'sqlite:data/auth.db', roles: { admin: ['*'], user: [] } })
await core.ready
const { rawKey } = await core.keys.create({ name: 'packed' })

const notes = new Map([['1', { ownerId: 'user_1', text: 'Hello' }]])
const ownNote = authorizedResource('note', {
  load: ({ params }) => notes.get(params['id'] ?? ''),
  owner: (note) => note.ownerId,
})

const app = new Elysia()
  .use(machineAuth(core))
  .use(ownNote)
  .get('/data', ({ apiKey }) => ({ key: apiKey.name }), { apiKey: true })
  .get('/admin', ({ currentUser }) => currentUser.email, { requireRole: 'admin' })
  .put('/notes/:id', ({ note, body }) => note.text + body.text, {
    authorizedNote: true,
    body: t.Object({ text: t.String() }),
  })
  .onError(({ error }) => (error instanceof MachineAuthError && error.status === 418 ? 'tea' : undefined))

async function get(path: string, headers: Record<string, string> = {}) {
  const response = await app.handle(new Request('http://localhost' + path, { headers }))
  return [response.status, (await response.text()).slice(0, 20)]
}

console.log(
  JSON.stringify({
    allowed: await get('/data', { 'x-api-key': rawKey }),
    refused: (await get('/data'))[0],
    document: (await get('/swagger/json'))[0],
    script: (await get('/swagger/assets/swagger-ui-bundle.js'))[0],
    tables: Object.keys(tables).length,
  }),
)
await core.close()
`

/** Says what must not compile, so that \`any\` cannot hide in the declarations. */
const MISTAKES = `import { Elysia } from 'elysia'
import { machineAuth } from 'elysia-machine-auth'

new Elysia()
  .use(machineAuth({ roles: { admin: ['*'] } }))
  // @ts-expect-error no guard, no user
  .get('/open', ({ currentUser }) => currentUser.id)
  // @ts-expect-error no such role
  .get('/role', () => 'x', { requireRole: 'nobody' })
// @ts-expect-error no such option
machineAuth({ secrets: 'x' })
`

const COMMON = { noEmit: true, strict: true, target: 'ESNext', types: ['bun'], skipLibCheck: true }
/** Settings of projects that the package has to live with. */
const CONFIGS: Readonly<Record<string, object>> = {
  'as `bun init` writes it': {
    ...COMMON,
    lib: ['ESNext'],
    module: 'Preserve',
    moduleDetection: 'force',
    moduleResolution: 'bundler',
    allowImportingTsExtensions: true,
    verbatimModuleSyntax: true,
    noUncheckedIndexedAccess: true,
    noImplicitOverride: true,
  },
  'without TypeScript extensions in imports': { ...COMMON, module: 'ES2022', moduleResolution: 'bundler' },
  'as strict as can be': {
    ...COMMON,
    module: 'Preserve',
    moduleResolution: 'bundler',
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noPropertyAccessFromIndexSignature: true,
    noUnusedLocals: true,
    noUnusedParameters: true,
    noImplicitReturns: true,
    erasableSyntaxOnly: true,
    isolatedModules: true,
  },
  'for Node’s module resolution': { ...COMMON, module: 'NodeNext', moduleResolution: 'NodeNext' },
}

beforeAll(() => {
  const [archive = ''] = succeed([process.execPath, 'pm', 'pack', '--quiet', '--destination', project], ROOT)
    .trim()
    .split('\n')
    .slice(-1)
  files = succeed(['tar', 'tzf', archive], project).trim().split('\n')
  mkdirSync(installed, { recursive: true })
  succeed(['tar', 'xzf', archive, '--strip-components=1', '-C', installed], project)
  // Only what the manifest names: a dependency that is used and not declared would be missing here as at a stranger's.
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) link(name)
  for (const name of ['typescript', '@types/bun']) link(name)
  writeFileSync(join(project, 'package.json'), '{ "type": "module", "private": true }')
  writeFileSync(join(project, 'app.ts'), APP)
  writeFileSync(join(project, 'mistakes.ts'), MISTAKES)
})

afterAll(() => {
  removeDirectory(project)
  rmSync(join(ROOT, 'types'), { recursive: true, force: true })
})

test('holds sources, declarations, migrations and texts, and nothing else', () => {
  const rooms = new Set(files.map((file) => file.split('/')[1]))
  expect([...rooms].sort()).toEqual(
    ['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'docs', 'examples', 'package.json', 'src', 'types'].sort(),
  )
  expect(files).toContain('package/src/storage/drizzle/migrations/sqlite/0000_init.sql')
  expect(files).toContain('package/src/storage/drizzle/migrations/postgres/meta/_journal.json')
  expect(files.filter((file) => /\.test\.|\.db$|secret$|\.env/.test(file))).toEqual([])
})

describe('compiles in a project', () => {
  test.each(Object.keys(CONFIGS))('%s', (name) => {
    writeFileSync(
      join(project, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: CONFIGS[name], files: ['app.ts', 'mistakes.ts'] }),
    )
    const { stdout, stderr } = run([process.execPath, '--bun', 'x', '--no-install', 'tsc', '-p', '.'], project)
    expect(`${stdout}${stderr}`).toBe('')
  })
})

test('runs there, with the migrations and the documentation page that come with it', () => {
  const { code, stdout, stderr } = run([process.execPath, 'app.ts'], project)
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('.machine-auth/secret') })
  expect(JSON.parse(stdout)).toEqual({
    allowed: [200, '{"key":"packed"}'],
    refused: 401,
    document: 200,
    script: 200,
    tables: 20,
  })
})

test('its command runs there', () => {
  const command = join(installed, manifest.bin['machine-auth'])
  const { code, stdout } = run([process.execPath, command, '--version'], project)
  expect({ code, stdout: stdout.trim() }).toEqual({ code: 0, stdout: manifest.version })
  expect(run([process.execPath, command, 'org', 'create', 'Acme'], project).code).toBe(0)
  const listed = run([process.execPath, command, 'org', 'list', '--json'], project)
  expect(JSON.parse(listed.stdout)).toMatchObject({ items: [{ name: 'Acme' }], nextCursor: null })
})
