/** ms */
const PATIENCE = 10_000
/** ms between looks: about as short as a machine's timers can be. */
const PAUSE = 1

/**
 * Waits until something is so.
 *
 * @param patience ms
 * @returns ms that it took
 * @throws Error with the condition when it is not so in time
 */
export async function until(isSo: () => boolean | Promise<boolean>, patience = PATIENCE): Promise<number> {
  const start = performance.now()
  while (!(await isSo())) {
    if (performance.now() - start > patience) throw new Error(`not within ${patience} ms: ${isSo}`)
    await Bun.sleep(PAUSE)
  }
  return performance.now() - start
}
