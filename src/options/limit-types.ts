/** Limits, as an app gives them. */
import type { DurationInput } from '../lib/duration.ts'

export type LimitStrategy = 'sliding-window' | 'sliding-window-counter' | 'token-bucket'

/** What `by` and `cost` of a limit may look at. The body is not read yet. */
export interface LimitContext {
  readonly request: Request
  /** The route's pattern, such as `/posts/:id`; null where no route is known. */
  readonly route: string | null
  readonly params: Readonly<Record<string, string | undefined>>
  /** The client's address, or null where nobody can tell. */
  readonly address: string | null
  /** Whom the request's credential speaks for; null for nobody, or a wrong credential. */
  readonly principal: {
    readonly kind: 'apiKey' | 'jwt' | 'bearer' | 'session' | 'master'
    readonly id: string
    readonly userId: string | null
    readonly organizationId: string | null
  } | null
}

/** Who is counted as one. Who has no key, user or organization is counted by address. */
export type LimitSubject = 'ip' | 'apiKey' | 'user' | 'organization' | ((context: LimitContext) => string)

interface LimitScope {
  /** Default `'ip'`. */
  readonly by?: LimitSubject
  /** `'path'`: each path counts for itself. `'global'`: all routes with this limit count together. Default `'path'`. */
  readonly scope?: 'path' | 'global'
  /** Its name in the `RateLimit` headers: letters, digits, `-`, `_`. */
  readonly name?: string
}

/** At most `limit` units in any `window`. */
export interface RatePolicy extends LimitScope {
  /** 1 to 1,000,000,000. */
  readonly limit: number
  /** As text or seconds, above zero. */
  readonly window: DurationInput
  /** Default: the option `rateLimit.strategy`. */
  readonly strategy?: LimitStrategy
  /** Token bucket only: how many units can come at once. Default: the limit. */
  readonly burst?: number
  /** Units of a request: a whole number from 0 to the limit. Default 1. */
  readonly cost?: number | ((context: LimitContext) => number)
  /** Who exceeds the limit is locked out: for a duration, or until a time of day such as `'16:00'` or `'4:00 PM'`. */
  readonly lockout?: DurationInput
  /** IANA time zone of a lockout until a time of day. Default `'UTC'`. */
  readonly timeZone?: string
  /** With `by: 'apiKey'`: on its routes it takes the place of each key's own limit. Quotas and credits still count. */
  readonly override?: true
}

/** At most `concurrent` requests under way at once. */
export interface ConcurrencyPolicy extends LimitScope {
  readonly concurrent: number
}

/** One limit, or several that a request must all stay under: then it counts for all of them or for none. */
export type LimitPolicy = RatePolicy | ConcurrencyPolicy
export type RateLimitInput = LimitPolicy | readonly LimitPolicy[]
