import { Database } from 'bun:sqlite'
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { join } from 'node:path'
import { toTimestamp } from '../../src/lib/timestamp.ts'
import { type CliDirectory, createDirectory, must } from './support.ts'

let cli: CliDirectory
beforeEach(async () => {
  cli = createDirectory()
  await must(cli, ['org', 'create', 'Acme'])
  await must(cli, ['key', 'create', '--name', 'CI', '--organization', 'Acme'])
})
afterEach(() => cli[Symbol.dispose]())

const actions = async (...args: readonly string[]) =>
  (await must(cli, ['audit', 'list', ...args])).items.map(({ action }: { action: string }) => action)

test('list filters', async () => {
  expect(await actions()).toEqual(['key.created', 'organization.created'])
  expect(await actions('--action', 'key.created', '--actor', 'cli')).toEqual(['key.created'])
  expect(await actions('--actor', 'system')).toEqual([])
  expect(await actions('--organization', 'Acme', '--limit', '1')).toEqual(['key.created'])
  const { items } = await must(cli, ['audit', 'list', '--limit', '1'])
  expect(await actions('--subject', items[0].subject)).toEqual(['key.created'])
  expect(await actions('--to', items[0].at)).toEqual(['organization.created'])
  expect(await actions('--from', toTimestamp(cli.time.now + 1))).toEqual([])
  expect((await cli.run(['audit', 'list', '--from', 'yesterday'])).code).toBe(2)
})

test.each([80, 60])('list says at %i columns when and what, whole', async (columns) => {
  await must(cli, ['org', 'update', 'Acme', '--name', 'Acme Corporation and Sons'])
  const { items } = await must(cli, ['audit', 'list'])
  const { out } = await cli.run(['audit', 'list'], { columns })
  expect(items).toHaveLength(3)
  for (const { at, action, subject } of items) {
    const [line = ''] = out.split('\n').filter((each) => each.includes(` ${action} `))
    expect(line).toStartWith(`${at.slice(0, 19).replace('T', ' ')}  ${action} `)
    expect(line).toContain(`cli    ${subject}`)
    if (columns === 80) expect(line.length).toBeLessThanOrEqual(80)
  }
})

test('verify finds an event that was changed: exit 1', async () => {
  const sound = await must(cli, ['audit', 'verify'])
  expect(sound).toMatchObject({ ok: true, checked: 2, problems: [] })
  const database = new Database(join(cli.path, 'auth.db'))
  database.run("update machine_auth_audit set actor = 'somebody' where action = 'key.created'")
  database.close()
  const run = await cli.run(['audit', 'verify', '--json'])
  expect([run.code, run.json.ok, run.json.problemCount]).toEqual([1, false, 1])
  expect((await cli.run(['audit', 'verify'])).out).toMatch(/^2 events, 0 unverifiable, 1 problems, .*\n {2}changed: /)
})

const OTHER = { env: { MACHINE_AUTH_SECRET: 'other-root-secret-of-the-tests-8Hq2LmVs5Yc1DgXf' } }

test('a log under a lost secret is right when so many are accepted, and goes on once it is adopted', async () => {
  expect((await cli.run(['audit', 'verify'], OTHER)).code).toBe(1)
  expect((await cli.run(['audit', 'adopt'], OTHER)).code).toBe(2)
  const asked = await cli.run(['audit', 'adopt'], { ...OTHER, isTTY: true, stdin: 'n\n' })
  expect([asked.code, asked.err]).toEqual([1, expect.stringContaining('Go on? [y/N]')])
  const adopted = await cli.run(['audit', 'adopt', '--yes'], OTHER)
  expect([adopted.code, adopted.out]).toEqual([
    0,
    'The log goes on after 2; verify it with --unverifiable 2 from now on.\n',
  ])
  expect((await cli.run(['audit', 'verify'], OTHER)).code).toBe(1)
  const accepted = await cli.run(['audit', 'verify', '--unverifiable', '2'], OTHER)
  expect([accepted.code, accepted.out]).toEqual([0, '3 events, 2 unverifiable, 0 problems, the newest is 3\n'])
  expect(await must(cli, ['audit', 'adopt', '--yes'], OTHER)).toMatchObject({ adopted: true, sequence: 3 })
})

test('there is nothing to adopt in a log of secrets that are given', async () => {
  const { out } = await cli.run(['audit', 'adopt', '--yes'])
  expect(out).toBe('There is nothing to adopt: all of the log is of secrets that are given.\n')
})
