/** The command as people call it, in a process of its own. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createProgram } from '../../src/cli/program.ts'
import { createProcessIo } from '../../src/cli/terminal/io.ts'
import { commandsOf } from './commands.ts'
import { type CliDirectory, createDirectory, must } from './support.ts'

const ROOT = join(import.meta.dir, '../..')
const MAIN = join(ROOT, 'src/cli/main.ts')

let cli: CliDirectory
beforeEach(() => {
  cli = createDirectory()
})
afterEach(() => cli[Symbol.dispose]())

function spawn(
  args: readonly string[],
  input: { readonly stdin?: string; readonly env?: Record<string, string> } = {},
) {
  const run = Bun.spawnSync([process.execPath, MAIN, ...args], {
    cwd: cli.path,
    env: { PATH: process.env.PATH, ...cli.env, ...input.env },
    stdin: Buffer.from(input.stdin ?? ''),
  })
  return { code: run.exitCode, out: run.stdout.toString(), err: run.stderr.toString() }
}

const COMMANDS = commandsOf(createProgram({ io: createProcessIo(), exitCode: 0 }))
const LEAVES = COMMANDS.filter(({ isGroup }) => !isGroup)

describe('help', () => {
  test('there are the commands of the contract', () => {
    const names = new Set(LEAVES.map(({ name }) => name))
    const contract = `init|serve|migrate|doctor|org create|org list|org suspend|org activate|user create|user list
      |user set-roles|user set-password|user disable|key create|key list|key show|key revoke|key rotate|role list|role set
      |role delete|permissions sync|permissions docs|permissions list|block add|block list|block remove|routes
      |secret generate`
    for (const name of contract.split('|')) expect(names).toContain(name.trim())
  })

  test.each(LEAVES.map(({ name }) => ({ name })))('$name has an example', async ({ name }) => {
    const run = await cli.run([...name.split(' '), '--help'])
    expect([run.code, run.err]).toEqual([0, ''])
    expect(run.out).toMatch(new RegExp(`\\nExamples?:\\n  machine-auth ${name}( |\\n|$)`))
    for (const option of ['--database <url>', '--redis <url>', '--json']) expect(run.out).toContain(option)
    // An id is no secret.
    expect(run.out).not.toMatch(/--(secret|password|key|hash) <(?!id-or-prefix>)/)
  })

  test.each(COMMANDS.map(({ name }) => ({ name })))('$name describes itself and each option', ({ name }) => {
    const command = COMMANDS.find((each) => each.name === name)?.command
    expect(command?.description()).not.toBe('')
    for (const { flags, description, argChoices } of command?.options ?? []) {
      expect([flags, description !== '' || argChoices !== undefined]).toEqual([flags, true])
    }
  })
})

test.each([40, 60, 80, null])('help of all fits %p columns', async (columns) => {
  const { out } = await cli.run(['--help'], columns === null ? {} : { columns })
  const footer = out.slice(out.indexOf('Settings come from'), out.indexOf('Examples:'))
  expect(footer).toContain('MACHINE_AUTH_SECRET')
  for (const line of footer.split('\n')) expect(line.length).toBeLessThanOrEqual(columns ?? 100)
  expect(out).toEndWith(
    '\n\nExamples:\n  machine-auth init --admin alice@example.com\n  machine-auth key create --name CI --expires 90d\n  machine-auth key list --json\n',
  )
})

describe('options for all commands', () => {
  test('stand before or after the command', async () => {
    const file = `sqlite:${join(cli.path, 'other.db')}`
    await must(cli, ['--database', file, 'org', 'create', 'There'])
    for (const args of [
      ['--json', '--database', file, 'org', 'list'],
      ['org', 'list', '--json', '--database', file],
      ['org', '--json', 'list', `--database=${file}`],
    ]) {
      expect((await cli.run(args)).json.items).toMatchObject([{ name: 'There' }])
    }
    expect((await must(cli, ['org', 'list'])).items).toEqual([])
  })

  test('a password in --redis is warned of, and a command works while Redis is away', async () => {
    const run = await cli.run(['org', 'list', '--redis', 'redis://app:hunter2@127.0.0.1:1', '--json'])
    expect([run.code, run.json.items, run.err.includes('hunter2')]).toEqual([0, [], false])
    expect(run.err).toContain('set MACHINE_AUTH_REDIS instead')
  })

  test('--redis must be a URL of Redis', async () => {
    const run = await cli.run(['org', 'list', '--redis', 'http://app:hunter2@127.0.0.1'])
    expect([run.code, run.out, run.err.includes('hunter2')]).toEqual([1, '', false])
    expect(run.err).toContain('redis')
  })

  test('a password in --database is warned of', async () => {
    const run = await cli.run(['org', 'list', '--database', 'postgres://app:hunter2@127.0.0.1:1/x'])
    expect([run.code, run.err.includes('hunter2')]).toEqual([1, false])
    expect(run.err).toContain('set MACHINE_AUTH_DATABASE instead')
  })

  test('a wrong configuration is exit 1, each mistake on a line', async () => {
    const run = await cli.run(['org', 'list'], { env: { MACHINE_AUTH_SECRET: 'short-one', MACHINE_AUTH_PREFIX: 'x' } })
    expect([run.code, run.out, run.err.includes('short-one')]).toEqual([1, '', false])
    expect(run.err.trimEnd().split('\n')).toHaveLength(3)
  })
})

describe('no secret is an argument', () => {
  const SECRET = 'hunter2-hunter2-hunter2-hunter2-hunter2'

  test.each(
    [
      ['--secret', SECRET, 'key', 'list'],
      ['key', 'list', '--secret', SECRET],
      ['key', 'list', `--secret=${SECRET}`],
      ['user', 'create', 'a@example.com', '--password', SECRET],
      ['user', 'set-password', 'a@example.com', SECRET],
      ['user', 'set-password', 'a@example.com', `--password=${SECRET}`],
      ['init', '--admin', 'a@example.com', '--password', SECRET],
      ['serve', `--master-key=${SECRET}`],
      ['key', 'verify', SECRET],
      ['key', 'verify', '--key', SECRET],
    ].map((args) => ({ args })),
  )('$args', async ({ args }) => {
    const run = await cli.run(args)
    expect([run.code, run.out]).toEqual([2, ''])
    expect(run.err).toMatch(/MACHINE_AUTH_|prompt/)
    expect(run.err).not.toContain('hunter2')
  })
})

/**
 * Runs the executable at a terminal of its own: as soon as a text is there, the answer to it is typed.
 *
 * @param last what it says at its end, which may be read after that
 */
async function converse(args: readonly string[], answers: Readonly<Record<string, string>>, last = '') {
  let screen = ''
  const isSaid = Promise.withResolvers<void>()
  const open = new Map(Object.entries(answers))
  const terminal = new Bun.Terminal({
    data(self, bytes) {
      screen += new TextDecoder().decode(bytes)
      for (const [question, answer] of open) {
        if (!screen.includes(question)) continue
        open.delete(question)
        self.write(`${answer}\r`)
      }
      if (screen.includes(last)) isSaid.resolve()
    },
  })
  const child = Bun.spawn([process.execPath, MAIN, ...args], {
    cwd: cli.path,
    env: { PATH: process.env.PATH, ...cli.env },
    terminal,
  })
  const code = await child.exited
  if (code === 0) await isSaid.promise
  terminal.close()
  return { code, screen }
}

describe('the executable', () => {
  test('shows on a real terminal nothing of a password that is typed', async () => {
    const password = 'correct horse battery'
    const answers = { 'Password: ': password, 'again: ': password }
    const run = await converse(['user', 'create', 'alice@example.com'], answers)
    expect([run.code, run.screen.includes(password)]).toEqual([0, false])
    const user = await cli.look(({ login }) => login.verify('alice@example.com', password))
    expect(user.email).toBe('alice@example.com')
    const disabled = await converse(['user', 'disable', 'alice@example.com'], { '[y/N] ': 'y' }, 'is disabled.')
    expect([disabled.code, disabled.screen]).toEqual([0, expect.stringContaining('is disabled.')])
  }, 60_000)

  test('is what the package names, and Bun runs it', () => {
    const { bin, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    expect(join(ROOT, bin['machine-auth'])).toBe(MAIN)
    expect(readFileSync(MAIN, 'utf8')).toStartWith('#!/usr/bin/env bun\n')
    expect(spawn(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' })
    expect(spawn(['--help'])).toMatchObject({ code: 0, out: expect.stringContaining('Examples:') })
    expect(spawn(['nonsense'])).toMatchObject({ code: 2, out: '' })
  }, 60_000)

  test('takes secrets by standard input and environment alone, and writes long answers whole', async () => {
    const password = 'correct horse battery'
    const created = spawn(['user', 'create', 'alice@example.com', '--role', 'admin', '--password-stdin'], {
      stdin: password,
    })
    expect([created.code, created.err]).toEqual([0, ''])
    const user = await cli.look(({ login }) => login.verify('alice@example.com', password))
    expect(user.email).toBe('alice@example.com')
    const { rawKey } = JSON.parse(spawn(['key', 'create', '--name', 'CI', '--json']).out)
    expect(spawn(['key', 'verify', '--key-stdin'], { stdin: rawKey }).code).toBe(0)
    expect(spawn(['key', 'verify'], { env: { MACHINE_AUTH_KEY: `${rawKey}x` } }).code).toBe(1)
    await cli.look(({ keys }) =>
      Promise.all(Array.from({ length: 99 }, () => keys.create({ name: 'x', description: 'y'.repeat(1000) }))),
    )
    const list = JSON.parse(spawn(['key', 'list', '--limit', '100', '--json']).out)
    expect(list.items).toHaveLength(100)
  }, 60_000)
})
