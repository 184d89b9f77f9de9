import { afterAll, describe, expect, test } from 'bun:test'
import { expectInvalidAt, expectProblem, KEY_VIEW, membersOf } from '../support/answers.ts'
import { addKey, addTokens, asMaster, createTestApp, type Json, START } from '../support/test-app.ts'

const DAY = 86_400_000

const t = await createTestApp()
afterAll(t.close)
const acme = await t.core.organizations.create({ name: 'Acme' })

type Headers = Readonly<Record<string, string>>
const change = (id: string, body: unknown, headers: Headers = asMaster) =>
  t.ask(`/auth/keys/${id}`, { method: 'PATCH', headers, body })
const show = async (id: string) => (await t.ask(`/auth/keys/${id}`, { headers: asMaster })).json

const FULL = {
  permissions: ['users.view'],
  ipAllowlist: ['127.0.0.0/8'],
  rateLimit: { limit: 600, window: '1m' },
  monthlyQuota: 1000,
  credits: { remaining: 50 },
  description: 'the first',
  metadata: { team: 'crimson' },
  expiresInDays: 30,
}

describe('PATCH /keys/:id', () => {
  test.each([
    [{ name: 'Renamed' }],
    [{ description: 'two\nlines' }],
    [{ description: null }],
    [{ permissions: ['posts.*'] }],
    [{ permissions: [] }],
    [{ ipAllowlist: [] }],
    [{ rateLimit: { limit: 5, window: '2m' } }],
    [{ rateLimit: null }],
    [{ monthlyQuota: 7 }],
    [{ monthlyQuota: null }],
    [{ credits: { remaining: 0 } }],
    [{ credits: { remaining: 3, refill: { amount: 2, every: '1d' } } }],
    [{ credits: null }],
    [{ expiresAt: new Date(START + 90 * DAY).toISOString() }],
    [{ expiresAt: null }],
    [{ metadata: { other: [1, { deep: true }] } }],
    [{ metadata: null }],
    [{ metadata: {} }],
    [{}],
  ])('%j changes that and nothing else', async (body) => {
    const { id } = await addKey(t, FULL)
    const before = await show(id)
    const answer = await change(id, body)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(membersOf(answer.json)).toEqual(KEY_VIEW)
    expect(answer.json).toEqual({ ...before, ...body })
    expect(await show(id)).toEqual(answer.json)
  })

  test('all members at once', async () => {
    const { id } = await addKey(t)
    const body = {
      name: 'All',
      description: 'x',
      permissions: ['users.view'],
      ipAllowlist: ['10.0.0.0/8', '2001:db8::/32'],
      rateLimit: { limit: 1, window: '1h' },
      monthlyQuota: 5,
      credits: { remaining: 9, refill: { amount: 1, every: '1h' } },
      expiresAt: new Date(START + DAY).toISOString(),
      metadata: { a: 1 },
      enabled: false,
    }
    const { enabled: _, ...shown } = body
    expect((await change(id, body)).json).toMatchObject({ ...shown, status: 'disabled' })
  })

  test.each([
    ['no name', { name: null }, ['name']],
    ['a blank name', { name: ' ' }, ['name']],
    ['a name of two lines', { name: 'a\nb' }, ['name']],
    ['null for permissions', { permissions: null }, ['permissions']],
    ['unknown permissions', { permissions: ['users.view', 'users.fly'] }, ['permissions.1']],
    ['null for addresses', { ipAllowlist: null }, ['ipAllowlist']],
    ['no address', { ipAllowlist: ['localhost'] }, ['ipAllowlist.0']],
    ['half a rate', { rateLimit: { limit: 1 } }, ['rateLimit.window']],
    ['a rate of text', { rateLimit: '60/1m' }, ['rateLimit']],
    ['a quota of none', { monthlyQuota: 0 }, ['monthlyQuota']],
    ['a quota of text', { monthlyQuota: '7' }, ['monthlyQuota']],
    ['less than no credits', { credits: { remaining: -1 } }, ['credits.remaining']],
    ['half a refill', { credits: { remaining: 1, refill: { amount: 1 } } }, ['credits.refill.every']],
    ['a past expiry', { expiresAt: new Date(START - 1).toISOString() }, ['expiresAt']],
    ['an expiry in words', { expiresAt: 'tomorrow' }, ['expiresAt']],
    ['days', { expiresInDays: 3 }, ['expiresInDays']],
    ['a list for metadata', { metadata: [] }, ['metadata']],
    ['metadata of 5 KB', { metadata: { x: 'y'.repeat(5000) } }, ['metadata']],
    ['text for enabled', { enabled: 'false' }, ['enabled']],
    ['null for enabled', { enabled: null }, ['enabled']],
    ['another environment', { environment: 'test' }, ['environment']],
    ['another owner', { userId: 'user_x', organizationId: acme.id }, ['userId', 'organizationId']],
    ['a right member beside a wrong one', { name: 'Right', enabled: 1 }, ['enabled']],
    ['no body', undefined, ['body']],
    ['a list', [], ['body']],
  ])('refuses %s, and changes nothing', async (_, body, paths) => {
    const { id } = await addKey(t, FULL)
    const before = await show(id)
    expectInvalidAt(await change(id, body), ...paths)
    expect(await show(id)).toEqual(before)
  })

  test('a disabled key is refused at once, and comes back', async () => {
    const { id, headers } = await addKey(t)
    const said = async () => (await t.ask('/key', { headers })).said
    expect(await said()).toBe('200')
    expect((await change(id, { enabled: false })).json.status).toBe('disabled')
    expect(await said()).toBe('401 api_key_disabled')
    expect((await change(id, { enabled: true })).json.status).toBe('active')
    expect(await said()).toBe('200')
    const { items } = await t.core.audit.list({ subject: id })
    expect(items.map(({ action }) => action).sort()).toEqual(['key.created', 'key.disabled', 'key.enabled'])
  })

  test('a revoked key stays as it is, whatever is said', async () => {
    const { id, headers } = await addKey(t)
    await t.core.keys.revoke(id, { reason: 'gone' })
    const before = await show(id)
    for (const body of [{ enabled: true }, { enabled: false }, { name: 'x' }, { expiresAt: null }]) {
      expectProblem(await change(id, body), 'conflict')
    }
    expect(await show(id)).toEqual(before)
    expect((await t.ask('/key', { headers })).said).toBe('401 api_key_revoked')
  })

  test('an expired key works again with another expiry', async () => {
    await using app = await createTestApp()
    const { id, headers } = await addKey(app, { expiresInDays: 1 })
    app.time.now += 2 * DAY
    expect((await app.ask('/key', { headers })).said).toBe('401 api_key_expired')
    const body = { expiresAt: new Date(app.time.now + DAY).toISOString() }
    const answer = await app.ask(`/auth/keys/${id}`, { method: 'PATCH', headers: asMaster, body })
    expect(answer.json.status).toBe('active')
    expect((await app.ask('/key', { headers })).status).toBe(200)
  })

  test.each(['key_0000000000000000', 'x', '__proto__'])('of %s finds nothing', async (id) => {
    expectProblem(await change(id, { name: 'x' }), 'not_found')
  })

  test('changed permissions and addresses count from the next request on', async () => {
    const { id, headers } = await addKey(t, { permissions: ['users.view'] })
    const said = async () => (await t.ask('/users', { headers })).said
    expect(await said()).toBe('200')
    await change(id, { permissions: ['posts.view'] })
    expect(await said()).toBe('403 permission_required')
    await change(id, { permissions: ['users.*'], ipAllowlist: ['203.0.113.0/24'] })
    expect(await said()).toBe('403 ip_not_allowed')
    await change(id, { ipAllowlist: [] })
    expect(await said()).toBe('200')
  })

  test('nobody gives a key more than he has, nor changes one that may do more', async () => {
    const organizationId = acme.id
    const { headers } = await addKey(t, { organizationId, permissions: ['machine_auth.keys.*', 'users.view'] })
    const weak = await addKey(t, { organizationId, permissions: ['users.view'] })
    const strong = await addKey(t, { organizationId, permissions: ['posts.view'] })
    const refused: readonly (readonly [string, Json, readonly string[]])[] = [
      [weak.id, { permissions: ['users.view', 'posts.view'] }, ['posts.view']],
      [weak.id, { permissions: ['*'] }, ['*']],
      [strong.id, { permissions: [] }, ['posts.view']],
      [strong.id, { name: 'mine' }, ['posts.view']],
      [strong.id, { enabled: true }, ['posts.view']],
    ]
    for (const [id, body, required] of refused) {
      const before = await show(id)
      const answer = await change(id, body, headers)
      expectProblem(answer, 'permission_required', ['required'])
      expect(answer.json.required).toEqual([...required])
      expect(await show(id)).toEqual(before)
    }
    expect((await change(strong.id, { enabled: false }, headers)).json.status).toBe('disabled')
    expect((await change(weak.id, { permissions: [] }, headers)).json.permissions).toEqual([])
  })

  test('the key of a boss is not for his keeper to change', async () => {
    const organizationId = acme.id
    const person = (name: string, roles: readonly string[]) =>
      t.core.users.create({ email: `${name}@example.com`, roles, organizationId })
    const [keeper, boss] = [await person('keeper', ['keeper']), await person('boss', ['admin'])]
    const key = await addKey(t, { userId: boss.id })
    const { headers } = await addTokens(t, keeper.id)
    expectProblem(await change(key.id, { ipAllowlist: [] }, headers), 'permission_required', ['required'])
    expect((await change(key.id, { name: 'own' }, (await addTokens(t, boss.id)).headers)).json.name).toBe('own')
  })

  test('what became of it is in the audit log, without what is the app’s own affair', async () => {
    const { id } = await addKey(t, FULL)
    await change(id, { name: 'Told', metadata: { secret: 'crimson-2' }, monthlyQuota: null })
    const { items } = await t.core.audit.list({ subject: id, action: 'key.updated' })
    expect(items).toMatchObject([{ actor: 'master', address: '127.0.0.1' }])
    const told = JSON.stringify(items[0]?.details)
    expect(told).toContain('Told')
    expect(told).toContain('1000')
    expect(told).not.toContain('crimson')
  })
})
