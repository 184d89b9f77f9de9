import { describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { createTestPlugin } from '../support/guarded-app.ts'

const FORMS = [
  ['requirePermission', { requirePermission: 'users:view' }],
  ['a list', { requirePermission: ['users:view'] }],
  ['any of', { requirePermission: { any: ['users:view', 'users:create'] } }],
  ['apiKey', { apiKey: { permissions: ['users:view'] } }],
] as const

describe('a permission written with a colon', () => {
  test.each(FORMS)('is the same permission: %s', async (_, guard) => {
    const { plugin } = createTestPlugin()
    const app = new Elysia().use(plugin).get('/x', () => 'in', guard as { requirePermission: string })
    const ask = (key: string) => app.handle(new Request('http://localhost/x', { headers: { 'x-api-key': key } }))
    expect(await (await ask('mac_live_key')).text()).toBe('in')
    const refused = await ask('mac_live_owned')
    expect(refused.status).toBe(403)
    expect(await refused.json()).toMatchObject({ code: 'permission_required' })
  })

  test('is the same permission for auth.requirePermission', async () => {
    const { plugin } = createTestPlugin()
    const app = new Elysia().use(plugin).get('/x', async ({ auth }) => {
      const principal = await auth.requirePermission('users:view')
      return principal.kind
    })
    const answer = await app.handle(new Request('http://localhost/x', { headers: { 'x-api-key': 'mac_live_key' } }))
    expect(await answer.text()).toBe('apiKey')
  })
})

describe('two API keys in one request', () => {
  const both = { authorization: 'ApiKey mac_live_owned', 'x-api-key': 'mac_live_key' }
  const GUARDS = {
    apiKey: { apiKey: true },
    currentUser: { currentUser: true },
    optionalUser: { optionalUser: true },
    requirePermission: { requirePermission: 'users.view' },
    requireModule: { requireModule: 'users' },
  } as const

  test.each(Object.entries(GUARDS))('are refused by %s', async (_, guard) => {
    const { plugin } = createTestPlugin()
    const app = new Elysia().use(plugin).get('/x', () => 'in', guard as typeof GUARDS.apiKey)
    const refused = await app.handle(new Request('http://localhost/x', { headers: both }))
    expect(refused.status).toBe(400)
    expect(await refused.json()).toMatchObject({ code: 'request_malformed' })
  })
})
