/** What takes long to read and may be some seconds old. */
import type { Clock } from './clock.ts'

/** ms that it is remembered at least. */
const SHORTEST = 5000
/** Times as long as it took to read: then reading it, however often it is asked for, is a twentieth of the time at most. */
const FACTOR = 20

export class Remembered<T> {
  readonly #read: () => Promise<T>
  readonly #clock: Clock
  #reading: Promise<T> | null = null
  #last: { readonly value: T; readonly from: number; readonly until: number } | null = null

  /** @param clock epoch ms; when it is set back, what was read is not trusted */
  constructor(read: () => Promise<T>, clock: Clock) {
    this.#read = read
    this.#clock = clock
  }

  /** One reading at a time, for all who ask meanwhile. Rejects as the reading does, which is then not remembered. */
  get(): Promise<T> {
    const now = this.#clock()
    const last = this.#last
    if (last !== null && now >= last.from && now < last.until) return Promise.resolve(last.value)
    this.#reading ??= this.#readOnce(now).finally(() => {
      this.#reading = null
    })
    return this.#reading
  }

  async #readOnce(began: number): Promise<T> {
    const value = await this.#read()
    const from = this.#clock()
    this.#last = { value, from, until: from + Math.max(SHORTEST, FACTOR * (from - began)) }
    return value
  }
}
