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

test('verify finds an event that was changed: exit 1', async () => {
  const sound = await must(cli, ['audit', 'verify'])
  expect(sound).toMatchObject({ ok: true, checked: 2, problems: [] })
  const database = new Database(join(cli.path, 'auth.db'))
  database.run("update machine_auth_audit set actor = 'somebody' where action = 'key.created'")
  database.close()
  const run = await cli.run(['audit', 'verify', '--json'])
  expect([run.code, run.json.ok, run.json.problemCount]).toEqual([1, false, 1])
  expect((await cli.run(['audit', 'verify'])).out).toMatch(/^2 events, 1 problems, .*\n {2}changed: /)
})
