/**
 * What an answer says of the limits it counted for.
 *
 * @see draft-ietf-httpapi-ratelimit-headers-10
 */
import type { Reading } from './limiter.ts'
import type { Rate } from './rate.ts'

/** What the headers say of a limit on every request; made once. */
export interface LimitLabel {
  readonly name: string
  /** `"name";q=60;w=60`, for `RateLimit-Policy`. */
  readonly policy: string
  /** Before the number of units left, in `RateLimit`. */
  readonly state: string
  readonly limit: string
}

/** How one limit stands for one request. */
export interface Standing {
  readonly label: LimitLabel
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

/** @param rate its `window` in ms */
export function labelOf(name: string, { limit, window }: Pick<Rate, 'limit' | 'window'>): LimitLabel {
  return Object.freeze({
    name,
    policy: `"${name}";q=${limit};w=${seconds(window)}`,
    state: `"${name}";r=`,
    limit: String(limit),
  })
}

/** A refused one stops the caller first, else the one with the least left. */
function isTighter({ reading: one }: Standing, { reading: other }: Standing): boolean {
  if (one.isAllowed !== other.isAllowed) return !one.isAllowed
  return one.isAllowed ? one.remaining < other.remaining : waitOf(one) > waitOf(other)
}

function stateOf({ label, reading }: Standing): string {
  return `${label.state}${reading.remaining};t=${resetOf(reading)}`
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
  const first = standings[0]
  if (first === undefined || mode === false) return
  let tightest = first
  let policies = first.label.policy
  let states = mode === 'x' ? '' : stateOf(first)
  // By index: most answers tell of one limit, and what is not made costs nothing.
  for (let index = 1; index < standings.length; index += 1) {
    const standing = standings[index]
    if (standing === undefined) continue
    if (isTighter(standing, tightest)) tightest = standing
    if (mode === 'x') continue
    policies += `, ${standing.label.policy}`
    states += `, ${stateOf(standing)}`
  }
  if (mode !== 'x') {
    headers['ratelimit-policy'] = policies
    headers.ratelimit = states
  }
  if (mode !== 'ietf') {
    const { label, reading } = tightest
    headers['x-ratelimit-limit'] = label.limit
    headers['x-ratelimit-remaining'] = reading.remaining
    headers['x-ratelimit-reset'] = seconds(now) + resetOf(reading)
  }
}
