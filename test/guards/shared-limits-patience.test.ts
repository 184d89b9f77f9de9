/** A request waits once for shared counts that are silent, whatever number of limits it comes under. */
import { expect, test } from 'bun:test'
import type { Patience, SharedClaim } from '../../src/limits/shared-limits.ts'
import { PROXIED } from '../support/limited.ts'
import { MemorySharedLimits } from '../support/shared-limits.ts'
import { createTestApp } from '../support/test-app.ts'

const RATE = { limit: 9, window: '1m' } as const

/** Counts that note for whom they were asked. */
class NotingLimits extends MemorySharedLimits {
  readonly patiences: (Patience | undefined)[] = []

  override hitAll(claims: readonly SharedClaim[], now: number, patience?: Patience) {
    this.patiences.push(patience)
    return super.hitAll(claims, now)
  }

  override enter(place: string, subject: string, most: number, patience?: Patience) {
    this.patiences.push(patience)
    return super.enter(place, subject, most)
  }
}

test('all that is asked for a request shares its patience, and no other request does', async () => {
  const shared = new NotingLimits()
  await using t = await createTestApp(
    { ...PROXIED, rateLimit: { default: { concurrent: 9, by: 'user' } } },
    (app) =>
      app.get(
        '/x',
        async ({ auth }) => {
          for (const name of ['a', 'b']) await auth.rateLimit({ ...RATE, name })
          return 'ok'
        },
        { rateLimit: [RATE, { concurrent: 9 }, { concurrent: 8 }] },
      ),
    shared,
  )
  expect((await t.ask('/x')).said).toBe('200')
  const [patience] = shared.patiences
  expect(patience).toEqual({ isOver: false })
  expect(shared.patiences.length).toBeGreaterThanOrEqual(5)
  expect(shared.patiences.every((each) => each === patience)).toBe(true)
  expect((await t.ask('/x')).said).toBe('200')
  expect(new Set(shared.patiences).size).toBe(2)
})
