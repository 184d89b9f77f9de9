import { afterAll, describe, expect, test } from 'bun:test'
import { OWN_PERMISSIONS } from '../../src/authorization/own-permissions.ts'
import { expectInvalidAt, expectProblem, listAt, membersOf } from '../support/answers.ts'
import { addKey, asMaster, createTestApp } from '../support/test-app.ts'

const OPTIONS = {
  modules: {
    users: { label: 'People', crud: ['view', 'create'], actions: { profile: ['get'] } },
    posts: {},
    reports_2: { label: "O'Brien's 100%" },
  },
  permissions: ['deploy.run'],
  roles: { admin: ['*'] },
} as const

const t = await createTestApp(OPTIONS)
afterAll(t.close)

type Headers = Readonly<Record<string, string>>
const list = (query = '', headers: Headers = asMaster) => t.ask(`/auth/permissions?${query}`, { headers })
const namesOf = async (query: string) =>
  listAt((await list(`limit=100&${query}`)).json, 'items').map(({ name }) => name)

const REPORTS = ['reports_2.create', 'reports_2.delete', 'reports_2.update', 'reports_2.view']
const POSTS = ['posts.create', 'posts.delete', 'posts.update', 'posts.view']
const OWN = OWN_PERMISSIONS.map(({ name }) => name)
const DECLARED = [...OWN, ...POSTS, ...REPORTS, 'deploy.run', 'users.create', 'users.profile.get', 'users.view'].sort()

describe('GET /permissions', () => {
  test('lists what code declares, by name', async () => {
    const answer = await list('limit=100')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(membersOf(answer.json)).toEqual(['items', 'nextCursor'])
    const items = listAt(answer.json, 'items')
    expect(items.map(({ name }) => String(name))).toEqual(DECLARED)
    const of = (name: string) => items.find((each) => each.name === name)
    expect(of('users.view')).toEqual({ name: 'users.view', module: 'users', label: 'People: view', source: 'module' })
    expect(of('deploy.run')).toEqual({ name: 'deploy.run', module: null, label: 'Deploy run', source: 'options' })
    expect(of('machine_auth.keys.view')).toMatchObject({ module: 'machine_auth.keys', source: 'library' })
  })

  test.each([
    ['module=users', ['users.create', 'users.profile.get', 'users.view']],
    ['module=reports_2', REPORTS],
    ['module=reports%252', []],
    ['module=user', []],
    ['module=USERS', []],
    ['module=', []],
    ['q=PROFILE', ['users.profile.get']],
    ['q=people', ['users.create', 'users.profile.get', 'users.view']],
    ['module=users&q=create', ['users.create']],
    ['module=reports_2&q=people', []],
    [`q=${encodeURIComponent('%')}`, REPORTS],
    ["q='", REPORTS],
    [`q=${encodeURIComponent("' or 1=1 --")}`, []],
    ['q=_2', REPORTS],
    ['q=_3', []],
    ['q=users_view', []],
    ['q=*', []],
    [`q=${encodeURIComponent('\n')}`, []],
  ])('%s', async (query, expected) => {
    expect(await namesOf(query)).toEqual(expected)
  })

  test('q is a literal: an underscore is no wildcard', async () => {
    expect(await namesOf('q=_')).toEqual(DECLARED.filter((name) => name.includes('_')))
  })

  test('page by page', async () => {
    const names: unknown[] = []
    for (let cursor = ''; ; ) {
      const { json } = await list(`limit=7${cursor}`)
      names.push(...listAt(json, 'items').map(({ name }) => name))
      if (json.nextCursor === null) break
      cursor = `&cursor=${json.nextCursor}`
    }
    expect(names).toEqual(DECLARED)
  })

  test.each([
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['cursor=users.fly', 'cursor'],
    // Of the list without the filter.
    ['module=users&cursor=deploy.run', 'cursor'],
    [`q=${'x'.repeat(256)}`, 'q'],
    [`module=${'x'.repeat(129)}`, 'module'],
    ['sort=label', 'sort'],
    ['source=module', 'source'],
  ])('%s is refused', async (query, path) => {
    expectInvalidAt(await list(query), path)
  })

  test('asks for its own permission', async () => {
    const { id } = await t.core.organizations.create({ name: 'Acme' })
    const allowed = await addKey(t, { organizationId: id, permissions: ['machine_auth.permissions.view'] })
    const refused = await addKey(t, { organizationId: id, permissions: ['machine_auth.permissions.update'] })
    expect((await list('', allowed.headers)).status).toBe(200)
    expectProblem(await list('', refused.headers), 'permission_required', ['required'])
    expectProblem(await list('', {}), 'credential_missing')
  })
})

describe('POST /permissions/sync', () => {
  test('says what would change, changes it, and then has nothing to do', async () => {
    await using app = await createTestApp(OPTIONS)
    const sync = (body: unknown) => app.ask('/auth/permissions/sync', { method: 'POST', headers: asMaster, body })
    const stored = () => app.countRows().machine_auth_permissions
    const before = stored()
    const dry = await sync({ dryRun: true })
    expect(dry.status).toBe(200)
    expect(dry.headers.get('cache-control')).toBe('no-store')
    expect(dry.json).toMatchObject({ changed: [], removed: [], dryRun: true })
    expect(
      listAt(dry.json, 'created')
        .map(({ name }) => String(name))
        .sort(),
    ).toEqual(DECLARED)
    expect(stored()).toBe(before)
    const done = await sync(undefined)
    expect(done.json).toEqual({ ...dry.json, dryRun: false })
    expect(stored()).toBe(DECLARED.length)
    for (const body of [undefined, null, {}, { dryRun: true }, { dryRun: false }]) {
      expect((await sync(body)).json).toMatchObject({ created: [], changed: [], removed: [] })
    }
    const { items } = await app.core.audit.list({ action: 'permissions.synced' })
    expect(items).toMatchObject([{ actor: 'master', subject: 'permissions', address: '127.0.0.1' }])
  })

  test('tells a changed label and what is declared no more', async () => {
    await using app = await createTestApp(OPTIONS)
    const sync = async () => (await app.ask('/auth/permissions/sync', { method: 'POST', headers: asMaster })).json
    await sync()
    app.client.run("update machine_auth_permissions set label = 'Old' where name = 'users.view'")
    app.client.run("update machine_auth_permissions set name = 'users.fly' where name = 'users.create'")
    const answer = await sync()
    expect(answer.changed).toEqual([{ name: 'users.view', from: 'Old', to: 'People: view' }])
    expect(listAt(answer, 'created').map(({ name }) => name)).toEqual(['users.create'])
    expect(listAt(answer, 'removed').map(({ name }) => name)).toEqual(['users.fly'])
    expect(await sync()).toMatchObject({ created: [], changed: [], removed: [] })
  })

  test.each([
    ['text', { dryRun: 'yes' }, ['dryRun']],
    ['text that looks like it', { dryRun: 'true' }, ['dryRun']],
    ['text that says the contrary', { dryRun: 'false' }, ['dryRun']],
    ['a number', { dryRun: 1 }, ['dryRun']],
    ['null', { dryRun: null }, ['dryRun']],
    ['another member', { dryrun: true }, ['dryrun']],
    ['a list', [], ['body']],
  ])('refuses %s, and writes nothing', async (_, body, paths) => {
    const before = t.countRows()
    expectInvalidAt(await t.ask('/auth/permissions/sync', { headers: asMaster, body }), ...paths)
    expect(t.countRows()).toEqual(before)
  })

  test('is the platform’s alone', async () => {
    const { id } = await t.core.organizations.create({ name: 'Sync' })
    const { headers } = await addKey(t, { organizationId: id, permissions: ['*'] })
    const before = t.countRows().machine_auth_permissions
    for (const body of [{}, { dryRun: true }]) {
      const answer = await t.ask('/auth/permissions/sync', { headers, body })
      expectProblem(answer, 'permission_required', ['required'])
    }
    expect(t.countRows().machine_auth_permissions).toBe(before)
  })
})
