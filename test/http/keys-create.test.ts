import { afterAll, describe, expect, test } from 'bun:test'
import { expectInvalidAt, expectProblem, KEY_VIEW, membersOf, objectAt, textAt } from '../support/answers.ts'
import { addPeople, asMaster, createTestApp, START, withKey } from '../support/test-app.ts'

const DAY = 86_400_000

const t = await createTestApp()
const { bob } = await addPeople(t)
const acme = await t.core.organizations.create({ name: 'Acme' })
afterAll(t.close)

const create = (body: unknown) => t.ask('/auth/keys', { body, headers: asMaster })

describe('POST /keys', () => {
  test('answers the key and, this once, its text', async () => {
    const answer = await create({ name: 'Nightly import' })
    expect(answer.status).toBe(201)
    expect(membersOf(answer.json)).toEqual(['key', 'rawKey'])
    expect(answer.headers.get('cache-control')).toBe('no-store')
    const rawKey = textAt(answer.json, 'rawKey')
    const [, id] = /^mac_live_([0-9A-Za-z]{16})_[0-9A-Za-z]{49}$/.exec(rawKey) ?? []
    const key = objectAt(answer.json, 'key')
    expect(membersOf(key)).toEqual(KEY_VIEW)
    expect(key).toEqual({
      id: `key_${id}`,
      name: 'Nightly import',
      prefix: `mac_live_${id}`,
      environment: 'live',
      organizationId: null,
      userId: null,
      permissions: [],
      ipAllowlist: [],
      rateLimit: null,
      monthlyQuota: null,
      credits: null,
      status: 'active',
      expiresAt: null,
      lastUsedAt: null,
      createdAt: new Date(START).toISOString(),
      revokedAt: null,
      revokedReason: null,
      rotatedFrom: null,
      description: null,
      metadata: null,
    })
    expect((await t.ask('/key', { headers: withKey(rawKey) })).json).toEqual({ id: key.id })
  })

  test('takes every member', async () => {
    const body = {
      name: 'Everything',
      userId: bob.id,
      permissions: ['users.view', 'posts.*', 'users.view'],
      environment: 'test',
      expiresAt: '2030-03-01T00:00:00+01:00',
      ipAllowlist: ['10.1.2.3/8', '2001:DB8::1', '10.0.0.0/8'],
      description: 'first line\nsecond line',
      metadata: { team: 'data', nested: { list: [1, { two: null }] } },
    }
    const key = objectAt((await create(body)).json, 'key')
    expect(key).toMatchObject({
      ...body,
      permissions: ['users.view', 'posts.*'],
      expiresAt: '2030-02-28T23:00:00.000Z',
      ipAllowlist: ['10.0.0.0/8', '2001:db8::1/128'],
      prefix: expect.stringMatching(/^mac_test_/),
    })
    const shown = await t.ask(`/auth/keys/${key.id}`, { headers: asMaster })
    expect(shown.json).toEqual(key)
  })

  test('counts days from now, and takes the organization', async () => {
    const key = objectAt((await create({ name: 'x', expiresInDays: 90, organizationId: acme.id })).json, 'key')
    expect(key.expiresAt).toBe(new Date(START + 90 * DAY).toISOString())
    expect(key.organizationId).toBe(acme.id)
  })

  test('names need not be unique', async () => {
    expect((await create({ name: 'Twin' })).status).toBe(201)
    expect((await create({ name: 'Twin' })).status).toBe(201)
  })

  test.each([
    ['nothing', {}, ['name']],
    ['an empty name', { name: '' }, ['name']],
    ['a blank name', { name: ' \u00a0 ' }, ['name']],
    ['a name of 256 characters', { name: 'x'.repeat(256) }, ['name']],
    ['a name of two lines', { name: 'a\nb' }, ['name']],
    ['a name with CR LF', { name: 'a\r\nSet-Cookie: x=1' }, ['name']],
    ['a name with NUL', { name: 'a\0b' }, ['name']],
    ['a name with half a character', { name: 'a\ud800' }, ['name']],
    ['a name that turns the direction', { name: 'a\u202eb' }, ['name']],
    ['a list for a name', { name: ['a'] }, ['name']],
    ['another environment', { name: 'a', environment: 'prod' }, ['environment']],
    ['an environment in capitals', { name: 'a', environment: 'LIVE' }, ['environment']],
    ['a past expiry', { name: 'a', expiresAt: '2029-12-31T23:59:59Z' }, ['expiresAt']],
    ['an expiry of now', { name: 'a', expiresAt: '2030-01-01T00:00:00Z' }, ['expiresAt']],
    ['an expiry in words', { name: 'a', expiresAt: 'tomorrow' }, ['expiresAt']],
    ['an expiry without a zone', { name: 'a', expiresAt: '2031-01-01T00:00:00' }, ['expiresAt']],
    ['a day that does not exist', { name: 'a', expiresAt: '2031-02-30T00:00:00Z' }, ['expiresAt']],
    ['an expiry as a number', { name: 'a', expiresAt: START + DAY }, ['expiresAt']],
    ['both expiries', { name: 'a', expiresAt: '2031-01-01T00:00:00Z', expiresInDays: 1 }, ['expiresInDays']],
    ['no days', { name: 'a', expiresInDays: 0 }, ['expiresInDays']],
    ['half a day', { name: 'a', expiresInDays: 0.5 }, ['expiresInDays']],
    ['days as text', { name: 'a', expiresInDays: '3' }, ['expiresInDays']],
    ['days beyond a century', { name: 'a', expiresInDays: 36_526 }, ['expiresInDays']],
    ['text for permissions', { name: 'a', permissions: 'users.view' }, ['permissions']],
    ['an object for permissions', { name: 'a', permissions: { length: 1, 0: 'users.view' } }, ['permissions']],
    ['an undeclared permission', { name: 'a', permissions: ['posts.view', 'posts.fly'] }, ['permissions.1']],
    ['a permission in capitals', { name: 'a', permissions: ['USERS.VIEW'] }, ['permissions.0']],
    ['a permission with a wildcard inside', { name: 'a', permissions: ['users.*.get'] }, ['permissions.0']],
    ['an empty permission', { name: 'a', permissions: [''] }, ['permissions.0']],
    ['too many permissions', { name: 'a', permissions: Array(201).fill('users.view') }, ['permissions']],
    ['no address', { name: 'a', ipAllowlist: ['10.0.0.0/8', 'localhost'] }, ['ipAllowlist.1']],
    ['an octal address', { name: 'a', ipAllowlist: ['192.168.001.001'] }, ['ipAllowlist.0']],
    ['a range beyond 32 bits', { name: 'a', ipAllowlist: ['10.0.0.0/33'] }, ['ipAllowlist.0']],
    ['too many addresses', { name: 'a', ipAllowlist: Array(101).fill('10.0.0.1') }, ['ipAllowlist']],
    ['an unknown organization', { name: 'a', organizationId: 'org_none' }, ['organizationId']],
    ['an organization that is no id', { name: 'a', organizationId: "' or 1=1" }, ['organizationId']],
    ['an unknown user', { name: 'a', userId: 'user_none' }, ['userId']],
    ['a description of 1001 characters', { name: 'a', description: 'x'.repeat(1001) }, ['description']],
    ['a description with an escape', { name: 'a', description: 'a\u001b[2J' }, ['description']],
    ['a list for metadata', { name: 'a', metadata: [] }, ['metadata']],
    ['text for metadata', { name: 'a', metadata: 'x' }, ['metadata']],
    ['metadata beyond 4 KB', { name: 'a', metadata: { x: 'y'.repeat(4096) } }, ['metadata']],
    ['deep metadata', { name: 'a', metadata: JSON.parse(`${'{"a":'.repeat(30)}1${'}'.repeat(30)}`) }, ['metadata']],
    ['members of a record', { name: 'a', id: 'key_x', hash: 'x', enabled: true }, ['id', 'hash', 'enabled']],
    [
      'members of later',
      { name: 'a', createdAt: 'x', revokedAt: null, status: 'active' },
      ['createdAt', 'revokedAt', 'status'],
    ],
    ['several mistakes at once', { name: '', environment: 'x', y: 1 }, ['name', 'environment', 'y']],
    [
      'mistakes of the second look',
      { name: ' ', permissions: ['no'], ipAllowlist: ['no'] },
      ['name', 'permissions.0', 'ipAllowlist.0'],
    ],
  ])('%s is refused, and nothing is written', async (_, body, paths) => {
    const before = t.countRows()
    expectInvalidAt(await create(body), ...paths)
    expect(t.countRows()).toEqual(before)
  })

  test('no refusal repeats what was sent', async () => {
    const secret = 'mac_live_should_not_be_repeated'
    for (const body of [
      { name: [secret] },
      { name: `${secret}\n` },
      { name: 'a', environment: secret },
      { name: 'a', metadata: secret },
    ]) {
      const answer = await create(body)
      expectProblem(answer, 'validation_failed', ['errors'])
      expect(answer.text).not.toContain(secret)
    }
  })
})

test('a key of another prefix', async () => {
  await using app = await createTestApp({ apiKeys: { prefix: 'acme' } })
  const { json } = await app.ask('/auth/keys', { body: { name: 'x' }, headers: asMaster })
  expect(json.rawKey).toMatch(/^acme_live_/)
  expect((await app.ask('/key', { headers: withKey(textAt(json, 'rawKey')) })).status).toBe(200)
})
