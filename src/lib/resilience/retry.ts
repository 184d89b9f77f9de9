/** Tries again what failed for a reason that passes. Of this folder alone: `cockatiel`. */
import { decorrelatedJitterGenerator, ExponentialBackoff, handleWhen, retry } from 'cockatiel'

export interface RetryOptions {
  /** How often it is tried again, at most. */
  readonly times: number
  /** ms of the first pause, about; each is longer than the one before, and none is the same in two processes. */
  readonly firstPause: number
  /** ms */
  readonly longestPause: number
  /** Whether a failure may pass; any other one is final. */
  readonly isWorth: (error: unknown) => boolean
}

/** Runs a call, again while that may help. */
export type Retry = <T>(call: () => Promise<T>) => Promise<T>

/**
 * Makes what tries calls again, with pauses that grow exponentially and vary by chance.
 *
 * @returns rejects as the last attempt did
 */
export function createRetry({ times, firstPause, longestPause, isWorth }: RetryOptions): Retry {
  const policy = retry(handleWhen(isWorth), {
    maxAttempts: times,
    backoff: new ExponentialBackoff({
      initialDelay: firstPause,
      maxDelay: longestPause,
      generator: decorrelatedJitterGenerator,
    }),
  })
  return (call) => policy.execute(call)
}
