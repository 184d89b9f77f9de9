/** Times functions of one process in short slices, in turn, so that what disturbs one disturbs the others too. */

export interface Contender {
  readonly name: string
  /** @param slice from 0; 0 is not counted */
  readonly run: (slice: number) => unknown
}

/**
 * Answers ns per call of each: the least of all slices, since nothing makes work faster than it is.
 *
 * @param calls of each slice
 */
export async function timeInSlices(
  contenders: readonly Contender[],
  { slices, calls }: { readonly slices: number; readonly calls: number },
): Promise<ReadonlyMap<string, number>> {
  const least = new Map<string, number>()
  for (let slice = 0; slice <= slices; slice += 1) {
    for (const { name, run } of contenders) {
      const began = Bun.nanoseconds()
      await run(slice)
      const took = (Bun.nanoseconds() - began) / calls
      if (slice > 0) least.set(name, Math.min(least.get(name) ?? Number.POSITIVE_INFINITY, took))
    }
  }
  return least
}
