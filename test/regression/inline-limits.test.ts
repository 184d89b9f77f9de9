/** A limit that a handler writes out, function and all, is a new object for every request: each one had its own count. */
import { expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { createTestPlugin, withServer } from '../support/guarded-app.ts'

test('a limit with a function that is written in the handler counts over requests, apart by what it answers', async () => {
  const { plugin } = createTestPlugin()
  const app = new Elysia().use(plugin).get('/:who', async ({ auth, params }) => {
    const { remaining } = await auth.rateLimit({ limit: 2, window: '1h', by: () => params.who, cost: () => 1 })
    return { remaining }
  })
  await withServer(app, async (origin) => {
    const statuses: number[] = []
    for (const who of ['a', 'a', 'a', 'b']) statuses.push((await fetch(`${origin}/${who}`)).status)
    expect(statuses).toEqual([200, 200, 429, 200])
  })
})
