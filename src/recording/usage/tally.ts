/** Counts requests in memory: the same requests in the same order always make the same counters in the same order. */
import { LATENCY_BUCKETS, latencyBucket } from '../../lib/latency.ts'
import { HOUR, MINUTE } from '../../lib/time-units.ts'
import { ALL_KEYS } from '../../storage/ports/usage.ts'
import { type Chained, LabelIndex } from './labels.ts'

/** Requests that are counted together. */
export class TallyCounter implements Chained<TallyCounter> {
  readonly keyId: string
  readonly organizationId: string
  readonly method: string
  readonly route: string
  readonly status: number
  /** Epoch ms at which its hour began; where all requests are counted together, its minute. */
  readonly start: number
  next: TallyCounter | null = null
  requests = 0
  /** µs that they took together. */
  duration = 0
  /** Epoch ms at which its key was accepted last; 0 for never. */
  usedAt = 0
  /** How many fell into each bucket of `lib/latency.ts`. */
  readonly latencies: number[] = new Array<number>(LATENCY_BUCKETS).fill(0)

  constructor(keyId: string, organizationId: string, method: string, route: string, status: number, start: number) {
    this.keyId = keyId
    this.organizationId = organizationId
    this.method = method
    this.route = route
    this.status = status
    this.start = start
  }

  add(duration: number, bucket: number): void {
    this.requests += 1
    this.duration += duration
    this.latencies[bucket] = (this.latencies[bucket] ?? 0) + 1
  }
}

export class Tally {
  readonly #limit: number
  /** Of the hour that is counted; with it begins a new one. */
  #index = new LabelIndex<TallyCounter>()
  #hour = 0
  /** Of the minute that is counted, by status. */
  #together: TallyCounter[] = []
  #minute = 0
  /** In order of their first request. */
  readonly counters: TallyCounter[] = []
  /** All requests together by minute and status, in order of their first request. */
  readonly overall: TallyCounter[] = []
  requests = 0

  /** @param limit counters that it holds at most */
  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.counters.length + this.overall.length
  }

  /**
   * @param duration µs, a whole number
   * @param at epoch ms
   * @param isUse whether its key was accepted
   * @returns whether there was room for it
   */
  count(
    keyId: string,
    organizationId: string,
    method: string,
    route: string,
    status: number,
    duration: number,
    at: number,
    isUse = false,
  ): boolean {
    if (at < this.#hour || at >= this.#hour + HOUR) this.#beginHour(at)
    if (at < this.#minute || at >= this.#minute + MINUTE) this.#beginMinute(at)
    const counter =
      this.#index.find(keyId, organizationId, method, route, status) ??
      this.#make(keyId, organizationId, method, route, status)
    if (counter === null) return false
    const bucket = latencyBucket(duration / 1000)
    counter.add(duration, bucket)
    if (isUse) counter.usedAt = at
    this.#ofStatus(status).add(duration, bucket)
    this.requests += 1
    return true
  }

  #beginHour(at: number): void {
    this.#hour = at - (at % HOUR)
    this.#index = new LabelIndex()
  }

  #beginMinute(at: number): void {
    this.#minute = at - (at % MINUTE)
    this.#together = []
  }

  #make(keyId: string, organizationId: string, method: string, route: string, status: number): TallyCounter | null {
    if (this.size >= this.#limit) return null
    const counter = new TallyCounter(keyId, organizationId, method, route, status, this.#hour)
    this.#index.add(counter)
    this.counters.push(counter)
    return counter
  }

  /** Not held to the limit: there are few statuses, and a request that found its counter must be in both. */
  #ofStatus(status: number): TallyCounter {
    for (const counter of this.#together) if (counter.status === status) return counter
    // Of all requests together nothing is told apart but the status.
    const counter = new TallyCounter(ALL_KEYS, '', '', '', status, this.#minute)
    this.#together.push(counter)
    this.overall.push(counter)
    return counter
  }
}
