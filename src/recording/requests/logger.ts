import type { ErrorCode } from '../../errors.ts'

/** What was found out of a request by the time it is answered. */
export interface RequestFacts {
  readonly requestId: string
  /** The route's pattern; null where none was found. */
  readonly route: string | null
  readonly status: number
  /** ms */
  readonly elapsed: number
  readonly address: string | null
  /** The kind of credential that was verified; null for none. */
  readonly credential: string | null
  readonly keyId: string | null
  readonly userId: string | null
  readonly organizationId: string | null
  readonly code: ErrorCode | null
}

/** What a request is told to, to be logged. Never throws. */
export interface RequestLogger {
  /** Sees a request before anything reads it. @returns writes the entry, once the answer is known and before it is sent */
  begin(request: Request): (facts: RequestFacts, answer: Response | null) => void
}
