/** SECURITY.md: what lists are filtered by is text, whatever it looks like. */
import { afterAll, describe, expect, test } from 'bun:test'
import type { OpenApiDocument } from '../../src/docs/openapi.ts'
import { expectInvalidAt, expectProblem, listAt, pathsOf } from '../support/answers.ts'
import { addTenant, createTenantApp, routesUnderPrefix, storedIn } from '../support/tenants.ts'
import { addTokens, asMaster, type Json } from '../support/test-app.ts'

const t = await createTenantApp()
afterAll(t.close)
const acme = await addTenant(t)
const document = (await t.ask('/swagger/json')).json as unknown as OpenApiDocument

const NAMES = [
  'Plain',
  '100% sure',
  'under_score',
  "O'Brien",
  'back\\slash',
  'double "quotes"',
  'semi; colon -- and /* comment */',
  'Söhne 字 🔑',
  '[a-z]* .+ (x|y) ^$',
  '{"json": 1}',
  'a&b=c#d',
  'NULL',
  'true',
]
for (const [index, name] of NAMES.entries()) {
  await t.core.keys.create({ name, description: index % 2 === 0 ? null : `about ${name}` })
  await t.core.organizations.create({ name })
  await t.core.users.create({ email: `user_${index}%x@example.com` })
}

const HOSTILE = [
  '%',
  '%%',
  '_',
  '\\',
  '\\%',
  '\\_',
  "'",
  "''",
  '"',
  '`',
  ';',
  '--',
  '/*',
  '*',
  '?',
  '$1',
  ':id',
  "' or 1=1 --",
  "' OR '1'='1",
  "') or ('1'='1",
  '" or ""="',
  "'; drop table machine_auth_api_keys; --",
  "' union select hash from machine_auth_api_keys --",
  "%' escape 'x",
  "||(select secret)||'",
  '[a-z]',
  '.*',
  '^',
  '(',
  '$' + '{7*7}',
  '{{7*7}}',
  '\0',
  'a\0b',
  '\u0008',
  '\r\nSet-Cookie: x=1',
  '\u202e',
  'ſ',
  'İ',
  'SÖHNE',
  'Ö',
  '字',
  '🔑',
  '\ud83d\udd11'.slice(0, 2),
  'null',
  'undefined',
  'true',
  '0',
  '-1',
  '[object Object]',
  '__proto__',
  'constructor',
  '../../etc/passwd',
  'x'.repeat(255),
  'x'.repeat(256),
  '%'.repeat(4096),
] as const

/** Which rows a filter leaves, in plain words; null for one that is never free text. */
type Literal = ((item: Json, value: string) => boolean) | null

const contains = (text: unknown, value: string) =>
  String(text ?? '')
    .toLowerCase()
    .includes(value.toLowerCase())
const is = (member: string) => (item: Json, value: string) => item[member] === value
const page = { cursor: null, limit: null } as const
const order = { sort: null, order: null } as const

/** Every list, with every parameter of its query. */
const LISTS: Readonly<Record<string, Readonly<Record<string, Literal>>>> = {
  '/keys': {
    ...page,
    ...order,
    q: ({ name, description }, value) => contains(name, value) || contains(description, value),
    organizationId: is('organizationId'),
    status: is('status'),
    environment: is('environment'),
  },
  '/organizations': { ...page, ...order },
  '/users': { ...page, ...order, organizationId: is('organizationId') },
  '/roles': { ...page, ...order },
  '/permissions': {
    ...page,
    ...order,
    module: is('module'),
    q: ({ name, label }, value) => contains(name, value) || contains(label, value),
  },
  '/blocks': { ...page, ...order },
  '/audit': {
    ...page,
    ...order,
    action: is('action'),
    actor: is('actor'),
    subject: is('subject'),
    organizationId: is('organizationId'),
    from: null,
    to: null,
  },
  '/logs': {
    ...page,
    ...order,
    requestId: is('requestId'),
    keyId: is('keyId'),
    userId: is('userId'),
    organizationId: is('organizationId'),
    method: is('method'),
    route: is('route'),
    status: null,
    from: null,
    to: null,
  },
  '/sessions': page,
  '/users/:id/sessions': page,
}

const { headers: asUser } = await addTokens(t, acme.userId)
const headersFor = (list: string) => (list === '/sessions' ? asUser : asMaster)
const pathOf = (list: string) => `/auth${list.replace(':id', acme.userId)}`
const ask = (list: string, query: string) => t.ask(`${pathOf(list)}?${query}`, { headers: headersFor(list) })

// Requests that there are for some of the values.
for (const value of ['undefined', '__proto__', 'constructor']) {
  await t.ask('/open', { headers: { 'x-request-id': value } })
}

/** All items of a list, page by page. */
async function allOf(list: string, query = ''): Promise<readonly Json[]> {
  const items: Json[] = []
  // What this file asks is logged as well, and soon too long to be read for each value.
  if (list === '/logs') t.client.run("delete from machine_auth_request_log where path <> '/open'")
  for (let cursor = ''; ; ) {
    const answer = await ask(list, `${query}&limit=100${cursor}`)
    if (answer.status !== 200) throw new Error(`${list}?${query}: ${answer.said} ${pathsOf(answer)}`)
    items.push(...listAt(answer.json, 'items'))
    if (answer.json.nextCursor === null) return items
    cursor = `&cursor=${encodeURIComponent(String(answer.json.nextCursor))}`
  }
}

const PARAMETERS = Object.entries(LISTS).flatMap(([list, parameters]) =>
  Object.entries(parameters).map(([name, literal]) => [list, name, literal] as const),
)

describe('the table', () => {
  test('has every list with every parameter of its query', () => {
    const lists = routesUnderPrefix(t).flatMap(({ route }) => {
      const path = route.slice('GET '.length)
      const parameters = document.paths[`/auth${path.replace(':id', '{id}')}`]?.get?.parameters ?? []
      const named = (parameters as readonly Json[])
        .filter((each) => each.in === 'query')
        .map(({ name }) => String(name))
      return route.startsWith('GET ') && named.includes('cursor') ? [[path, named.sort()] as const] : []
    })
    expect(Object.fromEntries(lists)).toEqual(
      Object.fromEntries(Object.entries(LISTS).map(([list, parameters]) => [list, Object.keys(parameters).sort()])),
    )
  })
})

describe.each(PARAMETERS)('GET %s?%s', (list, name, literal) => {
  test('takes hostile text for text, or refuses it by the parameter’s name', async () => {
    const all = await allOf(list)
    const before = storedIn(t)
    for (const value of HOSTILE) {
      const query = `${name}=${encodeURIComponent(value.toWellFormed())}`
      const answer = await ask(list, query)
      if (answer.status === 422) {
        expectInvalidAt(answer, name)
        continue
      }
      expect([value, answer.status]).toEqual([value, 200])
      const left = all.filter((item) => literal?.(item, value) ?? false)
      expect([value, await allOf(list, query)]).toEqual([value, left])
    }
    expect(storedIn(t)).toEqual(before)
  })

  test('refuses lists and objects, or takes one of them', async () => {
    const all = await allOf(list)
    for (const query of [`${name}[]=a`, `${name}[0]=a`, `${name}[like]=%25`, `${name}.x=a`, `${name}%00=a`]) {
      const answer = await ask(list, query)
      expectProblem(answer, 'validation_failed', ['errors'])
    }
    for (const [first, second] of [
      ['%', '_'],
      ['a', 'b'],
      ["'", "' or 1=1 --"],
      ['', ''],
    ] as const) {
      const [a, b] = [encodeURIComponent(first), encodeURIComponent(second)]
      const answer = await ask(list, `${name}=${a}&${name}=${b}`)
      if (answer.status === 422) expect(pathsOf(answer).map((path) => String(path).split('.')[0])).toContain(name)
      else {
        expect(answer.status).toBe(200)
        const values = [first, second, `${first},${second}`]
        const possible = values.map((value) => all.filter((item) => literal?.(item, value) ?? false).slice(0, 50))
        expect(possible).toContainEqual([...listAt(answer.json, 'items')])
      }
    }
  })

  test('shows an organization’s administrator no more by it', async () => {
    if (list === '/sessions') return
    const { headers } = acme.callers.keeper
    for (const value of HOSTILE) {
      const answer = await t.ask(`${pathOf(list)}?${name}=${encodeURIComponent(value.toWellFormed())}`, { headers })
      expect([200, 403, 404, 422]).toContain(answer.status)
      if (answer.status !== 200 || list === '/permissions' || list.includes(':id')) continue
      for (const item of listAt(answer.json, 'items')) {
        expect([item.organizationId, item.id]).toContain(acme.organizationId)
      }
    }
  })
})

describe('every list', () => {
  test.each(Object.keys(LISTS))('%s refuses hostile cursors', async (list) => {
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const cursors = [
      '',
      ' ',
      'x',
      '%',
      '..',
      '{}',
      'null',
      encode(null),
      encode([]),
      encode({}),
      encode({ s: 'createdAt.desc' }),
      encode({ s: 'createdAt.desc', v: "' or 1=1 --", i: 'x' }),
      encode({ s: 'createdAt.desc', v: { $gt: '' }, i: 'x' }),
      encode({ s: 'createdAt.desc', v: 1, i: ['x'] }),
      encode({ s: 'hash.asc', v: 'x', i: 'x' }),
      encode({ s: 'name.asc', v: 'x\0', i: 'x' }),
      Buffer.from('{"s":"createdAt.desc","v":1e400,"i":"x"}').toString('base64url'),
      'A'.repeat(9000),
      '__proto__',
      'constructor',
    ]
    for (const cursor of cursors) {
      expectInvalidAt(await ask(list, `cursor=${encodeURIComponent(cursor)}`), 'cursor')
    }
  })

  test.each(Object.keys(LISTS))('%s has pages of 1 to 100', async (list) => {
    for (const limit of ['0', '-1', '101', '1.5', '1e3', 'ten', '', ' ', 'NaN', 'Infinity', '9'.repeat(30)]) {
      const answer = await ask(list, `limit=${encodeURIComponent(limit)}`)
      expectInvalidAt(answer, 'limit')
    }
    for (const limit of [1, 100]) {
      const { json } = await ask(list, `limit=${limit}`)
      expect(Object.keys(json).sort()).toEqual(['items', 'nextCursor'])
      expect(listAt(json, 'items').length).toBeLessThanOrEqual(limit)
    }
  })

  test.each(Object.keys(LISTS))('%s refuses parameters it does not know, by their names', async (list) => {
    for (const name of [
      'where',
      'filter',
      'select',
      'offset',
      'page',
      'orderBy',
      'hash',
      'userid',
      'Limit',
      '$where',
    ]) {
      expectInvalidAt(await ask(list, `${encodeURIComponent(name)}=1`), name)
    }
    expect((await ask(list, 'limit=ten&where=1')).json.code).toBe('validation_failed')
  })

  test('sorts by what it says alone', async () => {
    for (const [list, parameters] of Object.entries(LISTS)) {
      if (!('sort' in parameters)) continue
      for (const sort of [
        'id',
        'hash',
        'passwordHash',
        'createdAt desc',
        'createdAt,name',
        'name;--',
        '1',
        'CREATEDAT',
      ]) {
        expectInvalidAt(await ask(list, `sort=${encodeURIComponent(sort)}`), 'sort')
      }
      for (const direction of ['ASC', 'up', 'asc nulls last', "asc'"]) {
        expectInvalidAt(await ask(list, `order=${encodeURIComponent(direction)}`), 'order')
      }
    }
  })
})
