/** Counts that several processes share: what they must do, wherever they are. */
import type { Claim, Reading } from './limiter.ts'

/** A claim that can be told apart from others in every process. */
export interface SharedClaim extends Claim {
  /** Names the limit: the same in every process of an app, different for every two limits. */
  readonly place: string
}

/**
 * One decision about a list of claims; `undefined` where nothing is known of one, because another one was known to be
 * refused and nobody was asked.
 */
export type SharedReadings = readonly (Reading | undefined)[]

/** How decisions came about, since the start. */
export interface SharedLimitFigures {
  /** Decided by the shared counts. */
  readonly shared: number
  /** Refused without asking, because whoever came was known to be over his limit. */
  readonly remembered: number
  /** Decided in this process, because the shared counts were away. */
  readonly local: number
  /** Answered 503, because the shared counts were away and the app wants that. */
  readonly unavailable: number
  /** How many processes the shares of limits are made for. */
  readonly processes: number
}

/**
 * Never rejects for what is not its caller's fault, but where the app wants requests to be refused without shared
 * counts: then with `storage_unavailable`.
 */
export interface SharedLimits {
  /**
   * Takes every claim when all fit, else none, as `hitAll` of one process does, for all processes together. At once
   * where a claim is known to be refused.
   *
   * @param now epoch ms of this process: when what is remembered ends; the counts go by a clock of their own
   */
  hitAll(claims: readonly SharedClaim[], now: number): SharedReadings | Promise<SharedReadings>
  /** How a subject stands, taking nothing; null when the shared counts are away. */
  read(claim: SharedClaim): Promise<Reading | null>
  /**
   * Counts one more under way, unless there are so many in all processes together.
   *
   * @param place names the limit, `subject` whom it counts
   * @returns ends it, once; null when there are too many
   */
  enter(place: string, subject: string, most: number): Promise<(() => void) | null>
  /** Lets a subject start anew at every limit that this process has counted for. */
  forget(subject: string): void
  readonly figures: SharedLimitFigures
  stop(): Promise<void>
}
