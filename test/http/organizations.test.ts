import { afterAll, describe, expect, test } from 'bun:test'
import { expectInvalidAt, expectProblem, listAt, membersOf, textAt } from '../support/answers.ts'
import { addKey, addSession, addTokens, asMaster, createTestApp, type Json, START } from '../support/test-app.ts'

const t = await createTestApp()
afterAll(t.close)

const MEMBERS = [
  'createdAt',
  'id',
  'keyCount',
  'maxKeyLifetime',
  'maxPermissions',
  'monthlyQuota',
  'name',
  'rateLimit',
  'status',
]

type Headers = Readonly<Record<string, string>>
const create = (body: unknown, headers: Headers = asMaster) => t.ask('/auth/organizations', { headers, body })
const show = (id: string, headers: Headers = asMaster) => t.ask(`/auth/organizations/${id}`, { headers })
const change = (id: string, body: unknown, headers: Headers = asMaster) =>
  t.ask(`/auth/organizations/${id}`, { method: 'PATCH', headers, body })

let made = 0
async function addOrganization(more: Json = {}): Promise<string> {
  made += 1
  return textAt((await create({ name: `Organization ${made}`, ...more })).json, 'id')
}

describe('POST /organizations', () => {
  test('answers the organization, active, without limits and keys', async () => {
    const answer = await create({ name: '  Acme ' })
    expect(answer.status).toBe(201)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(membersOf(answer.json)).toEqual(MEMBERS)
    expect(answer.json).toEqual({
      id: expect.stringMatching(/^org_[0-9A-Za-z]{16}$/),
      name: 'Acme',
      status: 'active',
      rateLimit: null,
      monthlyQuota: null,
      maxPermissions: null,
      maxKeyLifetime: null,
      keyCount: 0,
      createdAt: new Date(START).toISOString(),
    })
    expect((await show(textAt(answer.json, 'id'))).json).toEqual(answer.json)
    expect(await t.core.organizations.findByName('Acme')).toEqual(
      await t.core.organizations.find(textAt(answer.json, 'id')),
    )
  })

  test('takes all limits, and answers them as they are shown later', async () => {
    const limits = {
      rateLimit: { limit: 100, window: '1m' },
      monthlyQuota: 1000,
      maxPermissions: ['users.*'],
      maxKeyLifetime: '90d',
    }
    const answer = await create({ name: 'Limited', ...limits })
    expect(answer.json).toMatchObject(limits)
    expect((await show(textAt(answer.json, 'id'))).json).toEqual(answer.json)
  })

  test.each([
    ['no name', {}, ['name']],
    ['a blank name', { name: '   ' }, ['name']],
    ['a name of 256 characters', { name: 'x'.repeat(256) }, ['name']],
    ['a name of two lines', { name: 'a\nb' }, ['name']],
    ['a number', { name: 1 }, ['name']],
    ['a status', { name: 'x', status: 'active' }, ['status']],
    ['no body', undefined, ['body']],
    ['half a rate', { name: 'x', rateLimit: { limit: 1 } }, ['rateLimit.window']],
    ['a rate of none', { name: 'x', rateLimit: { limit: 0, window: '1m' } }, ['rateLimit.limit']],
    ['no duration', { name: 'x', rateLimit: { limit: 1, window: 'soon' } }, ['rateLimit.window']],
    ['a quota of none', { name: 'x', monthlyQuota: 0 }, ['monthlyQuota']],
    ['text for a quota', { name: 'x', monthlyQuota: '5' }, ['monthlyQuota']],
    ['an undeclared permission', { name: 'x', maxPermissions: ['users.view', 'users.fly'] }, ['maxPermissions.1']],
    ['a lifetime of seconds', { name: 'x', maxKeyLifetime: '5s' }, ['maxKeyLifetime']],
    ['a lifetime in words', { name: 'x', maxKeyLifetime: 'for ever' }, ['maxKeyLifetime']],
  ])('refuses %s, and makes nothing', async (_, body, paths) => {
    const before = t.countRows()
    expectInvalidAt(await t.ask('/auth/organizations', { method: 'POST', headers: asMaster, body }), ...paths)
    expect(t.countRows()).toEqual(before)
  })

  test('a name is given once, in whatever form it is written', async () => {
    await create({ name: 'Café' })
    const before = t.countRows()
    for (const name of ['Café', ' Café', 'Cafe\u0301']) expectProblem(await create({ name }), 'conflict', ['errors'])
    expect(t.countRows()).toEqual(before)
  })

  test('is the platform’s alone', async () => {
    const organizationId = await addOrganization()
    const own = await addKey(t, { organizationId, permissions: ['*'] })
    const loose = await addKey(t, { permissions: ['machine_auth.*'] })
    const platform = await addKey(t, { permissions: ['machine_auth.organizations.create', 'platform.admin'] })
    for (const { headers } of [own, loose]) {
      const answer = await create({ name: 'Mine' }, headers)
      expectProblem(answer, 'permission_required', ['required'])
      expect(answer.json.required).toEqual(['platform.admin'])
    }
    expect((await create({ name: 'Mine' }, platform.headers)).status).toBe(201)
  })
})

describe('keyCount', () => {
  test('counts the keys that are not revoked, expired and disabled ones too', async () => {
    const organizationId = await addOrganization()
    const counted = async () => (await show(organizationId)).json.keyCount
    const keys = [
      await addKey(t, { organizationId }),
      await addKey(t, { organizationId, expiresInDays: 1 }),
      await addKey(t, { organizationId, environment: 'test' }),
    ] as const
    expect(await counted()).toBe(3)
    await t.core.keys.disable(keys[0].id)
    expect(await counted()).toBe(3)
    await t.core.keys.revoke(keys[2].id)
    expect(await counted()).toBe(2)
    const { json } = await t.ask('/auth/organizations?limit=100', { headers: asMaster })
    expect(listAt(json, 'items').find(({ id }) => id === organizationId)?.keyCount).toBe(2)
    expect((await change(organizationId, { name: 'Counted' })).json.keyCount).toBe(2)
  })
})

describe('GET /organizations', () => {
  test('lists all to the platform and to an organization itself', async () => {
    const organizationId = await addOrganization()
    const key = await addKey(t, { organizationId, permissions: ['machine_auth.organizations.view'] })
    const all = listAt((await t.ask('/auth/organizations?limit=100', { headers: asMaster })).json, 'items')
    expect(all.length).toBeGreaterThan(3)
    for (const item of all) expect(membersOf(item)).toEqual(MEMBERS)
    for (const query of ['', '?limit=1', '?sort=name&order=asc']) {
      const own = await t.ask(`/auth/organizations${query}`, { headers: key.headers })
      expect(own.json).toEqual({ items: [(await show(organizationId)).json], nextCursor: null })
    }
    const loose = await addKey(t, { permissions: ['machine_auth.organizations.view'] })
    expect((await t.ask('/auth/organizations', { headers: loose.headers })).json).toEqual({
      items: [],
      nextCursor: null,
    })
  })

  test.each([
    ['sort=name&order=asc', ['Alpha', 'Beta', 'Gamma', 'Zeta']],
    ['sort=name', ['Zeta', 'Gamma', 'Beta', 'Alpha']],
    ['sort=createdAt&order=asc', ['Zeta', 'Alpha', 'Gamma', 'Beta']],
    ['', ['Beta', 'Gamma', 'Alpha', 'Zeta']],
  ])('by %s, page after page', async (query, expected) => {
    await using app = await createTestApp()
    for (const name of ['Zeta', 'Alpha', 'Gamma', 'Beta']) {
      app.time.now += 1000
      await app.core.organizations.create({ name })
    }
    const names: unknown[] = []
    for (let cursor = ''; ; ) {
      const { json } = await app.ask(`/auth/organizations?${query}&limit=3${cursor}`, { headers: asMaster })
      names.push(...listAt(json, 'items').map(({ name }) => name))
      if (json.nextCursor === null) break
      cursor = `&cursor=${json.nextCursor}`
    }
    expect(names).toEqual(expected)
  })
})

describe('PATCH /organizations/:id', () => {
  test.each([
    [{ name: 'Renamed' }],
    [{ rateLimit: { limit: 7, window: '2m' } }],
    [{ monthlyQuota: 12 }],
    [{ maxPermissions: [] }],
    [{ maxPermissions: ['users.view'] }],
    [{ maxKeyLifetime: '30d' }],
    [{ rateLimit: null, monthlyQuota: null, maxPermissions: null, maxKeyLifetime: null }],
    [{}],
  ])('%j changes that and nothing else', async (body) => {
    const id = await addOrganization({ monthlyQuota: 5, maxPermissions: ['users.*'], maxKeyLifetime: '60d' })
    const before = (await show(id)).json
    const answer = await change(id, body)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.json).toEqual({ ...before, ...body })
    expect((await show(id)).json).toEqual(answer.json)
  })

  test.each([
    ['another status', { status: 'gone' }, ['status']],
    ['no status', { status: null }, ['status']],
    ['no name', { name: null }, ['name']],
    ['a blank name', { name: ' ' }, ['name']],
    ['a wrong limit beside a right name', { name: 'Right', monthlyQuota: -1 }, ['monthlyQuota']],
    ['a key count', { keyCount: 0 }, ['keyCount']],
    ['an unknown permission', { maxPermissions: ['nothing.at_all'] }, ['maxPermissions.0']],
  ])('refuses %s, and changes nothing', async (_, body, paths) => {
    const id = await addOrganization()
    const before = (await show(id)).json
    expectInvalidAt(await change(id, body), ...paths)
    expect((await show(id)).json).toEqual(before)
  })

  test('another’s name is a conflict, its own is none', async () => {
    const [id, other] = [await addOrganization(), await addOrganization()]
    const { name } = (await show(other)).json
    expectProblem(await change(id, { name }), 'conflict', ['errors'])
    expect((await change(other, { name })).status).toBe(200)
  })

  test.each(['org_0000000000000000', 'x', '__proto__'])('of %s finds nothing', async (id) => {
    expectProblem(await change(id, { name: 'x' }), 'not_found')
    expectProblem(await show(id), 'not_found')
  })

  test('an organization’s administrator renames it, and sets no limits', async () => {
    const organizationId = await addOrganization({ monthlyQuota: 5 })
    const { headers } = await addKey(t, { organizationId, permissions: ['machine_auth.organizations.*'] })
    expect((await change(organizationId, { name: 'By itself' }, headers)).json.name).toBe('By itself')
    for (const body of [{ monthlyQuota: null }, { monthlyQuota: 5 }, { maxKeyLifetime: '1d', name: 'Both' }]) {
      const answer = await change(organizationId, body, headers)
      expectProblem(answer, 'permission_required', ['required'])
      expect((await show(organizationId)).json).toMatchObject({
        name: 'By itself',
        monthlyQuota: 5,
        maxKeyLifetime: null,
      })
    }
  })

  test('what it became is in the audit log, before and after', async () => {
    const id = await addOrganization()
    const { name } = (await show(id)).json
    await change(id, { name: 'Audited', monthlyQuota: 9 })
    const { items } = await t.core.audit.list({ subject: id, action: 'organization.updated' })
    expect(items).toMatchObject([{ actor: 'master', address: '127.0.0.1', organizationId: id }])
    expect(JSON.stringify(items[0]?.details)).toContain(String(name))
    expect(JSON.stringify(items[0]?.details)).toContain('Audited')
  })
})

describe('suspending', () => {
  test('refuses its keys, tokens and sessions at once, and activating lets them work again', async () => {
    const organizationId = await addOrganization()
    const user = await t.core.users.create({ email: 'suspended@example.com', roles: ['user'], organizationId })
    const other = await addKey(t, { organizationId: await addOrganization() })
    const ways = [
      ['/key', (await addKey(t, { organizationId })).headers],
      ['/user', (await addKey(t, { userId: user.id })).headers],
      ['/token', (await addTokens(t, user.id)).headers],
      ['/session', (await addSession(t, user.id)).headers],
    ] as const
    const said = () => Promise.all(ways.map(async ([path, headers]) => (await t.ask(path, { headers })).said))
    expect(await said()).toEqual(['200', '200', '200', '200'])
    const answer = await change(organizationId, { status: 'suspended' })
    expect(answer.json.status).toBe('suspended')
    expect(await said()).toEqual(Array(4).fill('403 organization_suspended'))
    expect((await t.ask('/key', { headers: other.headers })).status).toBe(200)
    expect((await change(organizationId, { status: 'active' })).json.status).toBe('active')
    expect(await said()).toEqual(['200', '200', '200', '200'])
    const { items } = await t.core.audit.list({ subject: organizationId })
    expect(items.map(({ action }) => action).sort()).toEqual([
      'organization.activated',
      'organization.created',
      'organization.suspended',
    ])
  })

  test('twice is once', async () => {
    const id = await addOrganization()
    for (let count = 0; count < 2; count += 1) expect((await change(id, { status: 'suspended' })).status).toBe(200)
    expect((await t.core.audit.list({ subject: id, action: 'organization.suspended' })).items).toHaveLength(1)
  })

  test('by its own administrator is for the platform to undo', async () => {
    const organizationId = await addOrganization()
    const { headers } = await addKey(t, { organizationId, permissions: ['machine_auth.organizations.*'] })
    expect((await change(organizationId, { status: 'suspended' }, headers)).json.status).toBe('suspended')
    expectProblem(await change(organizationId, { status: 'active' }, headers), 'organization_suspended')
    expect((await change(organizationId, { status: 'active' })).json.status).toBe('active')
  })
})

describe('what a limit does', () => {
  test('a smaller maxPermissions takes from the keys it has', async () => {
    const organizationId = await addOrganization()
    const { headers } = await addKey(t, { organizationId, permissions: ['users.view'] })
    expect((await t.ask('/users', { headers })).status).toBe(200)
    await change(organizationId, { maxPermissions: ['posts.*'] })
    expect((await t.ask('/users', { headers })).said).toBe('403 permission_required')
    await change(organizationId, { maxPermissions: null })
    expect((await t.ask('/users', { headers })).status).toBe(200)
  })

  test('maxKeyLifetime bounds keys made from then on', async () => {
    const organizationId = await addOrganization({ maxKeyLifetime: '10d' })
    const { json } = await t.ask('/auth/keys', { headers: asMaster, body: { name: 'bound', organizationId } })
    expect((json.key as Json).expiresAt).toBe(new Date(t.time.now + 10 * 86_400_000).toISOString())
  })
})
