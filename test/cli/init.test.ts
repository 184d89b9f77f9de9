import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SECRET } from '../support/test-app.ts'
import { type CliDirectory, createDirectory, must } from './support.ts'

const PASSWORD = 'correct horse battery'
const WITHOUT_SECRET = { env: { MACHINE_AUTH_SECRET: '' } }

let cli: CliDirectory
beforeEach(() => {
  cli = createDirectory()
})
afterEach(() => cli[Symbol.dispose]())

const at = (name: string) => join(cli.path, name)
const states = (steps: readonly { step: string; state: string }[]) =>
  Object.fromEntries(steps.map(({ step, state }) => [step, state]))

describe('init', () => {
  test('makes config file, secret and database, says so, and prints three lines to paste', async () => {
    const run = await cli.run(['init'], WITHOUT_SECRET)
    expect([run.code, run.err]).toEqual([0, ''])
    expect(run.out).toMatch(
      /^made {2}config .*\nmade {2}secret .*\nmade {2}database .*\n\nPaste into your app:\n\n {2}import/,
    )
    expect(
      run.out
        .trimEnd()
        .split('\n')
        .slice(-3)
        .every((line) => line.startsWith('  ')),
    ).toBeTrue()
    const env = readFileSync(at('.env'), 'utf8')
    expect(env).toMatch(/^MACHINE_AUTH_SECRET=[\w-]{43}\n$/)
    expect(run.out).not.toContain(env.trim().split('=')[1] ?? '')
    expect([statSync(at('.env')).mode & 0o777, existsSync(at('auth.db')), existsSync(at('.machine-auth'))]).toEqual([
      0o600,
      true,
      false,
    ])
  })

  test('changes nothing the second time', async () => {
    await must(cli, ['init'], WITHOUT_SECRET)
    const files = ['machine-auth.config.ts', '.env'].map((name) => readFileSync(at(name), 'utf8'))
    const again = await must(cli, ['init'], WITHOUT_SECRET)
    expect(states(again.steps)).toEqual({ config: 'kept', secret: 'kept', database: 'kept' })
    expect(['machine-auth.config.ts', '.env'].map((name) => readFileSync(at(name), 'utf8'))).toEqual(files)
  })

  test('keeps a secret of the environment or the config file, and a config file in JSON', async () => {
    writeFileSync(at('machine-auth.config.json'), JSON.stringify({ secret: SECRET }))
    for (const env of [{}, WITHOUT_SECRET.env]) {
      const { steps } = await must(cli, ['init'], { env })
      expect(states(steps)).toMatchObject({ config: 'kept', secret: 'kept' })
    }
    expect([existsSync(at('.env')), existsSync(at('machine-auth.config.ts'))]).toEqual([false, false])
  })

  test('takes over the secret that development made, so that its keys go on working', async () => {
    const { rawKey } = await must(cli, ['key', 'create', '--name', 'CI'], WITHOUT_SECRET)
    expect(existsSync(at('.machine-auth/secret'))).toBeTrue()
    await must(cli, ['init'], WITHOUT_SECRET)
    const secret = readFileSync(at('.env'), 'utf8').trim().split('=')[1]
    const verdict = await cli.run(['key', 'verify'], { env: { MACHINE_AUTH_SECRET: secret, MACHINE_AUTH_KEY: rawKey } })
    expect(verdict.code).toBe(0)
  })

  test('keeps the other lines of .env', async () => {
    writeFileSync(at('.env'), 'A=1\r\nB="2"')
    await must(cli, ['init'], WITHOUT_SECRET)
    expect(readFileSync(at('.env'), 'utf8')).toMatch(/^A=1\r\nB="2"\r\nMACHINE_AUTH_SECRET=[\w-]{43}\r\n$/)
  })

  test('makes an administrator, once', async () => {
    const admin = ['init', '--admin', 'alice@example.com']
    const first = await cli.run([...admin, '--password-stdin'], { stdin: PASSWORD })
    expect([first.code, first.out.includes(PASSWORD)]).toEqual([0, false])
    const user = await cli.look(({ login }) => login.verify('alice@example.com', PASSWORD))
    expect(user.roles).toEqual(['admin'])
    const again = await must(cli, admin)
    expect(states(again.steps).administrator).toBe('kept')
    expect((await cli.look(({ users }) => users.list())).items).toHaveLength(1)
  })

  test('without a password makes no administrator, and tells what was made', async () => {
    const run = await cli.run(['init', '--admin', 'alice@example.com'])
    expect([run.code, run.err]).toEqual([2, expect.stringContaining('Password missing')])
    expect(run.out).toContain('made  database')
    expect((await cli.look(({ users }) => users.list())).items).toEqual([])
  })

  test('the config file it makes is one that loads', async () => {
    await must(cli, ['init'])
    const made = readFileSync(at('machine-auth.config.ts'), 'utf8')
    // Elsewhere, because a module is loaded once.
    using other = createDirectory()
    writeFileSync(join(other.path, 'machine-auth.config.ts'), made.replace('// modules', 'modules'))
    const listed = await must(other, ['permissions', 'list', '--module', 'posts'])
    expect(listed.items.map(({ name }: { name: string }) => name)).toEqual([
      'posts.create',
      'posts.delete',
      'posts.update',
      'posts.view',
    ])
  })

  test('stops at a .env that it cannot replace', async () => {
    mkdirSync(at('.env'))
    expect((await cli.run(['init'], WITHOUT_SECRET)).code).toBe(1)
    expect(existsSync(at('auth.db'))).toBeFalse()
  })
})

describe('migrate', () => {
  test('--dry-run names what is pending and makes no file; then it is applied; then nothing is left', async () => {
    const planned = await cli.run(['migrate', '--dry-run'])
    expect([planned.code, planned.out]).toEqual([0, expect.stringMatching(/^pending {2}0000_init\n/)])
    expect(existsSync(at('auth.db'))).toBeFalse()
    const applied = await must(cli, ['migrate'])
    expect(applied).toEqual({
      pending: [],
      applied: planned.out
        .trim()
        .split('\n')
        .map((line) => line.slice(9)),
    })
    expect((await cli.run(['migrate'])).out).toBe('Nothing to migrate.\n')
    expect(await must(cli, ['migrate', '--dry-run'])).toEqual({ pending: [], applied: [] })
  })

  test("needs no secret in production, and goes on where the app has migrate: 'check'", async () => {
    writeFileSync(at('machine-auth.config.json'), '{"migrate":"check"}')
    const env = { MACHINE_AUTH_SECRET: '', NODE_ENV: 'production' }
    expect((await cli.run(['migrate'], { env })).code).toBe(0)
    expect(existsSync(at('.machine-auth'))).toBeFalse()
    expect((await must(cli, ['key', 'list'])).items).toEqual([])
  })

  test('before it, such an app does not open', async () => {
    writeFileSync(at('machine-auth.config.json'), '{"migrate":"check"}')
    const run = await cli.run(['key', 'list'])
    expect([run.code, run.err]).toEqual([1, expect.stringContaining('0000_init')])
  })
})
