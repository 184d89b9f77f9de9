/** Text that people give names and reasons in: nothing that could forge a log line or hide in a table. */

/** Control characters, line and paragraph separators, and those that turn the direction of writing. */
const UNSAFE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u
const UNSAFE_BUT_LINES = /[^\P{Cc}\t\n\r]|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/u

/** Whether a text is well-formed Unicode of one line without control characters. */
export function isSingleLine(text: string): boolean {
  return text.isWellFormed() && !UNSAFE.test(text)
}

/** As `isSingleLine`, but line breaks and tabs are welcome. */
export function isMultiLine(text: string): boolean {
  return text.isWellFormed() && !UNSAFE_BUT_LINES.test(text)
}

/** A name's mistake, or null when it is 1 to `max` characters (UTF-16 units) of one line and not blank. */
export function nameMistake(name: string, max = 255): string | null {
  const accepted = `must be 1 to ${max} characters without control characters, and not blank`
  return typeof name !== 'string' || name.length > max || name.trim() === '' || !isSingleLine(name) ? accepted : null
}

/** A remark's mistake, or null when it is at most `max` characters, line breaks included. */
export function remarkMistake(text: string, max: number): string | null {
  return typeof text !== 'string' || text.length > max || !isMultiLine(text)
    ? `must be at most ${max} characters without control characters`
    : null
}
