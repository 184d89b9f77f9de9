import { afterEach, beforeEach, expect, test } from 'bun:test'
import { type CliDirectory, createDirectory, must } from './support.ts'

let cli: CliDirectory
beforeEach(() => {
  cli = createDirectory()
})
afterEach(() => cli[Symbol.dispose]())

const SET = ['role', 'set', 'support', '--permission', 'machine_auth.keys.view']

test('set makes a role and replaces it, show and list find it, delete ends it', async () => {
  expect(await must(cli, SET)).toMatchObject({ name: 'support', permissions: ['machine_auth.keys.view'], inherits: [] })
  const replaced = ['role', 'set', 'support', '--permission', 'machine_auth.blocks.view', '--inherits', 'admin']
  const role = await must(cli, replaced)
  expect(role).toMatchObject({ permissions: ['machine_auth.blocks.view'], inherits: ['admin'], source: 'stored' })
  expect(await must(cli, ['role', 'show', 'support'])).toEqual(role)
  const list = await must(cli, ['role', 'list'])
  expect([list.items.map(({ name }: { name: string }) => name), list.nextCursor]).toEqual([['admin', 'support'], null])
  expect(await must(cli, ['role', 'delete', 'support', '--yes'])).toEqual(role)
  expect((await must(cli, ['role', 'list'])).items).toHaveLength(1)
})

test.each([
  { args: ['role', 'set', 'Bad Name'], said: '--name must be lower-case' },
  { args: ['role', 'set', 'x', '--permission', 'nope'], said: '--permission number 1' },
  { args: ['role', 'set', 'x', '--inherits', 'nobody'], said: '--inherits number 1 names no role' },
  { args: ['role', 'set', 'admin', '--permission', '*'], said: 'defined in the configuration' },
  { args: ['role', 'delete', 'admin', '--yes'], said: 'defined in the configuration' },
  { args: ['role', 'show', 'nobody'], said: 'There is nothing here.' },
])('$args is exit 1, and changes nothing', async ({ args, said }) => {
  const run = await cli.run(args)
  expect([run.code, run.out]).toEqual([1, ''])
  expect(run.err).toContain(said)
  expect((await must(cli, ['role', 'list'])).items).toHaveLength(1)
})
