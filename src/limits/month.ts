/** Calendar months in UTC. */

/** Names the month of a moment, such as `2030-01`. */
export function monthOf(now: number): string {
  return new Date(now).toISOString().slice(0, 7)
}

/** When the month of a moment ends, epoch ms. */
export function endOfMonth(now: number): number {
  const date = new Date(now)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1)
}
