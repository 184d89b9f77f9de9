/** What refusing a request does not do: it is what a flood asks for. */
import { describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import type { EngineOptions } from '../../src/guards/engine.ts'
import { AbuseGuard } from '../../src/limits/abuse.ts'
import { BlockIndex } from '../../src/limits/block-index.ts'
import { createTestPlugin, STANDARD } from '../support/guarded-app.ts'
import { createTestLimits } from '../support/limits.ts'
import { expectRefusal, handle, PRESENT } from './support.ts'

function createAbuse(): AbuseGuard {
  return new AbuseGuard({ threshold: 100, window: 60_000, capacity: 10, isExempt: () => false, block: () => undefined })
}

function createApp(abuse: AbuseGuard | null) {
  const seen = { addresses: 0 }
  const clientAddress = () => {
    seen.addresses += 1
    return '203.0.113.5'
  }
  const { plugin } = createTestPlugin(STANDARD, { clientAddress, limits: createTestLimits({ abuse }) })
  const app = new Elysia().use(plugin).get('/', () => 'handled', { apiKey: true })
  return { app, seen }
}

describe.each([
  { name: 'where wrong credentials are not counted', abuse: null, counted: 0 },
  { name: 'where wrong credentials are counted', abuse: createAbuse(), counted: 1 },
])('$name', ({ abuse, counted }) => {
  test.each([
    ['nothing', 'credential_missing', 0],
    ['wrong key', 'api_key_invalid', counted],
    ['expired key', 'api_key_expired', 0],
  ] as const)('refusing %s finds out its address only where that is counted', async (presented, code, addresses) => {
    const { app, seen } = createApp(abuse)
    expectRefusal(await handle(app, '/', { headers: PRESENT[presented] }), 401, code)
    expect(seen.addresses).toBe(addresses)
  })
})

test.each(['nothing', 'wrong key', 'expired key'] as const)('refusing %s waits for nothing', (presented) => {
  const { app } = createApp(null)
  const answer: unknown = app.fetch(new Request('http://localhost/', { headers: PRESENT[presented] }))
  expect(answer).toBeInstanceOf(Response)
})

const ADDRESS = '203.0.113.5'

/** An app that such an address is kept out of, before its request is routed. */
function createClosedApp(onDenied?: EngineOptions['onDenied']) {
  const blocks = new BlockIndex(() => false)
  const block = { id: 'block_1', kind: 'abuse', subject: `ip:${ADDRESS}`, scope: 'global', path: '' } as const
  blocks.put({ ...block, reason: null, createdBy: 'test', createdAt: 0, expiresAt: Date.now() + 60_000 })
  const limits = createTestLimits({ blocks })
  const { plugin } = createTestPlugin(STANDARD, { clientAddress: () => ADDRESS, limits, onDenied })
  return new Elysia().use(plugin).get('/', () => 'handled', { apiKey: true })
}

test('refusing a blocked address waits for nothing, and the answer is whole', async () => {
  const app = createClosedApp()
  const answer: unknown = app.fetch(new Request('http://localhost/', { headers: PRESENT.key }))
  expect(answer).toBeInstanceOf(Response)
  const refusal = await handle(app, '/', { headers: PRESENT.key })
  expectRefusal(refusal, 403, 'address_blocked')
  expect(Number(refusal.headers.get('retry-after'))).toBeGreaterThan(0)
})

test.each([
  ['at once', () => new Response('no', { status: 418 })],
  ['later', async () => new Response('no', { status: 418 })],
] as const)('what onDenied answers %s to a blocked address has the id of the request', async (_, onDenied) => {
  const headers = { ...PRESENT.key, 'x-request-id': 'request-of-mine' }
  const answer = await handle(createClosedApp(onDenied), '/', { headers })
  expect([answer.status, answer.text, answer.headers.get('x-request-id')]).toEqual([418, 'no', 'request-of-mine'])
})
