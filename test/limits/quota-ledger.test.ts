import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { QuotaLedger } from '../../src/limits/quota-ledger.ts'
import { type Ending, LateStore, passTurns } from './quota-store.ts'
import { START } from './schedules.ts'

const BUDGET = 'budget'
const SECOND = 1000
const EVERYTHING = Number.POSITIVE_INFINITY

/** Asks a number of times at once, answers the store, and counts who got a use; a rejection counts as none. */
async function takeAtOnce(ledger: QuotaLedger, store: LateStore, callers: number, now = START): Promise<number> {
  const takes = Array.from({ length: callers }, async () => ledger.take(store.budget(BUDGET), now))
  await store.drain()
  const outcomes = await Promise.allSettled(takes)
  return outcomes.filter((outcome) => outcome.status === 'fulfilled' && outcome.value).length
}

/** Asks one time after the other. */
async function takeEach(ledger: QuotaLedger, store: LateStore, times: number, now = START): Promise<number> {
  let granted = 0
  for (let count = 0; count < times; count++) granted += await takeAtOnce(ledger, store, 1, now)
  return granted
}

function settle(ledger: QuotaLedger, store: LateStore, now: number): Promise<void> {
  return store.serve(ledger.settle(now))
}

describe('uses', () => {
  test.each([
    { name: 'the last one', limit: 1, callers: 100, ledgers: 1 },
    { name: 'the last one, among processes', limit: 1, callers: 100, ledgers: 4 },
    { name: 'none', limit: 0, callers: 100, ledgers: 2 },
    { name: 'as many as there are callers', limit: 100, callers: 100, ledgers: 1 },
    { name: 'fewer than callers', limit: 7, callers: 100, ledgers: 3 },
  ])('$name: exactly $limit of $callers racing callers of each of $ledgers ledgers', async (given) => {
    const store = new LateStore(given.limit)
    const ledgers = Array.from({ length: given.ledgers }, () => new QuotaLedger())
    const granted = await Promise.all(ledgers.map((ledger) => takeAtOnce(ledger, store, given.callers)))
    expect(granted.reduce((sum, each) => sum + each, 0)).toBe(given.limit)
    expect(store.used).toBe(given.limit)
  })

  test('that were claimed before are there at once', async () => {
    const [store, ledger] = [new LateStore(100_000), new QuotaLedger()]
    expect(ledger.take(store.budget(BUDGET), START)).toBeInstanceOf(Promise)
    await store.drain()
    await takeEach(ledger, store, 1)
    expect(ledger.unusedOf(BUDGET)).toBe(998)
    for (let count = 998; count > 0; count--) expect(ledger.take(store.budget(BUDGET), START)).toBe(true)
    expect(ledger.take(store.budget(BUDGET), START)).toBeInstanceOf(Promise)
  })

  test('are claimed once for all who wait', async () => {
    const [store, ledger] = [new LateStore(100_000), new QuotaLedger()]
    await takeEach(ledger, store, 1)
    expect(await takeAtOnce(ledger, store, 500)).toBe(500)
    expect(store.claims).toEqual([1, 999])
  })

  test('are claimed a hundredth of what is left at a time, at least one and at most 1000', async () => {
    const [store, ledger] = [new LateStore(1000), new QuotaLedger()]
    expect(await takeEach(ledger, store, 1000)).toBe(1000)
    const expected = [1]
    for (let left = 999; left > 0; left -= expected.at(-1) ?? 0) expected.push(Math.max(1, Math.floor(left / 100)))
    expect(store.claims).toEqual(expected)

    const [large, another] = [new LateStore(250_000), new QuotaLedger()]
    expect(await takeEach(another, large, 3000)).toBe(3000)
    expect(large.claims).toEqual([1, 1000, 1000, 1000])
  })

  test('are found one by one where others have left fewer than are wanted', async () => {
    const [store, ledger] = [new LateStore(1000), new QuotaLedger()]
    await takeEach(ledger, store, 1)
    store.used = 997
    expect(await takeEach(ledger, store, 5)).toBe(3)
    expect(store.claims.slice(1, 3)).toEqual([9, 1])
  })

  test('that are left are told, whether or not they were claimed', async () => {
    const [store, ledger] = [new LateStore(1000), new QuotaLedger()]
    expect(ledger.leftOf(BUDGET)).toBeNull()
    const left: (number | null)[] = []
    for (let uses = 0; uses < 12; uses++) {
      await takeEach(ledger, store, 1)
      left.push(ledger.leftOf(BUDGET))
    }
    expect(left).toEqual(Array.from({ length: 12 }, (_, index) => 999 - index))
    ledger.release(store.budget(BUDGET), store.version)
    expect(ledger.leftOf(BUDGET)).toBe(989)
    store.used = 1000
    while ((await takeEach(ledger, store, 1)) === 1);
    expect(ledger.leftOf(BUDGET)).toBe(0)
  })

  test('of one count are no uses of another', async () => {
    const [store, other, ledger] = [new LateStore(1), new LateStore(1), new QuotaLedger()]
    expect(await takeAtOnce(ledger, store, 2)).toBe(1)
    const next = ledger.take(other.budget('2030-02 apiKey:key_1'), START)
    await other.drain()
    expect(await next).toBe(true)
    expect([store.used, other.used]).toEqual([1, 1])
  })
})

describe('when none is left', () => {
  test('storage is not asked again for a second', async () => {
    const [store, ledger] = [new LateStore(1), new QuotaLedger()]
    await takeAtOnce(ledger, store, 100)
    const asked = store.claims.length
    for (const wait of [0, 1, 999]) expect(ledger.take(store.budget(BUDGET), START + wait)).toBe(false)
    expect(store.claims).toHaveLength(asked)
    expect(await takeAtOnce(ledger, store, 1, START + SECOND)).toBe(0)
    expect(store.claims).toHaveLength(asked + 1)
  })

  test.each([
    [1, 1],
    [999, 999],
    [5000, SECOND],
  ])('but more that comes in %p ms is asked for after %p', async (refill, asked) => {
    const [store, ledger] = [new LateStore(1), new QuotaLedger()]
    store.refill = START + refill
    await takeEach(ledger, store, 2)
    store.used = 0
    expect(await takeAtOnce(ledger, store, 1, START + asked - 1)).toBe(0)
    expect(await takeAtOnce(ledger, store, 1, START + asked)).toBe(1)
  })

  test('a raised limit counts a second later', async () => {
    const [store, ledger] = [new LateStore(2), new QuotaLedger()]
    expect(await takeEach(ledger, store, 3)).toBe(2)
    store.limit = 5
    expect(await takeEach(ledger, store, 10, START + SECOND)).toBe(3)
    expect(store.used).toBe(5)
  })

  test('the newest limit counts, whoever claims', async () => {
    const [store, ledger] = [new LateStore(5), new QuotaLedger()]
    const [old, raised] = [2, 5].map((limit) => store.budget(BUDGET, () => limit))
    const takes = [old, old, raised].map((budget) => budget && ledger.take(budget, START))
    await store.drain()
    expect(await Promise.all(takes)).toEqual([true, true, true])
  })

  test('one that is released is there for the next, without asking', async () => {
    const [store, ledger] = [new LateStore(1), new QuotaLedger()]
    await takeAtOnce(ledger, store, 2)
    ledger.release(store.budget(BUDGET), store.version)
    const asked = store.claims.length
    expect(ledger.take(store.budget(BUDGET), START)).toBe(true)
    expect(store.claims).toHaveLength(asked)
    expect(store.used).toBe(1)
  })
})

describe('giving back', () => {
  async function withUnused(): Promise<{ store: LateStore; ledger: QuotaLedger }> {
    const [store, ledger] = [new LateStore(1000), new QuotaLedger()]
    await takeEach(ledger, store, 2)
    expect(store.used).toBe(10)
    return { store, ledger }
  }

  test('what nobody has wanted for ten seconds, and no more', async () => {
    const { store, ledger } = await withUnused()
    await settle(ledger, store, START + 9_999)
    expect(store.used).toBe(10)
    await settle(ledger, store, START + 10_000)
    expect(store.used).toBe(2)
    expect(ledger.unusedOf(BUDGET)).toBe(0)
    await settle(ledger, store, START + 20_000)
    expect(store.gaveBack).toEqual([8])
  })

  test('everything at the end', async () => {
    const { store, ledger } = await withUnused()
    await settle(ledger, store, EVERYTHING)
    expect(store.used).toBe(2)
  })

  test('at the end also what a claim is about to bring, when those who wait have got theirs', async () => {
    const [store, ledger] = [new LateStore(100_000), new QuotaLedger()]
    await takeEach(ledger, store, 1)
    const takes = Array.from({ length: 1500 }, () => ledger.take(store.budget(BUDGET), START))
    await settle(ledger, store, EVERYTHING)
    expect(await Promise.all(takes)).not.toContain(false)
    expect(store.used).toBe(1501)
  })

  test('what comes back after the end, at the next one', async () => {
    const { store, ledger } = await withUnused()
    await settle(ledger, store, EVERYTHING)
    ledger.release(store.budget(BUDGET), store.version)
    await settle(ledger, store, EVERYTHING)
    expect(store.used).toBe(1)
  })

  test('in vain loses uses, and hands none out twice', async () => {
    const { store, ledger } = await withUnused()
    const settled = ledger.settle(EVERYTHING)
    await store.drain('is lost')
    await expect(settled).rejects.toThrow('storage is away')
    expect(await takeEach(ledger, store, 2000)).toBe(998)
  })
})

describe('storage that is away', () => {
  test.each<Ending>(['refuses', 'is lost'])(
    'lets nobody through (it %s), and serves when it is back',
    async (ending) => {
      const [store, ledger] = [new LateStore(10), new QuotaLedger()]
      const takes = Array.from({ length: 20 }, async () => ledger.take(store.budget(BUDGET), START))
      await store.drain(ending)
      for (const { status } of await Promise.allSettled(takes)) expect(status).toBe('rejected')
      const lost = ending === 'is lost' ? 1 : 0
      expect(store.used).toBe(lost)
      expect(await takeAtOnce(ledger, store, 20)).toBe(10 - lost)
    },
  )
})

describe('when storage is given another number', () => {
  test('what was claimed of the one before is not used and not given back', async () => {
    const [store, ledger] = [new LateStore(100_000), new QuotaLedger()]
    await takeEach(ledger, store, 2)
    expect(ledger.unusedOf(BUDGET)).toBe(998)
    store.limit = store.used + 3
    store.version += 1
    ledger.forget(BUDGET)
    expect([ledger.unusedOf(BUDGET), ledger.leftOf(BUDGET)]).toEqual([0, 0])
    await store.drain()
    expect(store.gaveBack).toEqual([])
    expect(await takeEach(ledger, store, 5)).toBe(3)
    ledger.forget('never asked for')
  })

  test('a claim that is under way brings what its callers wait for, and no more', async () => {
    const [store, ledger] = [new LateStore(100_000), new QuotaLedger()]
    await takeEach(ledger, store, 1)
    const takes = [ledger.take(store.budget(BUDGET), START), ledger.take(store.budget(BUDGET), START)]
    store.step(0)
    store.limit = store.used + 1
    store.version += 1
    ledger.forget(BUDGET)
    await store.drain()
    expect(await Promise.all(takes)).toEqual([true, true])
    expect(ledger.unusedOf(BUDGET)).toBe(0)
    expect(await takeEach(ledger, store, 3)).toBe(1)
  })

  test('a use of the one before that comes back late is neither handed out nor given back', async () => {
    const [store, ledger] = [new LateStore(1000), new QuotaLedger()]
    await takeEach(ledger, store, 2)
    const taken = ledger.versionOf(BUDGET)
    store.limit = store.used
    store.version += 1
    ledger.forget(BUDGET)
    ledger.release(store.budget(BUDGET), taken)
    expect(await takeEach(ledger, store, 2)).toBe(0)
    await settle(ledger, store, EVERYTHING)
    expect([store.used, store.gaveBack]).toEqual([store.limit, []])
  })

  test('what was claimed goes back when it was not, and is claimed anew', async () => {
    const [store, ledger] = [new LateStore(1000), new QuotaLedger()]
    await takeEach(ledger, store, 2)
    ledger.forgetAll('other')
    expect(ledger.unusedOf(BUDGET)).toBe(8)
    ledger.forgetAll('bud')
    expect(ledger.unusedOf(BUDGET)).toBe(0)
    await settle(ledger, store, START)
    expect(store.used).toBe(2)
    expect(await takeEach(ledger, store, 998)).toBe(998)
    expect(store.used).toBe(1000)
  })

  test('that there were none left is not believed any more, also where it is heard of late', async () => {
    const [store, ledger] = [new LateStore(1), new QuotaLedger()]
    expect(await takeEach(ledger, store, 2)).toBe(1)
    store.limit = 2
    expect(await takeEach(ledger, store, 1)).toBe(0)
    ledger.forget(BUDGET)
    expect(await takeEach(ledger, store, 1)).toBe(1)
    const late = ledger.take(store.budget(BUDGET), START)
    store.step(0)
    store.limit = 3
    ledger.forget(BUDGET)
    await store.drain()
    expect(await late).toBe(true)
    expect(await takeEach(ledger, store, 1)).toBe(0)
  })
})

describe('whatever answers when', () => {
  type Step =
    | { readonly kind: 'take'; readonly ledger: number; readonly callers: number }
    | { readonly kind: 'store'; readonly call: number; readonly ending: Ending }
    | { readonly kind: 'release'; readonly ledger: number }
    | { readonly kind: 'settle'; readonly ledger: number; readonly wait: number }
    | { readonly kind: 'limit'; readonly more: number }
    | { readonly kind: 'turns'; readonly turns: number }

  const ledgerIndex = fc.nat({ max: 2 })
  const kinds = {
    take: fc.record({
      kind: fc.constant('take' as const),
      ledger: ledgerIndex,
      callers: fc.integer({ min: 1, max: 12 }),
    }),
    release: fc.record({ kind: fc.constant('release' as const), ledger: ledgerIndex }),
    settle: fc.record({
      kind: fc.constant('settle' as const),
      ledger: ledgerIndex,
      wait: fc.constantFrom(0, 999, 1000, 9_999, 10_000, 20_000, EVERYTHING),
    }),
    limit: fc.record({ kind: fc.constant('limit' as const), more: fc.nat({ max: 300 }) }),
    turns: fc.record({ kind: fc.constant('turns' as const), turns: fc.nat({ max: 5 }) }),
  }
  const storeSteps = (...endings: readonly Ending[]) =>
    fc.record({ kind: fc.constant('store' as const), call: fc.nat({ max: 20 }), ending: fc.constantFrom(...endings) })
  const stepsOf = (...endings: readonly Ending[]): fc.Arbitrary<Step[]> =>
    fc.array(
      fc.oneof(
        { weight: 4, arbitrary: kinds.take },
        { weight: 6, arbitrary: storeSteps(...endings) },
        { weight: 1, arbitrary: kinds.release },
        { weight: 2, arbitrary: kinds.settle },
        { weight: 1, arbitrary: kinds.limit },
        { weight: 3, arbitrary: kinds.turns },
      ),
      { minLength: 5, maxLength: 60 },
    )
  const limits = fc.oneof(fc.nat({ max: 6 }), fc.integer({ min: 150, max: 2000 }))

  /** What the callers of three ledgers over one store have got. */
  class Run {
    readonly store: LateStore
    readonly ledgers = [new QuotaLedger(), new QuotaLedger(), new QuotaLedger()]
    /** Uses that callers of each ledger have and did not release. */
    readonly held = [0, 0, 0]
    readonly pending: Promise<unknown>[] = []
    refused = 0
    now = START

    constructor(limit: number) {
      this.store = new LateStore(limit)
    }

    get inUse(): number {
      return this.held.reduce((sum, each) => sum + each, 0)
    }

    get unused(): number {
      return this.ledgers.reduce((sum, ledger) => sum + ledger.unusedOf(BUDGET), 0)
    }

    #note(ledger: number, isTaken: boolean): void {
      if (isTaken) this.held[ledger] = (this.held[ledger] ?? 0) + 1
      else this.refused += 1
    }

    async play(step: Step): Promise<void> {
      const { store } = this
      if (step.kind === 'turns') await passTurns(step.turns)
      if (step.kind === 'store') store.step(step.call, step.ending)
      if (step.kind === 'limit') store.limit += step.more
      if (step.kind === 'take') {
        for (let caller = 0; caller < step.callers; caller++) {
          const taken = this.ledgers[step.ledger]?.take(store.budget(BUDGET), this.now) ?? false
          const noted = Promise.resolve(taken).then((isTaken) => this.#note(step.ledger, isTaken))
          this.pending.push(noted.catch(() => this.#note(step.ledger, false)))
        }
      }
      if (step.kind === 'release' && (this.held[step.ledger] ?? 0) > 0) {
        this.held[step.ledger] = (this.held[step.ledger] ?? 0) - 1
        this.ledgers[step.ledger]?.release(store.budget(BUDGET), store.version)
      }
      if (step.kind === 'settle') {
        if (step.wait !== EVERYTHING) this.now += step.wait
        const until = step.wait === EVERYTHING ? step.wait : this.now
        this.pending.push(this.ledgers[step.ledger]?.settle(until).catch(() => undefined) ?? Promise.resolve())
      }
    }

    finish(): Promise<void> {
      return this.store.serve(Promise.all(this.pending))
    }
  }

  test('nobody gets a use that storage does not count, and none is lost', async () => {
    await fc.assert(
      fc.asyncProperty(limits, stepsOf('answers'), async (limit, steps) => {
        const run = new Run(limit)
        for (const step of steps) {
          await run.play(step)
          expect(run.store.used).toBeLessThanOrEqual(run.store.limit)
          expect(run.inUse).toBeLessThanOrEqual(run.store.used)
        }
        await run.finish()
        expect(run.inUse + run.unused).toBeLessThanOrEqual(run.store.used)
        run.pending.push(...run.ledgers.map((ledger) => ledger.settle(EVERYTHING)))
        await run.finish()
        expect(run.store.used).toBe(run.inUse)
      }),
      { numRuns: 600 },
    )
  })
  test('nor when storage fails at times', async () => {
    await fc.assert(
      fc.asyncProperty(limits, stepsOf('answers', 'answers', 'answers', 'refuses', 'is lost'), async (limit, steps) => {
        const run = new Run(limit)
        for (const step of steps) {
          await run.play(step)
          expect(run.store.used).toBeLessThanOrEqual(run.store.limit)
          expect(run.inUse).toBeLessThanOrEqual(run.store.used)
        }
        await run.finish()
        expect(run.inUse + run.unused).toBeLessThanOrEqual(run.store.used)
      }),
      { numRuns: 300 },
    )
  })
})
