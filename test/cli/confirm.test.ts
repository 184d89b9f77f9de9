import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CliDirectory, createDirectory, must } from './support.ts'

/** Everything that takes something away, on what `beforeAll` makes. */
const COMMANDS = [
  { name: 'org suspend', args: ['org', 'suspend', 'Acme'] },
  { name: 'user disable', args: ['user', 'disable', 'bob@example.com'] },
  { name: 'key revoke', args: ['key', 'revoke', 'KEY'] },
  { name: 'key disable', args: ['key', 'disable', 'KEY'] },
  { name: 'key rotate', args: ['key', 'rotate', 'KEY'] },
  { name: 'key lockdown', args: ['key', 'lockdown', '--created-before', '2100-01-01T00:00:00Z'] },
  { name: 'role delete', args: ['role', 'delete', 'support'] },
  { name: 'block remove', args: ['block', 'remove', 'BLOCK'] },
]

/** Made once; each test has a copy of its database. */
const made = createDirectory()
let ids: Readonly<Record<string, string>>
beforeAll(async () => {
  await must(made, ['org', 'create', 'Acme'])
  await must(made, ['user', 'create', 'bob@example.com', '--no-password'])
  await must(made, ['role', 'set', 'support', '--permission', 'machine_auth.keys.view'])
  const { key } = await must(made, ['key', 'create', '--name', 'CI'])
  const block = await must(made, ['block', 'add', '203.0.113.5', '--duration', '1h'])
  ids = { KEY: key.id, BLOCK: block.id }
})
afterAll(() => made[Symbol.dispose]())

let cli: CliDirectory
beforeEach(() => {
  cli = createDirectory()
  cli.time.now = made.time.now
  copyFileSync(join(made.path, 'auth.db'), join(cli.path, 'auth.db'))
})
afterEach(() => cli[Symbol.dispose]())

const withIds = (args: readonly string[]) => args.map((arg) => ids[arg] ?? arg)

/** All that these commands could have changed. */
function state() {
  return cli.look(async ({ organizations, users, keys, roles, blocks }) => ({
    organizations: await organizations.list(),
    users: await users.list(),
    keys: await keys.list(),
    roles: await roles.list(),
    blocks: await blocks.list(),
  }))
}

describe.each(COMMANDS)('$name', ({ args }) => {
  test('refuses without a terminal and without --yes: exit 2, nothing changed', async () => {
    const before = await state()
    const run = await cli.run(withIds(args))
    expect([run.code, run.out, run.err]).toEqual([2, '', expect.stringContaining('add --yes.\n')])
    expect(await state()).toEqual(before)
  })

  test.each(['n\n', '\n', 'yess\n', '\u0003', ''])('changes nothing for the answer %j', async (stdin) => {
    const before = await state()
    const run = await cli.run(withIds(args), { isTTY: true, stdin })
    expect([run.code, run.out]).toEqual([1, ''])
    expect(run.err).toContain('Go on? [y/N] ')
    expect(await state()).toEqual(before)
  })

  test.each([
    { name: 'the answer y', more: [], input: { isTTY: true, stdin: 'y\n' } },
    { name: '--yes', more: ['--yes'], input: {} },
  ])('goes on with $name', async ({ more, input }) => {
    const before = await state()
    const run = await cli.run([...withIds(args), ...more], input)
    expect([run.code, run.out]).not.toEqual([0, ''])
    expect(run.code).toBe(0)
    expect(await state()).not.toEqual(before)
  })
})
