/**
 * Waits for something, but not longer than that.
 *
 * @param patience ms
 * @returns whether it came to an end in time; rejects as it does
 */
export async function within(patience: number, awaited: Promise<unknown>): Promise<boolean> {
  const late = Promise.withResolvers<false>()
  const timer = setTimeout(() => late.resolve(false), Math.max(0, patience))
  try {
    return await Promise.race([awaited.then(() => true), late.promise])
  } finally {
    clearTimeout(timer)
  }
}
