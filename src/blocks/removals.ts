/** What was removed while answers about it were under way: one that comes late must not bring it back. */

/** An answer of storage that is under way. */
export interface Pending {
  /** Whether a block was removed since this was asked. */
  isRemoved(id: string): boolean
  /** Once, when the answer is there and was used. */
  end(): void
}

export class Removals {
  #pending = 0
  #count = 0
  /** By id, the number of its last removal; kept only while an answer is under way. */
  readonly #removed = new Map<string, number>()

  get size(): number {
    return this.#removed.size
  }

  begin(): Pending {
    const before = this.#count
    this.#pending += 1
    return {
      isRemoved: (id) => (this.#removed.get(id) ?? 0) > before,
      end: () => {
        this.#pending -= 1
        if (this.#pending === 0) this.#removed.clear()
      },
    }
  }

  note(id: string): void {
    if (this.#pending === 0) return
    this.#count += 1
    this.#removed.set(id, this.#count)
  }
}
