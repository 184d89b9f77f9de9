/** Text for terminals. */

/** Controls of the terminal, and what turns the direction of writing. */
const CONTROLS = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu

/** Stored text must not move the cursor or colour the screen: controls become spaces. */
export function withoutControls(text: string): string {
  return text.replaceAll(CONTROLS, (control) => (control === '\n' ? '\n' : ' '))
}

/** As `withoutControls`, on one line. */
export function toLine(text: string): string {
  return withoutControls(text).replaceAll(/\s*\n\s*/g, ' ')
}

/** Columns: half a day says nothing. */
export const DAY_WIDTH = 10

/** `2030-01-31`; a dash for never. */
export function toDay(timestamp: string | null): string {
  return timestamp === null ? '-' : timestamp.slice(0, 10)
}

/** `2030-01-31 12:00:00`, UTC. */
export function toMoment(timestamp: string): string {
  return timestamp.slice(0, 19).replace('T', ' ')
}

function isRate(value: object): value is { readonly limit: number; readonly window: string } {
  return 'limit' in value && 'window' in value
}

/** A member of a view on one line. */
export function formatValue(value: unknown): string {
  if (value === null || value === undefined) return '-'
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.map(formatValue).join(', ')
  if (typeof value !== 'object') return toLine(String(value))
  return isRate(value) ? `${value.limit}/${value.window}` : toLine(JSON.stringify(value))
}
