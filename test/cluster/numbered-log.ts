/** A log of changes as PostgreSQL keeps one: numbers are taken in order, and seen when their transactions commit. */
import type { ChangeStore } from '../../src/storage/ports/changes.ts'
import type { ChangeRecord } from '../../src/storage/records.ts'

const rowOf = (sequence: number): ChangeRecord => ({ sequence, at: 0, kind: 'key', subject: String(sequence) })

export class NumberedLog {
  #taken = 0
  #pruned = 0
  #committed = new Set<number>()
  /** Where each look began to read, and how many rows it got. */
  readonly reads: { readonly from: number; readonly rows: number }[] = []
  /** Runs between the two statements of a start. */
  betweenStatements: () => void = () => undefined

  get committed(): readonly number[] {
    return [...this.#committed].filter((sequence) => sequence > this.#pruned).sort((a, b) => a - b)
  }

  take(count = 1): number {
    this.#taken += count
    return this.#taken
  }

  commit(sequence: number): void {
    this.#committed.add(sequence)
  }

  /** One change that is taken and committed at once. */
  write(): number {
    const sequence = this.take()
    this.commit(sequence)
    return sequence
  }

  /** Deletes what is below a number. */
  prune(below: number): void {
    this.#pruned = below - 1
  }

  /** As it was when `sequence` was its newest. */
  restore(sequence: number): void {
    this.#committed = new Set([...this.#committed].filter((each) => each <= sequence))
    this.#taken = sequence
  }

  /** What one process sees of it; `onRead` is told all that was visible to a statement. */
  open(version: () => number | null = () => null, onRead = (_visible: readonly number[]) => {}): ChangeStore {
    return {
      version,
      latest: async () => {
        const latest = this.committed.at(-1) ?? 0
        this.betweenStatements()
        return latest
      },
      since: async (from) => {
        const visible = this.committed
        onRead(visible)
        const changes = visible.filter((sequence) => sequence > from).map(rowOf)
        this.reads.push({ from, rows: changes.length })
        return { changes, complete: from >= (visible[0] ?? 1) - 1 && from <= (visible.at(-1) ?? 0) }
      },
      prune: async () => undefined,
    }
  }
}
