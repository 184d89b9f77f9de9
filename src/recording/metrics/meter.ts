import type { ErrorCode } from '../../errors.ts'

/** How a request ended: let through, refused by us, refused by the app, or failed. */
export type RequestOutcome = 'allowed' | 'denied' | 'rejected' | 'failed'

export type CredentialName = 'apiKey' | 'jwt' | 'bearer' | 'session' | 'master'

/** What a request is told to, to be measured. Never waits, never throws. */
export interface RequestMeter {
  /** A guarded request. @param elapsed ms */
  request(outcome: RequestOutcome, elapsed: number): void
  /** Why it was refused. */
  denial(code: ErrorCode): void
  /** A credential that was presented to a guard. */
  authentication(kind: CredentialName | 'none', isAccepted: boolean): void
}
