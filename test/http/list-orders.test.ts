/** `sort` and `order` of every list, and cursors that belong to one order. */
import { afterAll, describe, expect, test } from 'bun:test'
import { expectInvalidAt, listAt, textAt } from '../support/answers.ts'
import { asMaster, createTestApp, type Json } from '../support/test-app.ts'

const t = await createTestApp()
afterAll(t.close)
for (const each of ['b', 'a', 'd', 'c']) {
  t.time.now += 1000
  const organization = await t.core.organizations.create({ name: each })
  await t.core.users.create({ email: `${each}@example.com`, organizationId: organization.id })
  await t.core.keys.create({ name: each })
  await t.core.roles.put(each, { permissions: ['posts.view'] })
  await t.core.blocks.add({ subject: `user:${each}`, duration: '1d' })
}

/** The list, what to tell its items apart by, and by what it sorts. */
const LISTS = [
  { path: '/auth/keys', id: 'id', sorts: { createdAt: 'createdAt', name: 'name' } },
  { path: '/auth/organizations', id: 'id', sorts: { createdAt: 'createdAt', name: 'name' } },
  { path: '/auth/users', id: 'id', sorts: { createdAt: 'createdAt', email: 'email', name: 'email' } },
  { path: '/auth/roles', id: 'name', sorts: { name: 'name' } },
  { path: '/auth/permissions', id: 'name', sorts: { name: 'name' } },
  { path: '/auth/blocks', id: 'id', sorts: { createdAt: 'createdAt' } },
  { path: '/auth/audit', id: 'id', sorts: { createdAt: 'at' } },
] as const

const ask = (path: string, query: string) => t.ask(`${path}?${query}`, { headers: asMaster })

async function pages(path: string, query: string): Promise<readonly Json[]> {
  const items: Json[] = []
  for (let cursor = ''; ; ) {
    const { status, json } = await ask(path, `limit=3&${query}${cursor}`)
    expect([path, query, status]).toEqual([path, query, 200])
    items.push(...listAt(json, 'items'))
    if (json.nextCursor === null) return items
    cursor = `&cursor=${encodeURIComponent(textAt(json, 'nextCursor'))}`
  }
}

describe.each([...LISTS])('$path', ({ path, id, sorts }) => {
  test('is sorted as asked for, in either direction and whole', async () => {
    const all = new Set((await pages(path, '')).map((item) => item[id]))
    for (const [sort, member] of Object.entries(sorts)) {
      const ascending = await pages(path, `sort=${sort}&order=asc`)
      const descending = await pages(path, `sort=${sort}&order=desc`)
      const values = ascending.map((item) => textAt(item, member))
      expect(values).toEqual(values.toSorted())
      expect(new Set(ascending.map((item) => item[id]))).toEqual(all)
      expect(descending.map((item) => item[id])).toEqual(ascending.map((item) => item[id]).toReversed())
      expect(ascending.length).toBe(all.size)
    }
  })

  test('by its direction alone', async () => {
    const [ascending, descending] = [await pages(path, 'order=asc'), await pages(path, 'order=desc')]
    expect(ascending.map((item) => item[id])).toEqual(descending.map((item) => item[id]).toReversed())
  })

  test('refuses the cursor of another order', async () => {
    const { json } = await ask(path, 'limit=1&order=asc')
    const cursor = encodeURIComponent(textAt(json, 'nextCursor'))
    expectInvalidAt(await ask(path, `limit=1&order=desc&cursor=${cursor}`), 'cursor')
    expect((await ask(path, `limit=1&order=asc&cursor=${cursor}`)).status).toBe(200)
  })

  test.each([
    ['sort=nothing', 'sort'],
    ['sort=', 'sort'],
    ['order=up', 'order'],
    ['order=ASC', 'order'],
  ])('%s is refused', async (query, member) => {
    expectInvalidAt(await ask(path, query), member)
  })
})

test('roles of the configuration come first unless an order is asked for', async () => {
  const { json } = await ask('/auth/roles', 'limit=100')
  const sources = listAt(json, 'items').map((role) => textAt(role, 'source'))
  expect(sources).toEqual(sources.toSorted())
  const sorted = listAt((await ask('/auth/roles', 'limit=100&sort=name')).json, 'items')
  expect(sorted.map((role) => textAt(role, 'name'))).toEqual(sorted.map((role) => textAt(role, 'name')).toSorted())
  expect(textAt(sorted[0] ?? {}, 'name')).toBe('a')
})
