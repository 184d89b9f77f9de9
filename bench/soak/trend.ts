/** Whether something grows, as a straight line through what was measured. */

export interface Trend {
  /** Of y for one of x. */
  readonly slope: number
  /** Standard error of the slope: what lies within twice of it may be chance. */
  readonly error: number
}

/** Least squares; NaN for fewer than three points, or where x does not move. */
export function trendOf(points: readonly (readonly [x: number, y: number])[]): Trend {
  const count = points.length
  const meanOf = (at: 0 | 1) => points.reduce((sum, point) => sum + point[at], 0) / count
  const [meanX, meanY] = [meanOf(0), meanOf(1)]
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  if (count < 3 || spread === 0) return { slope: Number.NaN, error: Number.NaN }
  const slope = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread
  const residue = points.reduce((sum, [x, y]) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0)
  return { slope, error: Math.sqrt(residue / (count - 2) / spread) }
}

/** Whether a slope is at most so much; null where what was measured is too little to tell. */
export function isAtMost({ slope, error }: Trend, most: number): boolean | null {
  if (slope + 2 * error <= most) return true
  return slope - 2 * error > most ? false : null
}
