/** An error that only looks like Elysia's own says nothing to the caller and something to the log. */
import { expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { withLog } from '../guards/support.ts'
import { createTestPlugin } from '../support/guarded-app.ts'
import { createTestApp } from '../support/test-app.ts'

test.each(['NOT_FOUND', 'VALIDATION', 'PARSE', 'INVALID_COOKIE_SIGNATURE', 'UNKNOWN'])('code %s', async (code) => {
  await using t = await createTestApp({}, (app) =>
    app.get('/failing', () => {
      throw Object.assign(new Error('select password from users'), { code })
    }),
  )
  const { result, log } = await withLog(() => t.ask('/failing'))
  expect([result.said, result.text.includes('select')]).toEqual(['500 internal_error', false])
  expect(log).toHaveLength(1)
})

test('the plugin of the guards alone leaves 404 as it is', async () => {
  const app = new Elysia().use(createTestPlugin().plugin)
  expect((await app.handle(new Request('http://localhost/nowhere'))).status).toBe(404)
})
