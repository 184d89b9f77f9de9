/** How long things took, counted by bounds: constant memory, and an addition costs a few comparisons. */
export class Distribution {
  /** ms, ascending. */
  readonly bounds: readonly number[]
  /** How many took no longer than each bound and longer than the one before; the last took longer than all. */
  readonly counts: readonly number[]
  readonly #counts: number[]
  #sum = 0

  /** @param bounds ms, ascending */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.#counts = new Array<number>(bounds.length + 1).fill(0)
    this.counts = this.#counts
  }

  /** ms that all took together. */
  get sum(): number {
    return this.#sum
  }

  /** @param elapsed ms */
  add(elapsed: number): void {
    const { bounds } = this
    let bucket = 0
    while (bucket < bounds.length && !(elapsed <= (bounds[bucket] ?? 0))) bucket += 1
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#sum += elapsed
  }
}
