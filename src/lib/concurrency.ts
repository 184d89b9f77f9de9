/** Bounds how much expensive work (password hashing) runs and waits at once. */

/** Thrown when a semaphore runs and queues as much as it may: try again later. */
export class SemaphoreFullError extends Error {
  override readonly name = 'SemaphoreFullError'

  constructor() {
    super('Too much work of this kind is waiting. Try again later.')
  }
}

export interface Semaphore {
  /**
   * Runs a task when its turn comes, first come, first served.
   *
   * @throws SemaphoreFullError (by rejection, without starting the task) when the queue is full
   */
  run<T>(task: () => Promise<T>): Promise<T>
  /** Tasks under way. */
  readonly running: number
  /** Tasks waiting for their turn. */
  readonly waiting: number
}

/**
 * Creates a bounded semaphore.
 *
 * @param max tasks that run at once, at least 1
 * @param maxQueued tasks that may wait, 0 or more
 */
export function createSemaphore(max: number, maxQueued: number): Semaphore {
  if (!Number.isInteger(max) || max < 1) throw new RangeError('A semaphore lets at least one task run')
  if (!Number.isInteger(maxQueued) || maxQueued < 0) throw new RangeError('The queue of a semaphore is not negative')
  const queue: (() => void)[] = []
  let running = 0

  async function enter(): Promise<void> {
    if (running < max) {
      running += 1
      return
    }
    if (queue.length >= maxQueued) throw new SemaphoreFullError()
    // The slot is handed over by leave(), so that no newcomer can take it in between.
    await new Promise<void>((resolve) => queue.push(resolve))
  }

  function leave(): void {
    const next = queue.shift()
    if (next === undefined) running -= 1
    else next()
  }

  return {
    async run(task) {
      await enter()
      try {
        return await task()
      } finally {
        leave()
      }
    },
    get running() {
      return running
    },
    get waiting() {
      return queue.length
    },
  }
}
