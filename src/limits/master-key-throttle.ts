/** Slows down who guesses the master key: after a few wrong ones his address waits, whatever it presents. */
import type { Clock } from '../lib/clock.ts'
import type { LimitMeter } from '../recording/metrics/meter.ts'
import { Limiter } from './limiter.ts'
import { MirroredLimiter, type OnExhausted } from './mirrored-limiter.ts'
import { createRate } from './rate.ts'
import type { SharedLimits } from './shared-limits.ts'
import { strangersRate } from './strangers.ts'
import { addressSubject } from './subjects.ts'

/** A wrong master key, as it is written down. */
export interface WrongMasterKey {
  /** Null where nobody can tell. */
  readonly address: string | null
  readonly requestId: string
  /** Whether it was the last one: from now on the address waits. */
  readonly isLast: boolean
}

export interface MasterKeyThrottleOptions {
  readonly clock: Clock
  /** How many addresses are remembered at most. */
  readonly capacity: number
  /** Writes a wrong key down; must not reject. */
  readonly note: (wrong: WrongMasterKey) => Promise<void>
  /** Null where nobody measures. */
  readonly meter: LimitMeter | null
  /** Null where each process counts alone. */
  readonly shared?: SharedLimits | null
}

/** Wrong keys of one address in a minute. No option: who holds the right one needs no second try. */
const RATE = createRate({ limit: 5, window: 60_000 })
/** So many notes may wait for storage; those beyond that are not written. */
const MOST_WRITING = 1000
const STRANGERS = 'strangers'

export class MasterKeyThrottle {
  readonly #clock: Clock
  readonly #note: MasterKeyThrottleOptions['note']
  readonly #meter: LimitMeter | null
  readonly #wrong: MirroredLimiter
  readonly #ofStrangers: Limiter
  readonly #writing = new Set<Promise<void>>()

  constructor({ clock, capacity, note, meter, shared = null }: MasterKeyThrottleOptions) {
    this.#clock = clock
    this.#note = note
    this.#meter = meter
    this.#wrong = new MirroredLimiter({ rate: RATE, capacity, place: 'master-key', shared, clock })
    this.#ofStrangers = new Limiter(strangersRate(RATE, capacity), 1)
  }

  /**
   * Counts an attempt if it is wrong and its turn.
   *
   * Where processes share counts, each learns from the first wrong key that it looks at itself what the others counted:
   * an address that guesses at all of them gets five looks, and one more at each process after that.
   *
   * @param address of the client; null, where nobody can tell, is one address shared by all
   * @returns ms that the address must wait, for a right key too if it guessed itself; 0 when the attempt counts as what it is
   */
  attempt(isRight: boolean, address: string | null, requestId: string): number {
    const wait = this.#count(isRight, address, requestId)
    this.#meter?.decision('master_key', wait === 0)
    return wait
  }

  #count(isRight: boolean, address: string | null, requestId: string): number {
    const subject = addressSubject(address)
    const now = this.#clock()
    const reading = isRight
      ? this.#wrong.read(subject, now)
      : this.#wrong.hit(subject, now, 1, this.#wrong.isShared ? this.#onExhausted(address, requestId) : undefined)
    if (!reading.isAllowed) {
      return this.#wrong.isOwn(subject) ? reading.retryAfter : this.#attemptAsStranger(isRight, reading.retryAfter, now)
    }
    if (!isRight) this.#write({ address, requestId, isLast: reading.remaining === 0 })
    return 0
  }

  /** Writes a wrong key down once more, as the last one, where it shows only later that it was. */
  #onExhausted(address: string | null, requestId: string): OnExhausted {
    return () => this.#write({ address, requestId, isLast: true })
  }

  /**
   * Others got wrong what is counted for an address that there was no room for: its right key goes through, as long as
   * not everybody without a room has guessed too much together.
   */
  #attemptAsStranger(isRight: boolean, retryAfter: number, now: number): number {
    if (isRight) return this.#ofStrangers.read(STRANGERS, now).retryAfter
    return Math.max(retryAfter, this.#ofStrangers.hit(STRANGERS, now).retryAfter)
  }

  #write(wrong: WrongMasterKey): void {
    if (this.#writing.size >= MOST_WRITING) return
    const writing = this.#note(wrong)
    this.#writing.add(writing)
    void writing.finally(() => this.#writing.delete(writing))
  }

  /** Resolves when all that was noted is written. */
  async settle(): Promise<void> {
    await Promise.all(this.#writing)
  }
}
