/** A row of numbers as a row of little bars. */

const ZERO = '▁'
/** For what is more than nothing: never as low as nothing. */
const BARS = ['▂', '▃', '▄', '▅', '▆', '▇', '█'] as const

/** Cuts a row into as many pieces of nearly the same length as there is room for, and takes their means. */
function merge(values: readonly number[], columns: number): readonly number[] {
  if (values.length <= columns) return values
  const boundOf = (column: number) => Math.round((column * values.length) / columns)
  return Array.from({ length: columns }, (_, column) => {
    const piece = values.slice(boundOf(column), boundOf(column + 1))
    return piece.reduce((sum, value) => sum + value, 0) / piece.length
  })
}

/**
 * Draws a row of numbers that are not negative, the highest as a whole block.
 *
 * @param columns how many characters there is room for, at least 1; neighbours are merged where there are more numbers
 * @returns empty for no numbers
 * @example sparkline([0, 1, 5, 10]) // '▁▂▅█'
 */
export function sparkline(values: readonly number[], columns = Number.POSITIVE_INFINITY): string {
  const merged = merge(values, columns)
  const highest = Math.max(...merged)
  const barOf = (value: number) => BARS[Math.ceil((value / highest) * BARS.length) - 1] ?? ZERO
  return merged.map((value) => (value > 0 ? barOf(value) : ZERO)).join('')
}
