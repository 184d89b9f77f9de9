import { afterEach, beforeEach, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { audited, type CliDirectory, createDirectory, must } from './support.ts'

let cli: CliDirectory
const configure = (options: object) =>
  writeFileSync(join(cli.path, 'machine-auth.config.json'), JSON.stringify(options))

beforeEach(() => {
  cli = createDirectory()
  configure({ modules: { users: { label: 'People | all', crud: ['view'], actions: { profile: ['get'] } } } })
})
afterEach(() => cli[Symbol.dispose]())

const names = ({ items }: { items: readonly { name: string }[] }) => items.map(({ name }) => name)

test('list searches by module and text', async () => {
  expect(names(await must(cli, ['permissions', 'list', '--module', 'users']))).toEqual([
    'users.profile.get',
    'users.view',
  ])
  expect(names(await must(cli, ['permissions', 'list', '--query', 'PEOPLE']))).toEqual([
    'users.profile.get',
    'users.view',
  ])
  expect(names(await must(cli, ['permissions', 'list', '--query', '%']))).toEqual([])
  expect((await cli.run(['permissions', 'list'])).out).toMatch(/^users\.view +People \| all: \S+ +module$/m)
})

test('docs are Markdown, or JSON by either option', async () => {
  const markdown = (await cli.run(['permissions', 'docs'])).out
  expect(markdown).toMatch(/^# Permissions\n\n## machine_auth\./)
  expect(markdown).toMatch(
    /\n## users\n\n\| permission \| what for \|\n\| --- \| --- \|\n\| `users\.profile\.get` \| People \\\| all/,
  )
  const json = (await cli.run(['permissions', 'docs', '--format', 'json'])).json
  expect(json).toEqual(await must(cli, ['permissions', 'docs']))
  const users = json.modules.find(({ module }: { module: string }) => module === 'users')
  expect(users.permissions.map(({ name }: { name: string }) => name)).toEqual(['users.profile.get', 'users.view'])
  expect((await cli.run(['permissions', 'docs', '--format', 'html'])).code).toBe(2)
})

test('sync says what would change with exit 2, changes it, and then has nothing to do', async () => {
  const planned = await cli.run(['permissions', 'sync', '--dry-run'])
  expect([planned.code, planned.out]).toEqual([2, expect.stringContaining('+ created users.view\n')])
  expect((await cli.run(['permissions', 'sync', '--dry-run'])).code).toBe(2)
  const done = await cli.run(['permissions', 'sync'])
  expect([done.code, done.out]).toEqual([0, planned.out])
  expect((await cli.run(['permissions', 'sync', '--dry-run'])).out).toBe('Nothing to change.\n')
  expect((await cli.run(['permissions', 'sync', '--dry-run'])).code).toBe(0)
  expect(await audited(cli)).toEqual(['cli permissions.synced'])
})

test('sync tells new, relabelled and removed ones apart', async () => {
  await must(cli, ['permissions', 'sync'])
  configure({ modules: { users: { label: 'Users', crud: ['view', 'create'] } } })
  const run = await cli.run(['permissions', 'sync', '--dry-run'])
  expect([run.code, run.out.trimEnd().split('\n')]).toEqual([
    2,
    [
      '+ created users.create',
      expect.stringMatching(/^~ changed label users\.view: People \| all: \S+ → Users: \S+$/),
      '- removed users.profile.get',
    ],
  ])
})
