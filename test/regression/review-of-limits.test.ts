/** What a review found open in limits and blocks. */
import { expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { BlockService } from '../../src/blocks/service.ts'
import { machineAuth } from '../../src/index.ts'
import { BlockIndex } from '../../src/limits/block-index.ts'
import { AuditLog } from '../../src/recording/audit/audit.ts'
import { createMemoryStorage } from '../support/memory-storage.ts'
import { addKey, addPeople, addSession, askServer, createTestApp, createTestCore, SECRET } from '../support/test-app.ts'

const A = { limit: 9, window: '1m', name: 'A' } as const
const B = { limit: 99, window: '1m', name: 'B' } as const

test('a limit of a list counts once, also when the handler asks for it again', async () => {
  await using t = await createTestApp({}, (app) =>
    app.get('/again', async ({ auth }) => (await auth.rateLimit(A)).remaining, { public: true, rateLimit: [A, B] }),
  )
  const { text, headers } = await t.ask('/again')
  expect([text, headers.get('ratelimit')]).toEqual(['8', '"A";r=8;t=60, "B";r=98;t=60'])
})

test('a handler blocks on a route whose pattern nobody else can read', async () => {
  await using t = await createTestApp({}, (app) =>
    app.get('/:lang?/withdraw', async ({ auth }) => `${(await auth.block({ duration: '1h' }))?.path}`, {
      public: true,
    }),
  )
  expect((await t.ask('/en/withdraw')).text).toBe('/:lang?/withdraw')
  expect((await t.ask('/en/withdraw')).said).toBe('403 address_blocked')
  expect((await t.ask('/open')).said).toBe('200')
})

test('a hook before the plugin answers nobody who is blocked or over the default limit', async () => {
  const { core } = createTestCore({ rateLimit: { default: { limit: 2, window: '1m', by: 'user' } } })
  await core.ready
  const app = new Elysia()
    .onRequest(({ request }) =>
      request.method === 'OPTIONS'
        ? new Response(null, { status: 204, headers: { 'access-control-allow-origin': '*' } })
        : undefined,
    )
    .use(machineAuth(core))
    .get('/open', () => 'open', { public: true })
    .listen({ port: 0, hostname: '127.0.0.1' })
  const ask = () => askServer(`http://127.0.0.1:${app.server?.port}`, '/open', { method: 'OPTIONS' })
  try {
    expect([(await ask()).said, (await ask()).said, (await ask()).said]).toEqual(['204', '204', '429 rate_limited'])
    await core.blocks.add({ subject: '127.0.0.1', duration: '1h' })
    const blocked = await ask()
    expect([blocked.said, blocked.headers.get('access-control-allow-origin')]).toEqual(['403 address_blocked', '*'])
  } finally {
    await app.stop(true)
    await core.close()
  }
})

test('a lowered quota counts at once, whatever was claimed under the higher one', async () => {
  await using t = await createTestApp()
  const { id: organizationId } = await t.core.organizations.create({ name: 'Acme', monthlyQuota: 100_000 })
  const { headers } = await addKey(t, { organizationId })
  const letIn = async (count: number) => {
    let passed = 0
    for (let index = 0; index < count; index++) if ((await t.ask('/key', { headers })).status === 200) passed += 1
    return passed
  }
  expect(await letIn(3)).toBe(3)
  await t.core.organizations.setLimits(organizationId, { monthlyQuota: 10 })
  expect(await letIn(30)).toBeLessThanOrEqual(7)
})

test('removing a block frees the subject, also of a longer one that storage had refused', async () => {
  const clock = () => Date.UTC(2030, 0, 1)
  const storage = createMemoryStorage(clock)
  const index = new BlockIndex(() => false)
  let isAway = false
  const blocks = new BlockService({
    store: {
      ...storage.blocks,
      put: (block) => (isAway ? Promise.reject(new Error('away')) : storage.blocks.put(block)),
    },
    index,
    clock,
    audit: new AuditLog({ store: storage.audit, clock, secrets: [SECRET] }),
    forget: () => undefined,
    warn: () => undefined,
  })
  const { id } = await blocks.add({ subject: '203.0.113.5', duration: '1h' })
  isAway = true
  await expect(blocks.add({ subject: '203.0.113.5', duration: '2h' })).rejects.toThrow('away')
  isAway = false
  await blocks.remove(id)
  expect(index.size).toBe(0)
})

test('a verifier of an organization has no address blocked for everybody', async () => {
  await using t = await createTestApp({ abuse: { threshold: 2 } })
  const { id: organizationId } = await t.core.organizations.create({ name: 'Acme' })
  const verifier = await addKey(t, { organizationId, permissions: ['machine_auth.keys.verify'] })
  const junk = { key: 'junk', ip: '127.0.0.1' }
  for (let index = 0; index < 5; index++) await t.ask('/auth/keys/verify', { headers: verifier.headers, body: junk })
  expect((await t.ask('/open')).said).toBe('200')
  for (let index = 0; index < 2; index++) await t.core.keys.verify(junk)
  expect((await t.ask('/open')).said).toBe('403 address_blocked')
})

test('an organization raises no rate of its own by making a key', async () => {
  await using t = await createTestApp()
  const { id: organizationId } = await t.core.organizations.create({
    name: 'Acme',
    rateLimit: { limit: 2, window: '1m' },
  })
  const maker = await addKey(t, { organizationId, permissions: ['machine_auth.keys.create'] })
  const make = (limit: number) => {
    const body = { name: 'x', rateLimit: { limit, window: '1m' } }
    return t.ask('/auth/keys', { headers: maker.headers, body })
  }
  expect([(await make(3)).said, (await make(2)).said]).toEqual(['403 permission_required', '201'])
})

test('a limit in a handler counts whom the handler has proven, whatever else comes along', async () => {
  await using t = await createTestApp({}, (app) =>
    app.get('/proven', async ({ auth }) => {
      await auth.session()
      return (await auth.rateLimit({ limit: 2, window: '1m', by: 'user' })).remaining
    }),
  )
  const { alice } = await addPeople(t)
  const session = await addSession(t, alice.id)
  const ownerless = await addKey(t)
  const both = { ...session.headers, ...ownerless.headers }
  const heard: string[] = []
  for (const headers of [session.headers, both, both]) heard.push((await t.ask('/proven', { headers })).said)
  expect(heard).toEqual(['200', '200', '429 rate_limited'])
})

test('who comes in a flood of more subjects than are remembered is refused, and not locked out for the others', async () => {
  const options = { trustProxy: { from: ['127.0.0.1'] }, rateLimit: { maxSubjects: 1000 } }
  await using t = await createTestApp(options, (app) =>
    app.get('/flooded', () => 'ok', { public: true, rateLimit: { limit: 5, window: '10m', lockout: '24h' } }),
  )
  const from = (address: string) => t.ask('/flooded', { headers: { 'x-forwarded-for': address } })
  for (let index = 0; index < 1005; index++) await from(`10.0.${index >> 8}.${index & 255}`)
  expect((await from('203.0.113.8')).said).toBe('429 rate_limited')
  expect((await t.core.blocks.list()).items).toEqual([])
})
