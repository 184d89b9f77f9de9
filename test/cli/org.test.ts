import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { audited, type CliDirectory, createDirectory, must } from './support.ts'

let cli: CliDirectory
beforeEach(() => {
  cli = createDirectory()
})
afterEach(() => cli[Symbol.dispose]())

describe('org', () => {
  test.each([
    { name: 'its name as an argument', args: ['Acme'] },
    { name: 'its name as an option', args: ['--name', 'Acme'] },
  ])('create takes $name', async ({ args }) => {
    const run = await cli.run(['org', 'create', ...args])
    expect([run.code, run.err]).toEqual([0, ''])
    expect(run.out).toMatch(/^id +org_\w{16}\nname +Acme\nstatus +active\n/)
    const stored = await cli.look((core) => core.organizations.findByName('Acme'))
    expect(stored?.name).toBe('Acme')
    expect(await audited(cli)).toEqual(['cli organization.created'])
  })

  test('create and update write limits, and take them away', async () => {
    const limits = ['--rate-limit', '600/1m', '--quota', '5000', '--max-permission', 'machine_auth.keys.view']
    const made = await must(cli, ['org', 'create', 'Acme', ...limits, '--max-key-lifetime', '90d'])
    expect(made).toMatchObject({
      rateLimit: { limit: 600, window: '1m' },
      monthlyQuota: 5000,
      maxPermissions: ['machine_auth.keys.view'],
    })
    const changed = await must(cli, ['org', 'update', 'Acme', '--no-rate-limit', '--quota', '7', '--name', 'Acme 2'])
    const { id, createdAt, keyCount, status } = made
    expect(changed).toEqual({
      ...made,
      id,
      createdAt,
      keyCount,
      status,
      name: 'Acme 2',
      rateLimit: null,
      monthlyQuota: 7,
    })
    const bare = ['--no-max-permission', '--no-max-key-lifetime', '--no-quota']
    expect(await must(cli, ['org', 'update', id, ...bare])).toMatchObject({
      monthlyQuota: null,
      maxPermissions: null,
      maxKeyLifetime: null,
    })
  })

  test('suspend and activate by name or id', async () => {
    const { id } = await must(cli, ['org', 'create', 'Acme'])
    const run = await cli.run(['org', 'suspend', 'Acme', '--yes'])
    expect([run.code, run.out]).toEqual([0, 'Acme is suspended.\n'])
    expect((await cli.look((core) => core.organizations.find(id))).status).toBe('suspended')
    expect(await must(cli, ['org', 'activate', id])).toMatchObject({ id, status: 'active' })
    expect((await cli.look((core) => core.organizations.find(id))).status).toBe('active')
  })

  test('list is a table, or a page as HTTP answers it', async () => {
    for (const name of ['A', 'B', 'C']) {
      cli.time.now += 1000
      await must(cli, ['org', 'create', name])
    }
    const table = await cli.run(['org', 'list'])
    expect(table.out.split('\n').map((line) => line.split(/ {2,}/)[1])).toEqual(['NAME', 'C', 'B', 'A', undefined])
    const first = await must(cli, ['org', 'list', '--limit', '2', '--sort', 'name', '--order', 'asc'])
    expect(first.items.map((each: { name: string }) => each.name)).toEqual(['A', 'B'])
    const rest = ['org', 'list', '--sort', 'name', '--order', 'asc', '--cursor', first.nextCursor]
    expect(await must(cli, rest)).toMatchObject({ items: [{ name: 'C', keyCount: 0 }], nextCursor: null })
    const more = await cli.run(['org', 'list', '--limit', '2'])
    expect(more.err).toMatch(/^There is more: add --cursor \S+\n$/)
  })

  test.each([
    { args: ['org', 'show', 'Nobody'], said: 'There is no organization with the name or id "Nobody".' },
    { args: ['org', 'suspend', 'org_0000000000000000', '--yes'], said: 'org_0000000000000000' },
  ])('$args answers exit 1 and says so', async ({ args, said }) => {
    const run = await cli.run(args)
    expect([run.code, run.out]).toEqual([1, ''])
    expect(run.err).toContain(said)
  })

  test('a name that is taken is exit 1, a wrong one says what is accepted', async () => {
    await must(cli, ['org', 'create', 'Acme'])
    expect((await cli.run(['org', 'create', 'Acme'])).code).toBe(1)
    const run = await cli.run(['org', 'create', ' '])
    expect([run.code, run.err]).toEqual([1, expect.stringContaining('  --name must be 1 to 255 characters')])
    expect((await must(cli, ['org', 'list'])).items).toHaveLength(1)
  })

  test.each([
    { args: ['org', 'create'], said: "missing required argument 'name'" },
    { args: ['org', 'create', 'A', '--name', 'B'], said: 'give one' },
    { args: ['org', 'create', 'A', '--rate-limit', '10'], said: 'It must be such as 100/1m.' },
    { args: ['org', 'create', 'A', '--quota', '-1'], said: 'It must be a whole number.' },
    { args: ['org', 'list', '--order', 'up'], said: 'Allowed choices are asc, desc' },
    { args: ['org'], said: 'Usage: machine-auth org' },
    { args: [], said: 'Usage: machine-auth' },
    { args: ['organisation'], said: "unknown command 'organisation'" },
  ])('$args is a usage error: exit 2', async ({ args, said }) => {
    const run = await cli.run(args)
    expect([run.code, run.out]).toEqual([2, ''])
    expect(run.err).toContain(said)
  })
})
