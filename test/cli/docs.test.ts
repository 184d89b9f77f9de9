/** Every command in the documentation and in help is run. */
import { Database } from 'bun:sqlite'
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createProgram } from '../../src/cli/program.ts'
import { createProcessIo } from '../../src/cli/terminal/io.ts'
import { commandsOf } from './commands.ts'
import { type CliDirectory, createDirectory, must, type Run } from './support.ts'

const ROOT = join(import.meta.dir, '../..')
const PAGE = readFileSync(join(ROOT, 'docs/cli.md'), 'utf8')
const PASSWORD = 'correct horse battery'
const KEY = '4dTyWz8Qm1nBvK3c'
const BLOCK = 'blk_9hQm2LxVbT0sWcPa'
const SESSION = 'sess_9hQm2LxVbT0sWcPa'

let cli: CliDirectory
beforeEach(() => {
  cli = createDirectory()
})
afterEach(() => cli[Symbol.dispose]())

/** Words as a shell splits them: double quotes, `< file` and `> file`. */
function parseLine(line: string): { readonly args: readonly string[]; readonly stdin: string | null } {
  const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '')
  const redirect = words.findIndex((word) => word === '<' || word === '>')
  const args = (redirect === -1 ? words : words.slice(0, redirect)).slice(1)
  return { args, stdin: words[redirect] === '<' ? (words[redirect + 1] ?? '') : null }
}

/** Runs a line for a person who types his password where he is asked for it, and else this answer. */
function runLine(line: string, answer = 'y'): Promise<Run> {
  const { args, stdin } = parseLine(line)
  const isFree = args[0] === 'serve' ? ['--port', '0'] : []
  const asksPassword = /^(init|user (create|set-password))/.test(args.join(' '))
  const typed = asksPassword ? `${PASSWORD}\n${PASSWORD}\n` : `${answer}\n`
  return cli.run([...args, ...isFree], {
    isTTY: true,
    stdin: stdin === null ? typed : readFileSync(join(cli.path, stdin), 'utf8'),
  })
}

/** What the page takes as given. */
async function prepare(): Promise<void> {
  const source = join(ROOT, 'src/index.ts')
  writeFileSync(
    join(cli.path, 'machine-auth.config.ts'),
    `import { sha256 } from '${source}'\nexport default { apiKeys: { importKinds: [sha256()] } }\n`,
  )
  mkdirSync(join(cli.path, 'src'))
  writeFileSync(
    join(cli.path, 'src/server.ts'),
    `import { Elysia } from '${ROOT}/node_modules/elysia'
import { machineAuth } from '${source}'
const secret = 'a root secret for tests, of more than 32 bytes'
const auth = machineAuth({ database: 'sqlite::memory:', secret, docs: false, management: false, tokens: false })
export const app = new Elysia().use(auth).get('/a', () => 'a', { apiKey: true })
`,
  )
  const { key } = await must(cli, ['key', 'create', '--name', 'Documented', '--expires', '30d'])
  const block = await must(cli, ['block', 'add', '198.51.100.7', '--duration', '1h'])
  const session = await cli.look(async ({ users, sessions }) => {
    const { id } = await users.create({ email: 'documented@example.com' })
    return (await sessions.create(id)).session
  })
  const { rawKey } = await must(cli, ['key', 'create', '--name', 'Verified'])
  const database = new Database(join(cli.path, 'auth.db'))
  database.run('update machine_auth_api_keys set id = ?, prefix = ? where id = ?', [
    `key_${KEY}`,
    `mac_live_${KEY}`,
    key.id,
  ])
  database.run('update machine_auth_blocks set id = ? where id = ?', [BLOCK, block.id])
  database.run('update machine_auth_sessions set id = ? where id = ?', [SESSION, session.id])
  database.close()
  writeFileSync(join(cli.path, 'password.txt'), `${PASSWORD}\n`)
  writeFileSync(join(cli.path, 'key.txt'), rawKey)
  writeFileSync(join(cli.path, 'hash.txt'), new Bun.CryptoHasher('sha256').update('legacy-key-text').digest('hex'))
}

const LINES = [...PAGE.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) =>
  block.split('\n').filter((line) => line.startsWith('machine-auth ')),
)
const LEAVES = commandsOf(createProgram({ io: createProcessIo(), exitCode: 0 })).filter(({ isGroup }) => !isGroup)

test('every command of the page does what it says, one after the other', async () => {
  await prepare()
  const failures: string[] = []
  for (const line of LINES) {
    // Revoked by then, which is what it should tell.
    const wanted = line.startsWith('machine-auth key verify') ? 1 : 0
    const { code, err } = await runLine(line)
    if (code !== wanted) failures.push(`${line}: exit ${code}\n${err}`)
  }
  expect(failures).toEqual([])
}, 60_000)

test('the page has an example of every command', () => {
  const missing = LEAVES.map(({ name }) => name).filter(
    (name) => !LINES.some((line) => `${line} `.startsWith(`machine-auth ${name} `)),
  )
  expect(missing).toEqual([])
})

test('every example of help is a command that is called in a right way', async () => {
  await prepare()
  const examples = LEAVES.flatMap(({ help }) => help.split(/\nExamples?:\n/)[1]?.match(/machine-auth .*/g) ?? [])
  expect(examples.length).toBeGreaterThan(LEAVES.length)
  const mistakes: string[] = []
  for (const line of examples) {
    const { code, err } = await runLine(line, 'n')
    const isExpected = code !== 2 || line === 'machine-auth permissions sync --dry-run'
    if (!isExpected) mistakes.push(`${line}\n${err}`)
  }
  expect(mistakes).toEqual([])
}, 60_000)
