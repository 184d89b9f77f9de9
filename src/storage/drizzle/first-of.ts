/**
 * The first of many, in order, without sorting all of them, which takes long.
 *
 * @param isBefore whether the one comes before the other
 */
export function firstOf<T>(all: Iterable<T>, limit: number, isBefore: (one: T, other: T) => boolean): readonly T[] {
  const found: T[] = []
  for (const one of all) {
    const last = found[limit - 1]
    if (last !== undefined && !isBefore(one, last)) continue
    found.splice(found.findLastIndex((each) => isBefore(each, one)) + 1, 0, one)
    found.length = Math.min(found.length, limit)
  }
  return found
}
