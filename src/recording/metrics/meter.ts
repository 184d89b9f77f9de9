/** What is counted as it happens, by names of closed tables. Whoever tells it never waits, and nothing here throws. */
import { ERROR_CODES, type ErrorCode, statusOf } from '../../errors.ts'

export const REQUEST_OUTCOMES = ['allowed', 'denied', 'rejected', 'failed'] as const
/** How a request ended: let through, refused for whoever asked, refused for what he asked, or failed. */
export type RequestOutcome = (typeof REQUEST_OUTCOMES)[number]

export const CREDENTIAL_NAMES = ['apiKey', 'jwt', 'bearer', 'session', 'master'] as const
export type CredentialName = (typeof CREDENTIAL_NAMES)[number]

/** Codes that say no to whoever asks; others, such as `not_found`, say no to what he asks for. */
export const DENIAL_CODES: ReadonlySet<ErrorCode> = new Set(
  ERROR_CODES.filter((code) => code === 'request_malformed' || [401, 403, 429].includes(statusOf(code))),
)

/** What a request is told to, to be measured. */
export interface RequestMeter {
  /** A guarded request. @param elapsed ms */
  request(outcome: RequestOutcome, elapsed: number): void
  /** Why it was denied. @param code one of `DENIAL_CODES` */
  denial(code: ErrorCode): void
  /** A credential that was presented to a guard; `none` where nothing was. */
  authentication(kind: CredentialName | 'none', isAccepted: boolean): void
}

/** Limits that let some through and refuse others. */
export const COUNTING_LIMITS = [
  'key',
  'route',
  'default',
  'handler',
  'concurrency',
  'quota',
  'credits',
  'login',
  'master_key',
] as const
/** What keeps out and counts nobody else: a block made by hand, one for wrong credentials, one that a limit began. */
export const BLOCKING_LIMITS = ['block', 'abuse', 'lockout'] as const

export type LimitName = (typeof COUNTING_LIMITS)[number] | (typeof BLOCKING_LIMITS)[number]

/** What limits tell their decisions to. */
export interface LimitMeter {
  decision(limit: LimitName, isAllowed: boolean): void
}
