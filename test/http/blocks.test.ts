/** `/blocks`: who may block whom, what is taken, and what is shown. Their effect is in test/security/blocks.test.ts. */
import { afterAll, describe, expect, test } from 'bun:test'
import { expectInvalidAt, expectProblem, listAt, membersOf, TIMESTAMP, textAt } from '../support/answers.ts'
import { from, PROXIED } from '../support/limited.ts'
import { addKey, addTokens, asMaster, createTestApp, type Json, START } from '../support/test-app.ts'

type Headers = Readonly<Record<string, string>>

const BLOCK_VIEW = ['createdAt', 'createdBy', 'expiresAt', 'id', 'kind', 'path', 'reason', 'scope', 'subject']
const HOUR = 3_600_000

const t = await createTestApp({ ...PROXIED, abuse: { threshold: 1_000_000, allow: ['192.0.2.1'] } })
afterAll(t.close)

const acme = await t.core.organizations.create({ name: 'Acme' })
const user = (name: string, roles: readonly string[], organizationId: string | null) =>
  t.core.users.create({ email: `${name}@example.com`, roles, organizationId })
const [chief, boss, keeper] = [
  await user('chief', ['admin'], null),
  await user('boss', ['admin'], acme.id),
  await user('keeper', ['keeper'], null),
]

let subjects = 0
/** An address that is not blocked yet, and blocks nobody in these tests. */
function address(): string {
  subjects += 1
  return `198.51.100.${subjects}`
}

const create = (body: Json, headers: Headers = asMaster) => t.ask('/auth/blocks', { body, headers })
const list = async (query = '', headers: Headers = asMaster) => t.ask(`/auth/blocks${query}`, { headers })
const remove = (id: unknown, headers: Headers = asMaster) => t.ask(`/auth/blocks/${id}`, { method: 'DELETE', headers })

describe('POST /blocks', () => {
  test('answers the block', async () => {
    const subject = address()
    const answer = await create({ subject, duration: '1h', reason: 'Scraping' })
    expect(answer.status).toBe(201)
    expect(membersOf(answer.json)).toEqual(BLOCK_VIEW)
    expect(answer.json).toMatchObject({
      subject,
      kind: 'manual',
      scope: 'global',
      path: null,
      reason: 'Scraping',
      createdBy: 'master',
      createdAt: new Date(START).toISOString(),
      expiresAt: new Date(START + HOUR).toISOString(),
    })
    expect(textAt(answer.json, 'id')).toMatch(/^blk_[0-9A-Za-z]{16}$/)
    expect(textAt(answer.json, 'expiresAt')).toMatch(TIMESTAMP)
    expect(listAt((await list()).json, 'items')).toContainEqual(answer.json)
  })

  test.each([
    ['203.0.113.5', '203.0.113.5'],
    ['::ffff:203.0.113.6', '203.0.113.6'],
    ['203.0.113.7/32', '203.0.113.7'],
    ['203.0.113.77/26', '203.0.113.64/26'],
    ['2001:DB8::1', '2001:db8::/64'],
    ['2001:db8:1::/64', '2001:db8:1::/64'],
    ['2001:db8:2::1/128', '2001:db8:2::1/128'],
    ['2001:db8:abcd::/48', '2001:db8:abcd::/48'],
    ['key_4dTyWz8Qm1nBvK3c', 'key_4dTyWz8Qm1nBvK3c'],
    ['apiKey:key_4dTyWz8Qm1nBvK3d', 'key_4dTyWz8Qm1nBvK3d'],
    ['user_4dTyWz8Qm1nBvK3c', 'user_4dTyWz8Qm1nBvK3c'],
    ['org_4dTyWz8Qm1nBvK3c', 'org_4dTyWz8Qm1nBvK3c'],
    ['user:42', 'user:42'],
    ['organization:acme', 'organization:acme'],
    ['custom:tenant:acme', 'custom:tenant:acme'],
    ['unknown', 'unknown'],
  ])('takes %s for a subject, and shows it as %s', async (subject, shown) => {
    const answer = await create({ subject, duration: '1h' })
    expect([answer.status, answer.json.subject]).toEqual([201, shown])
    expect((await remove(answer.json.id)).status).toBe(204)
  })

  test.each<[given: string | number, ends: number]>([
    [60, START + 60_000],
    ['60', START + 60_000],
    ['90s', START + 90_000],
    ['2 days', START + 48 * HOUR],
    ['16:00', START + 16 * HOUR],
    ['4:00 PM', START + 16 * HOUR],
    ['12 am', START + 24 * HOUR],
  ])('takes %p for a duration', async (duration, ends) => {
    const answer = await create({ subject: address(), duration })
    if (duration === '60') expectInvalidAt(answer, 'duration')
    else expect([answer.status, answer.json.expiresAt]).toEqual([201, new Date(ends).toISOString()])
  })

  test('takes a path or the pattern of a route', async () => {
    for (const path of ['/withdraw', '/posts/:id', '/files/*', '/', '/a/%3Ab']) {
      const answer = await create({ subject: address(), duration: '1h', scope: 'path', path })
      expect([answer.status, answer.json.scope, answer.json.path]).toEqual([201, 'path', path])
    }
  })

  const valid = { subject: '198.51.100.250', duration: '1h' }
  test.each<[name: string, body: Json, ...paths: string[]]>([
    ['nothing', {}, 'subject'],
    ['no subject', { duration: '1h' }, 'subject'],
    ['an empty subject', { ...valid, subject: '' }, 'subject'],
    ['a number for a subject', { ...valid, subject: 5 }, 'subject'],
    ['a name', { ...valid, subject: 'localhost' }, 'subject'],
    ['a wrong address', { ...valid, subject: '203.0.113.256' }, 'subject'],
    ['an octal address', { ...valid, subject: '203.0.113.010' }, 'subject'],
    ['an address with a port', { ...valid, subject: '203.0.113.5:80' }, 'subject'],
    ['a range beyond its bits', { ...valid, subject: '203.0.113.0/33' }, 'subject'],
    ['an id of nothing', { ...valid, subject: 'key_' }, 'subject'],
    ['a kind of its own', { ...valid, subject: 'session:sess_1' }, 'subject'],
    ['an address by its kind', { ...valid, subject: 'ip:203.0.113.5' }, 'subject'],
    ['a subject of 257 characters', { ...valid, subject: `user:${'x'.repeat(252)}` }, 'subject'],
    ['an address of the allow-list', { ...valid, subject: '192.0.2.1' }, 'subject'],
    ['no duration', { subject: valid.subject }, 'duration'],
    ['a duration of nothing', { ...valid, duration: 0 }, 'duration'],
    ['a duration of nothing, as text', { ...valid, duration: '0s' }, 'duration'],
    ['a duration that is over', { ...valid, duration: -60 }, 'duration'],
    ['half a second', { ...valid, duration: 0.5 }, 'duration'],
    ['no time', { ...valid, duration: 'soon' }, 'duration'],
    ['no time of day', { ...valid, duration: '25:99' }, 'duration'],
    ['null for a duration', { ...valid, duration: null }, 'duration'],
    ['true for a duration', { ...valid, duration: true }, 'duration'],
    ['a list for a duration', { ...valid, duration: ['1h'] }, 'duration'],
    ['a duration beyond a century', { ...valid, duration: '36526 days' }, 'duration'],
    ['another scope', { ...valid, scope: 'route' }, 'scope'],
    ['a scope of path without one', { ...valid, scope: 'path' }, 'path'],
    ['a path without the scope', { ...valid, path: '/x' }, 'path'],
    ['a path with a global scope', { ...valid, scope: 'global', path: '/x' }, 'path'],
    ['an empty path', { ...valid, scope: 'path', path: '' }, 'path'],
    ['a path without a slash', { ...valid, scope: 'path', path: 'x' }, 'path'],
    ['a path with a query', { ...valid, scope: 'path', path: '/x?y=1' }, 'path'],
    ['a path that goes up', { ...valid, scope: 'path', path: '/x/../y' }, 'path'],
    ['a path that goes up, encoded', { ...valid, scope: 'path', path: '/x/%2e%2e/y' }, 'path'],
    ['a wildcard inside', { ...valid, scope: 'path', path: '/x/*/y' }, 'path'],
    ['a path of 1025 characters', { ...valid, scope: 'path', path: `/${'x'.repeat(1024)}` }, 'path'],
    ['a reason of 501 characters', { ...valid, reason: 'x'.repeat(501) }, 'reason'],
    ['a reason with an escape', { ...valid, reason: 'a\u001b[2J' }, 'reason'],
    ['a number for a reason', { ...valid, reason: 5 }, 'reason'],
    ['members of a record', { ...valid, kind: 'abuse', createdBy: 'x' }, 'createdBy', 'kind'],
    ['an end', { ...valid, expiresAt: '2031-01-01T00:00:00Z' }, 'expiresAt'],
    ['a prototype', JSON.parse('{"subject":"198.51.100.250","duration":"1h","__proto__":{"x":1}}'), 'body'],
  ])('refuses %s, and writes nothing', async (_, body, ...paths) => {
    const before = t.countRows()
    expectInvalidAt(await create(body), ...paths)
    expect(t.countRows()).toEqual(before)
    expect((await t.ask('/open', { headers: from('198.51.100.250') })).said).toBe('200')
  })

  test('prolongs a block that stands, and never shortens it', async () => {
    const subject = address()
    const first = await create({ subject, duration: '2h', reason: 'first' })
    const longer = await create({ subject, duration: '3h', reason: 'longer' })
    expect([longer.json.id, longer.json.expiresAt]).toEqual([first.json.id, new Date(START + 3 * HOUR).toISOString()])
    const shorter = await create({ subject, duration: '1h', reason: 'shorter' })
    expect(shorter.json).toEqual(longer.json)
    const elsewhere = await create({ subject, duration: '1h', scope: 'path', path: '/x' })
    expect(elsewhere.json.id).not.toBe(first.json.id)
    expect(listAt((await list('?limit=100')).json, 'items').filter((block) => block.subject === subject)).toHaveLength(
      2,
    )
  })
})

describe('who may', () => {
  const CALLERS: readonly (readonly [string, () => Headers | Promise<Headers>, string])[] = [
    ['nobody', () => ({}), '401 credential_missing'],
    ['a wrong master key', () => ({ 'x-admin-key': 'wrong' }), '401 master_key_invalid'],
    ['a key without permissions', async () => (await addKey(t)).headers, '403 permission_required'],
    ['an organization’s administrator', async () => (await addTokens(t, boss.id)).headers, '403 permission_required'],
    [
      'an organization’s key of everything of ours',
      async () => (await addKey(t, { organizationId: acme.id, permissions: ['machine_auth.*'] })).headers,
      '403 permission_required',
    ],
    [
      'a user of everything of ours without platform reach',
      async () => (await addTokens(t, keeper.id)).headers,
      '403 permission_required',
    ],
    ['the master key', () => asMaster, '201'],
    ['an administrator without an organization', async () => (await addTokens(t, chief.id)).headers, '201'],
    [
      'a key of the platform',
      async () => (await addKey(t, { permissions: ['machine_auth.blocks.*', 'platform.admin'] })).headers,
      '201',
    ],
  ]

  test.each([...CALLERS])('%s', async (_, headersOf, said) => {
    const headers = await headersOf()
    const subject = address()
    const standing = await create({ subject: address(), duration: '1h' })
    const made = await create({ subject, duration: '1h' }, headers)
    expect(made.said).toBe(said)
    const isAllowed = said === '201'
    const listed = await list('', headers)
    const removed = await remove(standing.json.id, headers)
    expect([listed.said, removed.said]).toEqual(isAllowed ? ['200', '204'] : [said, said])
    expect((await t.ask('/open', { headers: from(subject) })).status).toBe(isAllowed ? 403 : 200)
  })

  test('a permission for one of them is none for the others', async () => {
    const { headers } = await addKey(t, { permissions: ['machine_auth.blocks.view', 'platform.admin'] })
    expect((await list('', headers)).status).toBe(200)
    expectProblem(await create({ subject: address(), duration: '1h' }, headers), 'permission_required', ['required'])
    expectProblem(await remove('blk_none', headers), 'permission_required', ['required'])
  })

  test('the block names who made it', async () => {
    const answer = await create({ subject: address(), duration: '1h' }, (await addTokens(t, chief.id)).headers)
    expect(answer.json.createdBy).toBe(chief.id)
  })
})

describe('GET /blocks', () => {
  test('shows those in force, newest first, page by page', async () => {
    await using app = await createTestApp()
    const made: unknown[] = []
    for (let index = 0; index < 5; index += 1) {
      app.time.now = START + index
      const body = { subject: `198.51.100.${index}`, duration: index === 2 ? '1s' : '1h' }
      made.unshift((await app.ask('/auth/blocks', { body, headers: asMaster })).json)
    }
    app.time.now = START + 2000
    made.splice(2, 1)
    const pages: unknown[] = []
    let cursor: unknown = ''
    do {
      const { json } = await app.ask(`/auth/blocks?limit=3${cursor}`, { headers: asMaster })
      pages.push(json.items)
      cursor = json.nextCursor === null ? null : `&cursor=${json.nextCursor}`
    } while (cursor !== null)
    expect(pages).toEqual([made.slice(0, 3), made.slice(3)])
  })

  test.each([
    ['?limit=0', 'limit'],
    ['?limit=101', 'limit'],
    ['?limit=x', 'limit'],
    ['?cursor=x', 'cursor'],
    ['?subject=x', 'subject'],
  ])('refuses %s', async (query, path) => {
    expectInvalidAt(await list(query), path)
  })
})

describe('DELETE /blocks/:id', () => {
  test('ends a block, once', async () => {
    const subject = address()
    const { json } = await create({ subject, duration: '1h' })
    expect((await t.ask('/open', { headers: from(subject) })).said).toBe('403 address_blocked')
    const answer = await remove(json.id)
    expect([answer.status, answer.text]).toEqual([204, ''])
    expect((await t.ask('/open', { headers: from(subject) })).said).toBe('200')
    expectProblem(await remove(json.id), 'not_found')
  })

  test.each(['blk_none', 'key_x', 'x'])('of %s finds nothing', async (id) => {
    expectProblem(await remove(id), 'not_found')
  })
})

test('what is done to blocks is in the audit log', async () => {
  await using app = await createTestApp({ ...PROXIED, abuse: { threshold: 1 } })
  const { json } = await app.ask('/auth/blocks', { body: { subject: 'user:42', duration: '1h' }, headers: asMaster })
  await app.ask(`/auth/blocks/${json.id}`, { method: 'DELETE', headers: asMaster })
  await app.ask('/key', { headers: { ...from('203.0.113.1'), 'x-api-key': 'wrong' } })
  await app.core.blocks.settle()
  const events = app.client.query<{ action: string }, []>('select action from machine_auth_audit order by action').all()
  expect(events.map(({ action }) => action)).toEqual(['block.created', 'block.created', 'block.removed'])
})
