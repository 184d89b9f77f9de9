/**
 * What an answer says of the limits it counted for.
 *
 * @see draft-ietf-httpapi-ratelimit-headers-10
 */
import type { Reading } from './limiter.ts'

/** How one limit stands for one request. */
export interface Standing {
  /** `"name";q=60;w=60`: the same for every request. */
  readonly policy: string
  readonly name: string
  readonly reading: Reading
}

export type LimitHeaders = 'both' | 'ietf' | 'x' | false

function seconds(ms: number): number {
  return Math.ceil(ms / 1000)
}

/** ms until the same request may be tried again; a window where it costs more than there ever is. */
export function waitOf({ retryAfter, rate }: Reading): number {
  return Number.isFinite(retryAfter) ? retryAfter : rate.window
}

/** Seconds until everything is available again, or, of a refused request, until it may be tried again. */
function resetOf(reading: Reading): number {
  return seconds(reading.isAllowed ? reading.resetAfter : waitOf(reading))
}

/**
 * Writes a limit for `RateLimit-Policy`.
 *
 * @param quantity.window ms
 */
export function describePolicy(name: string, quantity: { readonly limit: number; readonly window: number }): string {
  return `"${name}";q=${quantity.limit};w=${seconds(quantity.window)}`
}

/** The one that stops the caller first: a refused one, else the one with the least left. */
function tightest(standings: readonly [Standing, ...Standing[]]): Reading {
  let [{ reading }] = standings
  for (const { reading: other } of standings) {
    if (reading.isAllowed !== other.isAllowed ? !other.isAllowed : isTighter(other, reading)) reading = other
  }
  return reading
}

function isTighter(one: Reading, other: Reading): boolean {
  if (!one.isAllowed) return one.retryAfter > other.retryAfter
  return one.remaining < other.remaining
}

/**
 * Writes the headers of an answer.
 *
 * `X-RateLimit-Reset` is in epoch seconds, as most services that send it have it; `t` of `RateLimit` counts from now.
 *
 * @param now epoch ms
 */
export function writeLimitHeaders(
  headers: Record<string, string | number | undefined>,
  standings: readonly Standing[],
  mode: LimitHeaders,
  now: number,
): void {
  const [first, ...others] = standings
  if (first === undefined || mode === false) return
  if (mode !== 'x') {
    let policies = first.policy
    let states = `"${first.name}";r=${first.reading.remaining};t=${resetOf(first.reading)}`
    for (const { policy, name, reading } of others) {
      policies += `, ${policy}`
      states += `, "${name}";r=${reading.remaining};t=${resetOf(reading)}`
    }
    headers['ratelimit-policy'] = policies
    headers.ratelimit = states
  }
  if (mode !== 'ietf') {
    const reading = others.length === 0 ? first.reading : tightest([first, ...others])
    headers['x-ratelimit-limit'] = String(reading.rate.limit)
    headers['x-ratelimit-remaining'] = String(reading.remaining)
    headers['x-ratelimit-reset'] = String(seconds(now) + resetOf(reading))
  }
}
