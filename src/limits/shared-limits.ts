/** Counts that several processes share: what they must do, wherever they are. */
import type { Claim, Reading } from './limiter.ts'
import type { Rate } from './rate.ts'

/** A claim that can be told apart from others in every process. */
export interface SharedClaim extends Claim {
  /** Names the limit: the same in every process of an app, different for every two limits. */
  readonly place: string
}

export interface SharedReading extends Reading {
  /**
   * Whether a share of the limit was used up and not, as far as is known, the limit: it is refused for now, and nobody
   * has done more than he may.
   */
  readonly isOfShare?: boolean
}

/**
 * One decision about a list of claims; `undefined` where nothing is known of one, because another one was known to be
 * refused and nobody was asked.
 */
export type SharedReadings = readonly (SharedReading | undefined)[]

/** Of one request: whoever has waited in vain once does not wait again. */
export interface Patience {
  /** Whether shared counts did not answer it: what it asks from then on is decided without them. */
  isOver: boolean
}

/** How decisions came about, since the start. */
export interface SharedLimitFigures {
  /** Decided by the shared counts. */
  readonly shared: number
  /** Refused without asking, because whoever came was known to be over his limit. */
  readonly remembered: number
  /** Decided in this process, because the shared counts were away or there was no time to ask them. */
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
  /** Notes a limit that lasts as long as the app: one of a route, and not of a key or a handler. */
  declare(place: string, rate: Rate): void
  /**
   * Takes every claim when all fit, else none, as `hitAll` of one process does, for all processes together. At once
   * where a claim is known to be refused.
   *
   * @param now epoch ms of this process: when what is remembered ends; the counts go by a clock of their own
   * @param patience of the request that it is for
   */
  hitAll(claims: readonly SharedClaim[], now: number, patience?: Patience): SharedReadings | Promise<SharedReadings>
  /**
   * As `hitAll`, for whom nobody could ask ahead and who cannot wait: by what is remembered, else by this process's
   * share of each limit. The shared counts are told in the background, so every process hears of it, and a refusal that
   * comes back is remembered. All that is let in so is one share for each process at most, besides the limit.
   *
   * @throws MachineAuthError `storage_unavailable` where the app wants no limits without shared counts, and they are
   * known to be away
   */
  hitNow(claims: readonly SharedClaim[], now: number): SharedReadings
  /** What is remembered, asking nobody and taking nothing; null when no claim is known to be refused. */
  recall(claims: readonly SharedClaim[], now: number): SharedReadings | null
  /** How a subject stands, taking nothing; null when the shared counts are away. */
  read(claim: SharedClaim): Promise<Reading | null>
  /**
   * Counts one more under way, unless there are so many in all processes together.
   *
   * @param place names the limit, `subject` whom it counts
   * @returns ends it, once; null when there are too many
   */
  enter(place: string, subject: string, most: number, patience?: Patience): Promise<(() => void) | null>
  /**
   * As `enter`, for who cannot wait: while this process has less than its share under way. The shared counts hear of it
   * as long as it lasts, a little later.
   *
   * @throws as `hitNow`
   */
  enterNow(place: string, subject: string, most: number): (() => void) | null
  /**
   * Lets a subject start anew at every limit that this process has counted for. Shared counts that are away are told
   * when they are back, unless that takes longer than a minute.
   */
  forget(subject: string): void
  readonly figures: SharedLimitFigures
  stop(): Promise<void>
}
