/** Routes that come late are audited, also where the plugin is used by a module and not by the app that serves. */
import { expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { withLog } from '../guards/support.ts'
import { createTestPlugin } from '../support/guarded-app.ts'

test('a lazily imported module of an app that has the plugin through another module', async () => {
  const { plugin } = createTestPlugin()
  const feature = new Elysia().use(plugin).get('/early', () => 'early', { currentUser: true })
  const imported = Promise.withResolvers<Elysia>()
  const app = new Elysia().use(feature).use(imported.promise)
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: (request) => app.fetch(request) })
  try {
    expect((await fetch(`${server.url}early`)).status).toBe(401)
    const late = new Elysia()
      .macro('logged', (_: boolean) => undefined as unknown as Record<never, never>)
      .get('/late', () => 'secret', { logged: true, currentUser: true } as Record<never, never>)
    imported.resolve(late as unknown as Elysia)
    await app.modules
    const { result } = await withLog(async () => (await fetch(`${server.url}late`)).text())
    expect(result).not.toBe('secret')
  } finally {
    await server.stop(true)
  }
})
