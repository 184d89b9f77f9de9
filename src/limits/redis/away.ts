/** What is said, and answered, when Redis does not decide. */
import { MachineAuthError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'

/** ms between two warnings. */
const PAUSE = 60_000
/** Characters of what Redis said. */
const MOST_SAID = 200

/** The link warns of these itself. */
const AWAY = 'RedisAwayError'

/** Whether Redis is not there, and did not refuse what it was asked. */
export function isRedisAway(error: unknown): boolean {
  return error instanceof Error && error.name === AWAY
}

export class AwayWarnings {
  readonly #warn: (message: string) => void
  readonly #clock: Clock
  #last = Number.NEGATIVE_INFINITY

  constructor(warn: (message: string) => void, clock: Clock) {
    this.#warn = warn
    this.#clock = clock
  }

  /** Says why Redis decides nothing though it is there: a mistake of ours, no memory, a replica that only reads. */
  note(error: unknown): void {
    if (isRedisAway(error)) return
    const now = this.#clock()
    if (now >= this.#last && now - this.#last < PAUSE) return
    this.#last = now
    const said = error instanceof Error ? error.message : String(error)
    this.#warn(`Redis does not decide about shared limits: ${said.slice(0, MOST_SAID)}`)
  }
}

export function sharedLimitsAway(): MachineAuthError {
  const detail = 'The shared limits do not answer; try again.'
  return new MachineAuthError('storage_unavailable', { detail, retryable: true, retryAfter: 1 })
}
