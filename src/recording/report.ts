/** What a verification is asked, and what it answers. */

export interface AuditProblem {
  readonly kind: 'changed' | 'missing' | 'inserted' | 'head' | 'checkpoint'
  readonly sequence?: number
  /** Of the event. */
  readonly id?: string
  readonly detail: string
}

/** How far the log goes. `at` is RFC 3339 UTC. */
export interface AuditMarkView {
  readonly sequence: number
  readonly at: string
}

export interface AuditVerification {
  /** Whether no problem was found. */
  readonly ok: boolean
  /** Events gone through. */
  readonly checked: number
  /** Of them, made under a secret that is no longer given: nothing can be said of these. */
  readonly unverifiable: number
  /** The newest event that has a place; null when it cannot be trusted. Note it elsewhere, and demand it with `atLeast`. */
  readonly head: AuditMarkView | null
  /** The newest of the events that were deleted for their age. */
  readonly checkpoint: AuditMarkView | null
  /** The first 100. */
  readonly problems: readonly AuditProblem[]
  /** All of them. */
  readonly problemCount: number
}

export interface VerifyInput {
  /** The place that the log must have reached: a number that was noted from an earlier `head`. */
  readonly atLeast?: number | undefined
  /** Hears how many events were gone through. */
  readonly onProgress?: ((checked: number) => void) | undefined
}
