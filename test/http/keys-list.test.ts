import { afterAll, describe, expect, test } from 'bun:test'
import { expectInvalidAt, KEY_VIEW, listAt, membersOf, objectAt, textAt } from '../support/answers.ts'
import { type addKey, addPeople, asMaster, createTestApp } from '../support/test-app.ts'

const DAY = 86_400_000

const t = await createTestApp()
const { bob } = await addPeople(t)
const acme = await t.core.organizations.create({ name: 'Acme' })
afterAll(t.close)

async function add(name: string, more: Parameters<typeof addKey>[1] & { readonly description?: string } = {}) {
  t.time.now += 1000
  const { key } = await t.core.keys.create({ name, ...more })
  return key.id
}

// Oldest first.
const IDS = {
  plain: await add('Plain'),
  percent: await add('100% sure'),
  under: await add('under_score'),
  quote: await add("O'Brien \\ Söhne"),
  described: await add('zzz', { description: 'The LAST resort' }),
  test: await add('Testing', { environment: 'test' }),
  acme: await add('Acme key', { organizationId: acme.id }),
  bobs: await add('Bob', { userId: bob.id }),
  expired: await add('Short', { expiresInDays: 1 }),
  revoked: await add('Gone'),
}
await t.core.keys.revoke(IDS.revoked)
t.time.now += 2 * DAY
const NAMES = Object.fromEntries(Object.entries(IDS).map(([name, id]) => [id, name]))
const NEWEST_FIRST = Object.keys(IDS).reverse()

const list = (query: string) => t.ask(`/auth/keys?${query}`, { headers: asMaster })
const namesOf = async (query: string) => listAt((await list(query)).json, 'items').map(({ id }) => NAMES[String(id)])

describe('GET /keys', () => {
  test('lists all of them, newest first, revoked ones too, without their secrets', async () => {
    const answer = await list('')
    expect(answer.status).toBe(200)
    expect(membersOf(answer.json)).toEqual(['items', 'nextCursor'])
    expect(answer.json.nextCursor).toBeNull()
    const items = listAt(answer.json, 'items')
    expect(items.map(({ id }) => NAMES[String(id)])).toEqual(NEWEST_FIRST)
    for (const item of items) expect(membersOf(item)).toEqual(KEY_VIEW)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.text).not.toMatch(/hash|pepper|_[0-9A-Za-z]{49}/)
  })

  test.each([
    ['status=active', NEWEST_FIRST.filter((name) => name !== 'revoked' && name !== 'expired')],
    ['status=revoked', ['revoked']],
    ['status=expired', ['expired']],
    ['status=disabled', []],
    ['environment=test', ['test']],
    ['environment=live&status=revoked', ['revoked']],
    [`organizationId=${acme.id}`, ['acme']],
    ['organizationId=org_none', []],
    ['q=PLAIN', ['plain']],
    ['q=last%20res', ['described']],
    ['q=o', NEWEST_FIRST.filter((name) => /quote|under|described|bobs|expired|revoked/.test(name))],
    ['q=zzz&status=active', ['described']],
  ])('filters by %s', async (query, expected) => {
    expect(await namesOf(query)).toEqual([...expected])
  })

  test.each([
    ['%', ['percent']],
    ['_', ['under']],
    ['r_s', ['under']],
    ["'", ['quote']],
    ['\\', ['quote']],
    ['SÖHNE', ['quote']],
    ['*', []],
    ['.*', []],
    ["' OR '1'='1", []],
    ["'; DROP TABLE machine_auth_api_keys; --", []],
    ['\0', []],
  ])('q is the literal text %j', async (q, expected) => {
    expect(await namesOf(`q=${encodeURIComponent(q)}`)).toEqual([...expected])
  })

  test.each([
    ['sort=createdAt&order=asc', Object.keys(IDS)],
    [
      'sort=name&order=asc',
      ['percent', 'acme', 'bobs', 'revoked', 'quote', 'plain', 'expired', 'test', 'under', 'described'],
    ],
  ])('sorts by %s, and pages through it', async (query, expected) => {
    expect(await namesOf(query)).toEqual(expected)
    expect(await pageThrough(query, 3)).toEqual(expected)
  })

  test.each([1, 3, 9, 10, 100])('pages of %d show each key once', async (limit) => {
    expect(await pageThrough('', limit)).toEqual(NEWEST_FIRST)
  })

  test('the cursor of a page ends where the filter ends', async () => {
    const first = (await list('status=active&limit=1')).json
    expect(first.nextCursor).toBeString()
    expect(await namesOf(`status=revoked&cursor=${first.nextCursor}`)).toEqual([])
  })

  test('a long name in another script makes a cursor that works', async () => {
    await using app = await createTestApp()
    for (const name of ['字'.repeat(255), `${'字'.repeat(254)}a`]) await app.core.keys.create({ name })
    const query = '/auth/keys?sort=name&order=asc&limit=1'
    const first = await app.ask(query, { headers: asMaster })
    const second = await app.ask(`${query}&cursor=${first.json.nextCursor}`, { headers: asMaster })
    expect(second.status).toBe(200)
    expect(listAt(second.json, 'items').map(({ name }) => name)).toEqual(['字'.repeat(255)])
    expect(second.json.nextCursor).toBeNull()
  })

  test.each([
    ['limit=0', ['limit']],
    ['limit=101', ['limit']],
    ['limit=-1', ['limit']],
    ['limit=1.5', ['limit']],
    ['limit=ten', ['limit']],
    ['limit=1e1', ['limit']],
    ['limit=0x10', ['limit']],
    ['limit=10.0', ['limit']],
    ['limit=', ['limit']],
    ['limit=99999999999999999999', ['limit']],
    ['status=gone', ['status']],
    ['status=active,revoked', ['status']],
    ['environment=prod', ['environment']],
    ['sort=id', ['sort']],
    ['sort=hash', ['sort']],
    ['order=random', ['order']],
    ['cursor=', ['cursor']],
    ['cursor=x', ['cursor']],
    [`cursor=${'A'.repeat(9000)}`, ['cursor']],
    [`cursor=${btoa('{"s":"createdAt.desc","v":"x","i":1}')}`, ['cursor']],
    ['organizationId=', ['organizationId']],
    ["organizationId=a'b", ['organizationId']],
    [`q=${'x'.repeat(256)}`, ['q']],
    ['userId=user_bob', ['userId']],
    ['q[]=a', ['q[]']],
    ['__proto__=1', ['__proto__']],
    ['limit=ten&page=2', ['limit', 'page']],
  ])('%s is refused', async (query, paths) => {
    expectInvalidAt(await list(query), ...paths)
  })

  test('a cursor of another order is refused', async () => {
    const { nextCursor } = (await list('sort=name&limit=1')).json
    expectInvalidAt(await list(`cursor=${nextCursor}`), 'cursor')
    expectInvalidAt(await list(`sort=name&order=asc&cursor=${nextCursor}`), 'cursor')
  })
})

async function pageThrough(query: string, limit: number): Promise<readonly unknown[]> {
  const names: unknown[] = []
  let cursor = ''
  for (let page = 0; page < 20; page += 1) {
    const { json } = await list(`${query}&limit=${limit}${cursor}`)
    const items = listAt(json, 'items')
    expect(items.length).toBeLessThanOrEqual(limit)
    names.push(...items.map(({ id }) => NAMES[String(id)]))
    if (json.nextCursor === null) return names
    cursor = `&cursor=${encodeURIComponent(textAt(json, 'nextCursor'))}`
  }
  throw new Error('the list does not end')
}

test('GET /keys/:id shows what was created', async () => {
  const created = await t.ask('/auth/keys', { body: { name: 'Shown' }, headers: asMaster })
  const key = objectAt(created.json, 'key')
  const answer = await t.ask(`/auth/keys/${key.id}`, { headers: asMaster })
  expect(answer.json).toEqual(key)
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect(answer.text).not.toContain(textAt(created.json, 'rawKey'))
})
