/** What refusing a request does not do: it is what a flood asks for. */
import { describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { AbuseGuard } from '../../src/limits/abuse.ts'
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
