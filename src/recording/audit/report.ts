/** What a verification is asked, and what it answers. */
import type { AuditMarkRecord } from '../../storage/records.ts'
import type { MacCheck } from './macs.ts'

export interface AuditProblem {
  readonly kind: 'changed' | 'missing' | 'inserted' | 'unverifiable' | 'head' | 'checkpoint'
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
  /** Of them, made under a secret that is not given: nothing can be said of these. */
  readonly unverifiable: number
  /** The newest event that has a place; null when it cannot be trusted. Note it elsewhere, and demand it with `atLeast`. */
  readonly head: AuditMarkView | null
  /** The newest of the events that were deleted for their age; null when there is none that can be trusted. */
  readonly checkpoint: AuditMarkView | null
  /** The first 100. */
  readonly problems: readonly AuditProblem[]
  /** All of them. */
  readonly problemCount: number
}

/** Hears how many events were gone through, of how many by what the log says of itself. */
export type OnProgress = (checked: number, expected: number) => void

export interface VerifyInput {
  /** The place that the log must have reached: a number that was noted from an earlier `head`. */
  readonly atLeast?: number | undefined
  /** How many events are accepted although they are of a secret that is lost. Default 0. */
  readonly unverifiable?: number | undefined
  /** Events, above which it is refused. Default: no bound. */
  readonly most?: number | undefined
  /** Gives it up. */
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

/** A mark, and what its MAC says. */
export interface CheckedMark {
  readonly mark: AuditMarkRecord
  readonly check: MacCheck
}

/** What there is in a log, whatever was expected of it. */
export interface Findings {
  readonly checked: number
  readonly unverifiable: number
  readonly firstUnverifiable: { readonly id: string; readonly sequence: number | null } | null
  readonly head: CheckedMark | null
  readonly checkpoint: CheckedMark | null
  /** The first and the last place where an event stands; null for none. */
  readonly places: { readonly first: number; readonly last: number } | null
  readonly problems: readonly AuditProblem[]
  readonly problemCount: number
}
