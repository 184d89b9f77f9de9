/** Restricted Damerau-Levenshtein distance: insertions, deletions, substitutions, swaps of neighbours. */
function distance(a: string, b: string): number {
  let beforePrevious: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1]
      let best = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      )
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (swapped) best = Math.min(best, (beforePrevious[column - 2] ?? 0) + 1)
      current.push(best)
    }
    beforePrevious = previous
    previous = current
  }
  return previous[b.length] ?? 0
}

const MAX_NAME = 40

function fold(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, '')
}

/** The candidate a person most likely meant by a misspelled name, or undefined when none is near. */
export function suggest(name: string, candidates: readonly string[]): string | undefined {
  if (name.length > MAX_NAME) return undefined
  const given = fold(name)
  let nearest: string | undefined
  let least = Math.min(2, Math.floor(given.length / 3)) + 1
  for (const candidate of candidates) {
    const far = distance(given, fold(candidate))
    if (far < least) {
      nearest = candidate
      least = far
    }
  }
  return nearest
}
