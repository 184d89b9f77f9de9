/** The last ms of each waiting, in which an answer that has arrived is read. */
const READING = 5

/**
 * Calls when somebody has waited for so long in vain. A process that was held up reads what came meanwhile first, before
 * it calls anybody silent: timers come before sockets.
 *
 * @param patience ms
 * @returns ends the waiting; may be called also when it is over
 */
export function afterWaiting(patience: number, giveUp: () => void): () => void {
  const reading = Math.min(READING, patience)
  let timer = setTimeout(() => {
    timer = setTimeout(giveUp, reading)
  }, patience - reading)
  return () => clearTimeout(timer)
}

/**
 * Waits for something, but not longer than that.
 *
 * @param patience ms
 * @returns whether it came to an end in time; rejects as it does
 */
export async function within(patience: number, awaited: Promise<unknown>): Promise<boolean> {
  const late = Promise.withResolvers<false>()
  const end = afterWaiting(Math.max(0, patience), () => late.resolve(false))
  try {
    return await Promise.race([awaited.then(() => true), late.promise])
  } finally {
    end()
  }
}
