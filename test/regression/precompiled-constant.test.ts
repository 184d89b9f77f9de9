/** Elysia composes a precompiled route before the audit has looked at it, and serves a constant without its hooks. */
import { expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { withLog } from '../guards/support.ts'
import { createTestPlugin, withServer } from '../support/guarded-app.ts'

const PRECOMPILE = [true, { compose: true }] as const

test.each(PRECOMPILE)('a guarded constant of an app with precompile: %j does not reach anybody', async (precompile) => {
  const app = new Elysia({ precompile })
    .use(createTestPlugin().plugin)
    .onBeforeHandle(() => undefined)
    .onAfterHandle(() => undefined)
    .get('/x', 'secret', { currentUser: true })
  const { result } = await withLog(() =>
    withServer(app, async (origin) => {
      const overHttp = await fetch(`${origin}/x`)
      const direct = await app.handle(new Request('http://localhost/x'))
      return [overHttp.status, await overHttp.text(), direct.status, await direct.text()]
    }),
  )
  expect(result).not.toContain('secret')
  expect(result).not.toContain(200)
})

test('nor once it is audited anew', async () => {
  const { plugin, engine } = createTestPlugin()
  const app = new Elysia({ precompile: true })
    .use(plugin)
    .onBeforeHandle(() => undefined)
    .onAfterHandle(() => undefined)
    .get('/x', 'secret', { currentUser: true })
  const { result } = await withLog(async () => {
    await app.handle(new Request('http://localhost/x'))
    engine.routes.forget()
    return (await app.handle(new Request('http://localhost/x'))).text()
  })
  expect(result).not.toContain('secret')
})
