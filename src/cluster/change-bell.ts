/** Tells other processes at once of what was revoked. The log of changes is read all the same: a bell may be missed. */
import type { ChangeRecord } from '../storage/records.ts'

export type Change = Pick<ChangeRecord, 'kind' | 'subject'>

export interface ChangeBell {
  /** Begins to hear others; tries again for as long as that fails. Never throws. */
  start(onChange: (change: Change) => void): void
  /** Tells others of what was committed here. Never throws, and waits for nothing. */
  ring(change: Change): void
  /** Whether others are heard just now. */
  readonly isHeard: boolean
  stop(): Promise<void>
}
