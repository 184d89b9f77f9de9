/** Storage as the ledger sees it: claims happen at one moment each, and are heard of at another. */
import type { Budget, Claimed } from '../../src/limits/quota-ledger.ts'

/** Lets a number of microtasks pass: promises settle in steps, and between any two of them something else may run. */
export async function passTurns(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await null
}

/** How a verb of the store ends: it may fail before it did anything, or after. */
export type Ending = 'answers' | 'refuses' | 'is lost'

interface Call {
  readonly name: 'claim' | 'giveBack'
  readonly amount: number
  /** Null until it has acted. */
  answer: (() => void) | null
  act(): () => void
  fail(): void
}

export class LateStore {
  limit: number
  used = 0
  /** Moves when it is given another number. */
  version = 0
  /** When there will be more, ms. */
  refill: number | null = null
  /** The amounts of all claims, in the order they were made. */
  readonly claims: number[] = []
  readonly gaveBack: number[] = []
  #calls: Call[] = []

  constructor(limit: number) {
    this.limit = limit
  }

  get waiting(): number {
    return this.#calls.length
  }

  /** A budget on this count, for a ledger that believes in a limit (the store's when left out). */
  budget(id = 'budget', limit = () => this.limit): Budget {
    return {
      id,
      limit: null,
      nextRefill: () => this.refill,
      claim: (amount) => this.#call('claim', amount, () => this.#claim(amount, limit())),
      giveBack: (amount, version) => this.#call('giveBack', amount, () => this.#giveBack(amount, version)),
    }
  }

  #claim(amount: number, limit: number): Claimed | null {
    this.claims.push(amount)
    if (this.used + amount > limit) return null
    this.used += amount
    return { left: limit - this.used, version: this.version }
  }

  #giveBack(amount: number, version: number): void {
    if (version !== this.version) return
    this.gaveBack.push(amount)
    this.used = Math.max(0, this.used - amount)
  }

  #call<T>(name: Call['name'], amount: number, act: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#calls.push({
        name,
        amount,
        answer: null,
        act() {
          const result = act()
          return () => resolve(result)
        },
        fail: () => reject(new Error('storage is away')),
      })
    })
  }

  /** One step of one call: it acts, or, when it has, its caller hears of it. */
  step(index: number, ending: Ending = 'answers'): void {
    const call = this.#calls[index % this.#calls.length]
    if (call === undefined) return
    if (call.answer === null && ending !== 'refuses') {
      call.answer = call.act()
      if (ending === 'answers') return
    }
    this.#calls = this.#calls.filter((each) => each !== call)
    if (ending === 'answers') call.answer?.()
    else call.fail()
  }

  /** Answers everything that is asked, also what is asked because of an answer. */
  async drain(ending: Ending = 'answers'): Promise<void> {
    do {
      this.step(0, ending)
      await passTurns(20)
    } while (this.#calls.length > 0)
  }

  /** Answers until some work is done. */
  async serve(work: Promise<unknown>): Promise<void> {
    let isDone = false
    const done = () => {
      isDone = true
    }
    work.then(done, done)
    while (!isDone) await this.drain()
    await work
  }
}
