import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { SharedClaim, SharedLimits } from '../../src/limits/shared-limits.ts'
import { until } from '../support/until.ts'
import { claimOf, type LimitsAdapter, START } from './limiters.ts'

/** What shared counts must do for whom nobody could ask ahead; `adapter` is opened for each test. */
export function describeHitNow(adapter: LimitsAdapter): void {
  describe(`${adapter.name}: whoever cannot wait`, () => {
    beforeAll(() => adapter.start())
    afterAll(() => adapter.stop())

    const allowed = (limits: SharedLimits, claim: SharedClaim, times: number) =>
      Array.from({ length: times }, () => limits.hitNow([claim], START)[0]?.isAllowed)

    test('is let in up to a share of the limit, and every process hears of it', async () => {
      const [one, other] = adapter.openShared(4)
      const claim = claimOf('route', 8, 'a')
      expect(allowed(one, claim, 4)).toEqual([true, true, false, false])
      await until(async () => (await other.read(claim))?.remaining === 6)
      expect(allowed(one, claim, 1)).toEqual([false])
      expect((await other.read(claim))?.remaining).toBe(6)
    })

    test('takes all of a list or none', async () => {
      const [one, other] = adapter.openShared(1)
      const [full, free] = [claimOf('full', 1, 'a'), claimOf('free', 3, 'a')]
      one.hitNow([full], START)
      expect(one.hitNow([free, full], START).map((reading) => reading?.isAllowed)).toEqual([true, false])
      await until(async () => (await other.read(full))?.remaining === 0)
      expect((await other.read(free))?.remaining).toBe(3)
    })

    test('is refused as soon as it is heard that all have used up the limit', async () => {
      const [one, other] = adapter.openShared(1)
      const claim = claimOf('route', 5, 'a', 5)
      await other.hitAll([claim], START)
      const single = { ...claim, cost: 1 }
      expect(allowed(one, single, 1)).toEqual([true])
      await until(() => one.recall([single], START) !== null)
      expect(allowed(one, single, 2)).toEqual([false, false])
    })

    test('is told nothing of no list, and makes no mistake of cost', () => {
      const [one] = adapter.openShared(1)
      expect(one.hitNow([], START)).toEqual([])
      expect(() => one.hitNow([claimOf('route', 5, 'a', -1)], START)).toThrow(RangeError)
    })
  })
}
