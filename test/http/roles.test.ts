import { afterAll, describe, expect, test } from 'bun:test'
import { expectInvalidAt, expectProblem, listAt, membersOf } from '../support/answers.ts'
import { addKey, addTokens, asMaster, createTestApp, ROLES } from '../support/test-app.ts'

const t = await createTestApp()
afterAll(t.close)

type Headers = Readonly<Record<string, string>>
const place = (name: string) => `/auth/roles/${encodeURIComponent(name)}`
const put = (name: string, body: unknown, headers: Headers = asMaster) =>
  t.ask(place(name), { method: 'PUT', headers, body })
const show = (name: string, headers: Headers = asMaster) => t.ask(place(name), { headers })
const remove = (name: string, headers: Headers = asMaster) => t.ask(place(name), { method: 'DELETE', headers })
const list = (query = '', headers: Headers = asMaster) => t.ask(`/auth/roles${query}`, { headers })

const platform = (permissions: readonly string[]) => addKey(t, { permissions: ['platform.admin', ...permissions] })

describe('PUT /roles/:name', () => {
  test('makes a role, shows it, and replaces it', async () => {
    const made = await put('editor', { permissions: ['posts.*', 'users.view', 'users.view'], inherits: ['user'] })
    expect(made.status).toBe(200)
    expect(made.headers.get('cache-control')).toBe('no-store')
    expect(made.json).toEqual({
      name: 'editor',
      permissions: ['posts.*', 'users.view'],
      inherits: ['user'],
      source: 'stored',
    })
    expect((await show('editor')).json).toEqual(made.json)
    expect(await t.core.roles.find('editor')).toMatchObject(made.json)
    const replaced = await put('editor', { permissions: [] })
    expect(replaced.json).toEqual({ name: 'editor', permissions: [], inherits: [], source: 'stored' })
    expect((await show('editor')).json).toEqual(replaced.json)
  })

  test('counts for its users from the next request on', async () => {
    await put('viewer', { permissions: [] })
    const { id } = await t.core.users.create({ email: 'viewer@example.com', roles: ['viewer'] })
    const { headers } = await addTokens(t, id)
    const said = async () => (await t.ask('/users', { headers })).said
    expect(await said()).toBe('403 permission_required')
    await put('viewer', { permissions: ['users.view'] })
    expect(await said()).toBe('200')
    await put('base', { permissions: ['users.*'] })
    await put('viewer', { permissions: [], inherits: ['base'] })
    expect(await said()).toBe('200')
    await put('base', { permissions: [] })
    expect(await said()).toBe('403 permission_required')
  })

  test.each([
    ['no permissions', { inherits: [] }, ['permissions']],
    ['text for permissions', { permissions: 'users.view' }, ['permissions']],
    [
      'unknown permissions',
      { permissions: ['users.view', 'users.fly', 'nothing.*'] },
      ['permissions.1', 'permissions.2'],
    ],
    ['a permission in capitals', { permissions: ['USERS.VIEW'] }, ['permissions.0']],
    ['too many permissions', { permissions: Array(201).fill('users.view') }, ['permissions']],
    ['an unknown parent', { permissions: [], inherits: ['user', 'nobody'] }, ['inherits.1']],
    ['itself as a parent', { permissions: [], inherits: ['wrong'] }, ['inherits.0']],
    ['too many parents', { permissions: [], inherits: Array(33).fill('user') }, ['inherits']],
    ['a source', { permissions: [], source: 'options' }, ['source']],
    ['another name', { permissions: [], name: 'other' }, ['name']],
    ['no body', undefined, ['body']],
    ['null', null, ['body']],
    ['a list', [], ['body']],
  ])('refuses %s, and makes nothing', async (_, body, paths) => {
    expectInvalidAt(await put('wrong', body), ...paths)
    expectProblem(await show('wrong'), 'not_found')
  })

  test('names the unknown permissions', async () => {
    const answer = await put('wrong', { permissions: ['users.fly'] })
    expect(JSON.stringify(answer.json.errors)).toContain('users.fly')
  })

  test.each([
    ['directly', 'a', ['a']],
    ['through another', 'a', ['b']],
    ['through two others', 'a', ['c']],
    ['beside a right one', 'a', ['user', 'c']],
  ])('a cycle %s is refused', async (_, name, inherits) => {
    await using app = await createTestApp()
    const at = (role: string, body: object) =>
      app.ask(`/auth/roles/${role}`, { method: 'PUT', headers: asMaster, body: { permissions: [], ...body } })
    await at('a', {})
    await at('b', { inherits: ['a'] })
    await at('c', { inherits: ['b'] })
    expectInvalidAt(await at(name, { inherits }), `inherits.${inherits.length - 1}`)
    expect((await app.ask('/auth/roles/a', { headers: asMaster })).json.inherits).toEqual([])
  })

  test.each(['Editor', 'a b', 'a..b', '.a', '-', '__proto__', 'constructor', 'é', 'x'.repeat(129), 'a/b', "a'b", '*'])(
    'a role is not called %s',
    async (name) => {
      const answer = await put(name, { permissions: [] })
      if (name === '-') expect(answer.status).toBe(200)
      else expect(answer.said).toBe('422 validation_failed')
    },
  )

  test.each(Object.keys(ROLES))('%s of the options is not to be changed here', async (name) => {
    const before = (await show(name)).json
    expectProblem(await put(name, { permissions: [] }), 'conflict')
    expectProblem(await remove(name), 'conflict')
    expect((await show(name)).json).toEqual(before)
    expect(before).toMatchObject({ name, source: 'options' })
  })

  test('nobody puts more into a role than he has, nor changes one that grants more', async () => {
    await put('strong', { permissions: ['posts.*'] })
    const { headers } = await platform(['machine_auth.roles.*', 'users.view'])
    for (const [name, body] of [
      ['weak', { permissions: ['posts.view'] }],
      ['weak', { permissions: [], inherits: ['strong'] }],
      ['weak', { permissions: ['*'] }],
      ['strong', { permissions: [] }],
    ] as const) {
      expectProblem(await put(name, body, headers), 'permission_required', ['required'])
    }
    expectProblem(await remove('strong', headers), 'permission_required', ['required'])
    expect((await show('strong')).json.permissions).toEqual(['posts.*'])
    expectProblem(await show('weak'), 'not_found')
    expect((await put('weak', { permissions: ['users.view'] }, headers)).status).toBe(200)
    expect((await remove('weak', headers)).status).toBe(204)
  })
})

describe('GET /roles', () => {
  test('lists those of the options first, page by page', async () => {
    await using app = await createTestApp()
    for (const name of ['zeta', 'alpha']) await app.core.roles.put(name, { permissions: [] })
    const names: unknown[] = []
    for (let cursor = ''; ; ) {
      const { json } = await app.ask(`/auth/roles?limit=2${cursor}`, { headers: asMaster })
      expect(membersOf(json)).toEqual(['items', 'nextCursor'])
      for (const item of listAt(json, 'items')) {
        expect(membersOf(item)).toEqual(['inherits', 'name', 'permissions', 'source'])
        names.push(item.name)
      }
      if (json.nextCursor === null) break
      cursor = `&cursor=${json.nextCursor}`
    }
    expect(names).toEqual([...Object.keys(ROLES), 'alpha', 'zeta'])
  })

  test.each([
    ['?limit=0', 'limit'],
    ['?limit=101', 'limit'],
    ['?cursor=nobody', 'cursor'],
    ['?sort=source', 'sort'],
    ['?q=a', 'q'],
  ])('%s is refused', async (query, path) => {
    expectInvalidAt(await list(query), path)
  })

  test('is the platform’s alone', async () => {
    const { id } = await t.core.organizations.create({ name: 'Acme' })
    const own = await addKey(t, { organizationId: id, permissions: ['*'] })
    for (const answer of [
      await list('', own.headers),
      await show('user', own.headers),
      await show('nobody', own.headers),
      await put('mine', { permissions: [] }, own.headers),
      await remove('nobody', own.headers),
    ]) {
      expectProblem(answer, 'permission_required', ['required'])
      expect(answer.json.required).toEqual(['platform.admin'])
    }
    expectProblem(await show('mine'), 'not_found')
  })
})

describe('DELETE /roles/:name', () => {
  test('takes what it granted, and leaves its name', async () => {
    await put('leaving', { permissions: ['users.view'] })
    const { id } = await t.core.users.create({ email: 'leaving@example.com', roles: ['leaving'] })
    const { headers } = await addTokens(t, id)
    expect((await t.ask('/users', { headers })).status).toBe(200)
    const answer = await remove('leaving')
    expect([answer.status, answer.text, answer.headers.get('cache-control')]).toEqual([204, '', 'no-store'])
    expect((await t.ask('/users', { headers })).said).toBe('403 permission_required')
    expect((await t.core.users.find(id)).roles).toEqual(['leaving'])
    expectProblem(await show('leaving'), 'not_found')
    expectProblem(await remove('leaving'), 'not_found')
  })

  test('what is done to roles is in the audit log', async () => {
    await put('noted', { permissions: ['users.view'] })
    await put('noted', { permissions: ['posts.view'] })
    await remove('noted')
    const { items } = await t.core.audit.list({ subject: 'noted' })
    expect(items.map(({ action, actor }) => [action, actor]).sort()).toEqual([
      ['role.deleted', 'master'],
      ['role.put', 'master'],
      ['role.put', 'master'],
    ])
    expect(items.every(({ requestId, address }) => requestId !== null && address === '127.0.0.1')).toBe(true)
  })
})
