/** How many requests of each subject are under way. Whoever has none takes no room. */
export class InFlight {
  readonly #counts = new Map<string, number>()

  get size(): number {
    return this.#counts.size
  }

  /** Enters unless `most` are under way already; answers whether it did. Everyone who enters must leave. */
  enter(subject: string, most: number): boolean {
    const count = this.#counts.get(subject) ?? 0
    if (count >= most) return false
    this.#counts.set(subject, count + 1)
    return true
  }

  leave(subject: string): void {
    const count = this.#counts.get(subject) ?? 0
    if (count <= 1) this.#counts.delete(subject)
    else this.#counts.set(subject, count - 1)
  }
}
