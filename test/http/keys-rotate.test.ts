import { afterAll, describe, expect, test } from 'bun:test'
import { expectInvalidAt, expectProblem, KEY_VIEW, membersOf, objectAt, textAt } from '../support/answers.ts'
import { type Answer, addKey, asMaster, createTestApp, type Json, withKey } from '../support/test-app.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

const t = await createTestApp()
afterAll(t.close)

type Headers = Readonly<Record<string, string>>
const rotate = (id: string, body?: unknown, headers: Headers = asMaster) =>
  t.ask(`/auth/keys/${id}/rotate`, { method: 'POST', headers, body })
const show = async (id: string) => (await t.ask(`/auth/keys/${id}`, { headers: asMaster })).json
const said = async (headers: Headers, path = '/key') => (await t.ask(path, { headers })).said
const newOf = (answer: Answer) => ({
  id: textAt(objectAt(answer.json, 'key'), 'id'),
  headers: withKey(textAt(answer.json, 'rawKey')),
})

const FULL = {
  permissions: ['users.view'],
  environment: 'test',
  ipAllowlist: ['127.0.0.0/8'],
  rateLimit: { limit: 600, window: '1m' },
  monthlyQuota: 1000,
  description: 'the first',
  metadata: { team: 'crimson' },
} as const

describe('POST /keys/:id/rotate', () => {
  test('answers a new key and, this once, its text', async () => {
    const old = await addKey(t)
    const answer = await rotate(old.id)
    expect(answer.status).toBe(201)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(membersOf(answer.json)).toEqual(['key', 'rawKey'])
    const key = objectAt(answer.json, 'key')
    expect(membersOf(key)).toEqual(KEY_VIEW)
    expect(textAt(answer.json, 'rawKey')).toMatch(/^mac_live_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}$/)
    expect(textAt(answer.json, 'rawKey')).toStartWith(`${key.prefix}_`)
    expect(key).toMatchObject({ rotatedFrom: old.id, status: 'active' })
    expect(key.id).not.toBe(old.id)
    expect(await show(textAt(key, 'id'))).toEqual(key)
  })

  test('the new one has all that the old one had', async () => {
    const organization = await t.core.organizations.create({ name: 'Inherited' })
    const user = await t.core.users.create({
      email: 'inherited@example.com',
      roles: ['keeper'],
      organizationId: organization.id,
    })
    const old = await addKey(t, { ...FULL, userId: user.id, expiresInDays: 30 })
    const before = await show(old.id)
    t.time.now += HOUR
    const key = objectAt((await rotate(old.id)).json, 'key')
    const { id, prefix, createdAt } = key
    expect(key).toEqual({ ...before, id, prefix, createdAt, rotatedFrom: old.id })
    expect(createdAt).toBe(new Date(t.time.now).toISOString())
  })

  test.each([
    ['an hour unless said otherwise', undefined, HOUR],
    ['an hour for an empty body', {}, HOUR],
    ['as long as said', { gracePeriod: '2d' }, 2 * DAY],
    ['90 days at most', { gracePeriod: '90d' }, 90 * DAY],
  ])('both work in the grace: %s', async (_, body, grace) => {
    await using app = await createTestApp()
    const old = await addKey(app)
    const answer = await app.ask(`/auth/keys/${old.id}/rotate`, { method: 'POST', headers: asMaster, body })
    const { headers } = newOf(answer)
    const both = async () => [
      (await app.ask('/key', { headers: old.headers })).said,
      (await app.ask('/key', { headers })).said,
    ]
    expect(await both()).toEqual(['200', '200'])
    app.time.now += grace - 1
    expect(await both()).toEqual(['200', '200'])
    app.time.now += 1
    expect(await both()).toEqual(['401 api_key_expired', '200'])
  })

  test('without a grace the old one is revoked at once', async () => {
    const old = await addKey(t)
    const { headers } = newOf(await rotate(old.id, { gracePeriod: '0s' }))
    expect(await said(old.headers)).toBe('401 api_key_revoked')
    expect(await said(headers)).toBe('200')
    expect(await show(old.id)).toMatchObject({ status: 'revoked', revokedReason: 'rotated' })
  })

  test('the old one never outlives its own expiry', async () => {
    const old = await addKey(t, { expiresInDays: 1 })
    const { expiresAt } = await show(old.id)
    const answer = await rotate(old.id, { gracePeriod: '30d' })
    expect((await show(old.id)).expiresAt).toBe(expiresAt)
    expect(objectAt(answer.json, 'key').expiresAt).toBe(expiresAt)
  })

  test.each([
    ['text that is no duration', { gracePeriod: 'soon' }, ['gracePeriod']],
    ['a number', { gracePeriod: 3600 }, ['gracePeriod']],
    ['less than nothing', { gracePeriod: '-1h' }, ['gracePeriod']],
    ['more than 90 days', { gracePeriod: '91d' }, ['gracePeriod']],
    ['null', { gracePeriod: null }, ['gracePeriod']],
    ['another member', { gracePeriod: '1h', name: 'x' }, ['name']],
    ['permissions', { permissions: ['*'] }, ['permissions']],
    ['a list', [], ['body']],
  ])('refuses %s, and rotates nothing', async (_, body, paths) => {
    const old = await addKey(t)
    const before = [t.countRows(), await show(old.id)]
    expectInvalidAt(await rotate(old.id, body), ...paths)
    expect([t.countRows(), await show(old.id)]).toEqual(before)
  })

  test.each([
    ['revoked', (id: string) => t.core.keys.revoke(id)],
    ['disabled', (id: string) => t.core.keys.disable(id)],
    ['rotated without a grace', (id: string) => t.core.keys.rotate(id, { gracePeriod: '0s' })],
  ])('a key that was %s is not rotated', async (_, end) => {
    const { id } = await addKey(t)
    await end(id)
    const before = t.countRows().machine_auth_api_keys
    expectProblem(await rotate(id), 'conflict')
    expect(t.countRows().machine_auth_api_keys).toBe(before)
  })

  test('of several at once one rotates, and a rotated key is rotated no more', async () => {
    const old = await addKey(t)
    const before = t.countRows().machine_auth_api_keys ?? 0
    const answers = await Promise.all([1, 2, 3, 4].map(() => rotate(old.id)))
    expect(answers.map((answer) => answer.said).sort()).toEqual(['201', ...Array(3).fill('409 conflict')])
    expect((await rotate(old.id)).said).toBe('409 conflict')
    expect(t.countRows().machine_auth_api_keys).toBe(before + 1)
    const successor = newOf(answers.find(({ status }) => status === 201) as Answer)
    expect(objectAt((await rotate(successor.id)).json, 'key').rotatedFrom).toBe(successor.id)
  })

  test('an expired key is not rotated', async () => {
    await using app = await createTestApp()
    const { id } = await addKey(app, { expiresInDays: 1 })
    app.time.now += 2 * DAY
    const answer = await app.ask(`/auth/keys/${id}/rotate`, { method: 'POST', headers: asMaster })
    expectProblem(answer, 'conflict')
  })

  test.each(['key_0000000000000000', 'x'])('of %s finds nothing', async (id) => {
    expectProblem(await rotate(id), 'not_found')
  })

  test('uses left go to the new key at once', async () => {
    const old = await addKey(t, { credits: { remaining: 3 } })
    expect(await said(old.headers)).toBe('200')
    expectInvalidAt(await rotate(old.id, { gracePeriod: '1h' }), 'gracePeriod')
    const { id, headers } = newOf(await rotate(old.id))
    expect(await said(old.headers)).toBe('401 api_key_revoked')
    expect((await show(id)).credits).toEqual({ remaining: 2 })
    expect([await said(headers), await said(headers), await said(headers)]).toEqual([
      '200',
      '200',
      '429 quota_exceeded',
    ])
  })

  test('nobody gets the text of a key that may do more than he', async () => {
    const { id: organizationId } = await t.core.organizations.create({ name: 'Rotating' })
    const { headers } = await addKey(t, { organizationId, permissions: ['machine_auth.keys.update', 'users.view'] })
    const [weak, strong] = [
      await addKey(t, { organizationId, permissions: ['users.view'] }),
      await addKey(t, { organizationId, permissions: ['posts.view'] }),
    ]
    const before = t.countRows().machine_auth_api_keys
    expectProblem(await rotate(strong.id, {}, headers), 'permission_required', ['required'])
    expect(t.countRows().machine_auth_api_keys).toBe(before)
    expect(await said(strong.headers)).toBe('200')
    expect((await rotate(weak.id, {}, headers)).status).toBe(201)
  })

  test('a repeated request with the same Idempotency-Key rotates once, and tells no secret again', async () => {
    const old = await addKey(t)
    const headers = { ...asMaster, 'idempotency-key': 'rotate-once' }
    const [first, second] = [await rotate(old.id, {}, headers), await rotate(old.id, {}, headers)]
    expect([first.status, second.status]).toEqual([201, 201])
    expect(second.json).toEqual({ key: first.json.key } as Json)
    expect(second.headers.get('idempotency-replayed')).toBe('true')
    const again = await addKey(t)
    expect((await rotate(again.id, {}, headers)).json.rawKey).toBeString()
  })

  test('neither text nor hash is in the audit log', async () => {
    const old = await addKey(t)
    const answer = await rotate(old.id)
    const { items } = await t.core.audit.list({ subject: old.id, action: 'key.rotated' })
    expect(items).toMatchObject([{ actor: 'master', address: '127.0.0.1', details: { successor: newOf(answer).id } }])
    const secret = textAt(answer.json, 'rawKey').slice(-49)
    const { json } = await t.ask('/auth/audit?limit=100', { headers: asMaster })
    expect(JSON.stringify(json)).not.toContain(secret)
  })
})
