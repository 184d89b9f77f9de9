import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { audited, type CliDirectory, createDirectory, must, type RunInput } from './support.ts'

const ALICE = 'alice@example.com'
const PASSWORD = 'correct horse battery'
const CREATE = ['user', 'create', ALICE, '--role', 'admin'] as const

let cli: CliDirectory
beforeEach(() => {
  cli = createDirectory()
})
afterEach(() => cli[Symbol.dispose]())

async function canLogIn(password: string): Promise<boolean> {
  return cli.look(async ({ login }) => {
    try {
      return (await login.verify(ALICE, password)).email === ALICE
    } catch {
      return false
    }
  })
}

interface Source extends RunInput {
  readonly name: string
  readonly args: readonly string[]
}

describe('user create', () => {
  test.each<Source>([
    { name: 'standard input', args: ['--password-stdin'], stdin: `${PASSWORD}\n` },
    { name: 'standard input with CRLF', args: ['--password-stdin'], stdin: `${PASSWORD}\r\n` },
    { name: 'the environment', args: [], env: { MACHINE_AUTH_PASSWORD: PASSWORD } },
    { name: 'a prompt', args: [], isTTY: true, stdin: `${PASSWORD}\r${PASSWORD}\r` },
    { name: 'a prompt, mistyped and mended', args: [], isTTY: true, stdin: `x\u0015${PASSWORD}!\u007f\r${PASSWORD}\r` },
  ])('takes the password from $name and shows it nowhere', async ({ args, ...input }) => {
    const run = await cli.run([...CREATE, ...args], input)
    expect([run.code, run.err.includes('Without a password')]).toEqual([0, false])
    expect(run.out + run.err).not.toContain(PASSWORD)
    expect(await canLogIn(PASSWORD)).toBeTrue()
    expect(await canLogIn(`${PASSWORD}x`)).toBeFalse()
  })

  test('hides what is typed', async () => {
    const run = await cli.run(CREATE, { isTTY: true, stdin: `${PASSWORD}\n${PASSWORD}\n` })
    // Hidden before the question is there: people answer fast.
    const hidden = (question: string) => ['<hide>', question, '<show>', '\n']
    expect(run.terminal).toEqual([...hidden('Password: '), ...hidden('Password again: ')])
  })

  test.each<Source>([
    { name: '--no-password says so', args: ['--no-password'], env: { MACHINE_AUTH_PASSWORD: PASSWORD } },
    { name: '--no-password says so to whoever could be asked', args: ['--no-password'], isTTY: true },
  ])('makes a user without a password where $name, and says so', async ({ args, ...input }) => {
    const run = await cli.run([...CREATE, ...args], input)
    expect([run.code, run.err]).toEqual([0, expect.stringContaining('Without a password')])
    expect(await canLogIn(PASSWORD)).toBeFalse()
    expect(await cli.look(({ users }) => users.findByEmail(ALICE))).toMatchObject({ roles: ['admin'] })
  })

  test.each<Source & { readonly said: string; readonly code: number }>([
    { name: 'two that differ', args: [], isTTY: true, stdin: 'password1\npassword2\n', said: 'not the same', code: 1 },
    {
      name: 'one that is too short',
      args: ['--password-stdin'],
      stdin: 'short',
      said: 'the password must be',
      code: 1,
    },
    { name: 'an interrupted prompt', args: [], isTTY: true, stdin: 'pass\u0003', said: 'ended before', code: 1 },
    {
      name: 'a role that nothing declares',
      args: ['--role', 'nope', '--no-password'],
      said: '--role number 2 names no role',
      code: 1,
    },
    { name: 'an unknown organization', args: ['--organization', 'X'], said: 'no organization', code: 1 },
    { name: 'no password', args: [], said: '--no-password', code: 2 },
    { name: 'a password that is piped only', args: [], stdin: PASSWORD, said: '--password-stdin', code: 2 },
    { name: 'an empty file', args: ['--password-stdin'], stdin: '', said: '--no-password', code: 2 },
    { name: 'an empty answer', args: [], isTTY: true, stdin: '\n', said: '--no-password', code: 2 },
    { name: '--password', args: ['--password', PASSWORD], said: '--password is not an option', code: 2 },
    { name: '--password=', args: [`--password=${PASSWORD}`], said: 'MACHINE_AUTH_PASSWORD', code: 2 },
    { name: 'a password as an argument', args: [PASSWORD], said: 'Secrets are never arguments', code: 2 },
  ])('makes nobody for $name', async ({ args, said, code, ...input }) => {
    const run = await cli.run([...CREATE, ...args], input)
    expect([run.code, run.out]).toEqual([code, ''])
    expect(run.err).toContain(said)
    expect(run.err).not.toContain(PASSWORD)
    expect((await cli.look(({ users }) => users.list())).items).toEqual([])
  })

  test('takes the e-mail as an option, an organization by name and an id', async () => {
    const { id: organizationId } = await must(cli, ['org', 'create', 'Acme'])
    const args = ['user', 'create', '--email', ALICE, '--organization', 'Acme', '--id', 'alice', '--no-password']
    expect(await must(cli, args)).toMatchObject({ id: 'alice', email: ALICE, organizationId, roles: [] })
    expect((await must(cli, ['user', 'list', '--organization', 'Acme'])).items).toHaveLength(1)
    await must(cli, ['org', 'create', 'Other'])
    expect((await must(cli, ['user', 'list', '--organization', 'Other'])).items).toEqual([])
  })
})

test('user list has the organization whole at 80 columns', async () => {
  const { id } = await must(cli, ['org', 'create', 'Acme'])
  const user = await must(cli, [...CREATE, '--organization', 'Acme', '--no-password'])
  const { out } = await cli.run(['user', 'list'], { columns: 80 })
  expect(out.split('\n')[1]).toBe(`${user.id}  ${ALICE}  admin  active  ${id}`)
})

describe('user', () => {
  beforeEach(() => must(cli, CREATE, { env: { MACHINE_AUTH_PASSWORD: PASSWORD } }))

  test('show finds by e-mail in any spelling, and by id', async () => {
    const byEmail = await must(cli, ['user', 'show', 'ALICE@example.com'])
    expect(byEmail).toMatchObject({ email: ALICE, status: 'active' })
    expect(await must(cli, ['user', 'show', byEmail.id])).toEqual(byEmail)
    expect(JSON.stringify(byEmail)).not.toContain('argon2')
  })

  test('update moves a user and changes the e-mail address, each alone', async () => {
    const { id: organizationId } = await must(cli, ['org', 'create', 'Acme'])
    const user = await must(cli, ['user', 'update', ALICE, '--organization', 'Acme'])
    expect(user).toMatchObject({ email: ALICE, organizationId, roles: ['admin'] })
    const renamed = await must(cli, ['user', 'update', ALICE, '--email', 'Alice2@example.com'])
    expect(renamed).toEqual({ ...user, email: 'alice2@example.com' })
    expect(await must(cli, ['user', 'update', user.id, '--no-organization'])).toEqual({
      ...renamed,
      organizationId: null,
    })
    const run = await cli.run(['user', 'update', user.id, '--email', 'nonsense'])
    expect([run.code, run.err]).toEqual([1, expect.stringContaining('--email must be an e-mail address')])
  })

  test('set-roles replaces them, or takes all away', async () => {
    await must(cli, ['role', 'set', 'support', '--permission', 'machine_auth.keys.view'])
    expect((await must(cli, ['user', 'set-roles', ALICE, 'support'])).roles).toEqual(['support'])
    const run = await cli.run(['user', 'set-roles', ALICE])
    expect([run.code, run.out]).toEqual([0, `${ALICE} has the roles: -\n`])
    expect((await cli.look(({ users }) => users.findByEmail(ALICE)))?.roles).toEqual([])
  })

  test('set-password replaces it', async () => {
    const run = await cli.run(['user', 'set-password', ALICE, '--password-stdin'], { stdin: 'another long one' })
    expect([run.code, run.out]).toEqual([0, `${ALICE} has a new password.\n`])
    expect([await canLogIn('another long one'), await canLogIn(PASSWORD)]).toEqual([true, false])
  })

  test('set-password without any is a usage error, and changes nothing', async () => {
    const run = await cli.run(['user', 'set-password', ALICE])
    expect([run.code, run.err]).toEqual([2, expect.stringContaining('MACHINE_AUTH_PASSWORD')])
    expect(await canLogIn(PASSWORD)).toBeTrue()
  })

  test('disable and enable', async () => {
    expect((await cli.run(['user', 'disable', ALICE, '--yes'])).out).toBe(`${ALICE} is disabled.\n`)
    expect(await canLogIn(PASSWORD)).toBeFalse()
    expect((await must(cli, ['user', 'enable', ALICE])).status).toBe('active')
    expect(await canLogIn(PASSWORD)).toBeTrue()
    expect(await audited(cli)).toEqual(['cli user.created', 'cli user.updated', 'cli user.updated'])
  })

  test('an unknown one is exit 1', async () => {
    const run = await cli.run(['user', 'show', 'bob@example.com'])
    expect([run.code, run.err]).toEqual([1, expect.stringContaining('no user with the e-mail address or id')])
  })
})
