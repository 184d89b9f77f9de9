/** Uses are claimed ahead, and never more than there are. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Budget, QuotaLedger } from '../../src/limits/quota-ledger.ts'

/** A budget in "storage": atomic, and answering when it is told to. */
function createBudget(limit: number, more: Partial<Budget> = {}) {
  const state = { limit, used: 0, claims: [] as number[], waiting: [] as (() => void)[], isSlow: false }
  const budget: Budget = {
    id: 'budget',
    async claim(amount) {
      state.claims.push(amount)
      if (state.isSlow) await new Promise<void>((resolve) => state.waiting.push(resolve))
      if (state.used + amount > state.limit) return null
      state.used += amount
      return state.limit - state.used
    },
    async giveBack(amount) {
      state.used -= amount
    },
    nextRefill: () => null,
    ...more,
  }
  return { state, budget }
}

async function takeMany(ledger: QuotaLedger, budget: Budget, count: number, now = 0): Promise<number> {
  const taken = await Promise.all(Array.from({ length: count }, () => ledger.take(budget, now)))
  return taken.filter(Boolean).length
}

describe('the ledger', () => {
  test('lets exactly one of a hundred have the last use', async () => {
    const { state, budget } = createBudget(1)
    expect(await takeMany(new QuotaLedger(), budget, 100)).toBe(1)
    expect(state.used).toBe(1)
  })

  test('never hands out more than there is, by several processes, with answers in any order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 1500 }),
        fc.array(fc.nat({ max: 2 }), { minLength: 1, maxLength: 120 }),
        fc.array(fc.nat({ max: 50 }), { maxLength: 60 }),
        async (limit, takers, order) => {
          const { state, budget } = createBudget(limit)
          state.isSlow = true
          const ledgers = [new QuotaLedger(), new QuotaLedger(), new QuotaLedger()]
          const taking = takers.map((index) => Promise.resolve(ledgers[index]?.take(budget, 0)))
          let isOver = false
          const all = Promise.all(taking).finally(() => {
            isOver = true
          })
          for (let turn = 0; !isOver; turn++) {
            const { waiting } = state
            waiting.splice((order[turn % Math.max(1, order.length)] ?? 0) % Math.max(1, waiting.length), 1)[0]?.()
            await Promise.resolve()
          }
          const handedOut = (await all).filter(Boolean).length
          expect(handedOut).toBe(Math.min(limit, takers.length))
          expect(state.used).toBeGreaterThanOrEqual(handedOut)
          expect(state.used).toBeLessThanOrEqual(limit)
        },
      ),
      { numRuns: 60 },
    )
  })

  test('asks storage for one when little is left, for a hundredth when much is, and for a thousand at most', async () => {
    for (const [limit, largest] of [
      [100, 1],
      [5000, 49],
      [10_000_000, 1000],
    ] as const) {
      const { state, budget } = createBudget(limit)
      const ledger = new QuotaLedger()
      for (let use = 0; use < 90; use++) expect(await ledger.take(budget, 0)).toBe(true)
      expect(Math.max(...state.claims)).toBe(largest)
    }
  })

  test('has many waiters wait for one claim, and answers at once what was claimed before', async () => {
    const { state, budget } = createBudget(100_000)
    const ledger = new QuotaLedger()
    await ledger.take(budget, 0)
    await ledger.take(budget, 0)
    expect(state.claims).toEqual([1, 999])
    expect(await takeMany(ledger, budget, 998)).toBe(998)
    expect(ledger.take(budget, 0)).toBeInstanceOf(Promise)
    expect(state.claims).toHaveLength(3)
  })

  test('hands out again what was given back, and gives storage what nobody wants', async () => {
    const { state, budget } = createBudget(10_000)
    const ledger = new QuotaLedger()
    await ledger.take(budget, 0)
    await ledger.take(budget, 0)
    expect(state.used).toBe(100)
    ledger.release(budget)
    expect(ledger.unusedOf('budget')).toBe(99)
    expect(ledger.leftOf('budget')).toBe(9999)
    await ledger.settle(9999)
    expect(state.used).toBe(100)
    await ledger.settle(10_000)
    expect(state.used).toBe(1)
    expect(ledger.leftOf('budget')).toBeNull()
    await ledger.take(budget, 20_000)
    await ledger.settle(Number.POSITIVE_INFINITY)
    expect(state.used).toBe(2)
  })

  test('believes for a second that nothing is left, and then hears of a raised limit', async () => {
    const { state, budget } = createBudget(1)
    const ledger = new QuotaLedger()
    expect([await ledger.take(budget, 0), await ledger.take(budget, 0)]).toEqual([true, false])
    const asked = state.claims.length
    state.limit = 2
    expect(ledger.take(budget, 999)).toBe(false)
    expect(state.claims).toHaveLength(asked)
    expect(await ledger.take(budget, 1000)).toBe(true)
  })

  test('asks again at the moment of a refill, however close', async () => {
    const { state, budget } = createBudget(0, { nextRefill: () => 10 })
    const ledger = new QuotaLedger()
    expect(await ledger.take(budget, 9)).toBe(false)
    state.limit = 1
    expect(ledger.take(budget, 9)).toBe(false)
    expect(await ledger.take(budget, 10)).toBe(true)
  })

  test('lets nobody through while storage is away, and goes on when it is back', async () => {
    let isAway = true
    const { budget, state } = createBudget(5)
    const flaky: Budget = {
      ...budget,
      claim: (amount) => (isAway ? Promise.reject(new Error('away')) : budget.claim(amount)),
    }
    const ledger = new QuotaLedger()
    const takes = await Promise.allSettled([ledger.take(flaky, 0), ledger.take(flaky, 0)])
    expect(takes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    isAway = false
    expect(await takeMany(ledger, flaky, 10)).toBe(5)
    expect(state.used).toBe(5)
  })
})
