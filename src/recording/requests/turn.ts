/** Work in turns: after a few milliseconds of it, requests come first. */
import { breathe } from '../../lib/breathe.ts'

/** ms */
const LONGEST = 3

export class Turn {
  #start = performance.now()

  /** Whether it has lasted long enough for others to wait no longer. */
  get isOver(): boolean {
    return performance.now() - this.#start > LONGEST
  }

  /** Lets others have theirs, once this one is over. */
  async rest(): Promise<void> {
    if (!this.isOver) return
    await breathe()
    this.#start = performance.now()
  }
}
