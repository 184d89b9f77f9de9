/** Finds and changes one variable in the text of an `.env` file; everything else stays byte for byte. */

/**
 * A line that sets a variable: name, and value in quotes (over several lines) or bare. As Bun and dotenv read it; the
 * mark of byte order may stand before the first one.
 */
const ENTRY =
  /(?<=^(?:\u00ef\u00bb\u00bf)?)[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*=[ \t]*('(?:\\'|[^'])*'|"(?:\\"|[^"])*"|`(?:\\`|[^`])*`|[^#\r\n]*)/dgm

interface Entry {
  /** Between the quotes, if there are any. */
  readonly value: string
  readonly start: number
  readonly end: number
}

/** Of several entries with a name the last one counts. */
function findEntry(text: string, name: string): Entry | null {
  let found: Entry | null = null
  for (const match of text.matchAll(ENTRY)) {
    const span = match.indices?.[2]
    if (match[1] !== name || span === undefined) continue
    const raw = (match[2] ?? '').trimEnd()
    const isQuoted = raw.length > 1 && /^['"`]/.test(raw)
    const start = span[0] + (isQuoted ? 1 : 0)
    const value = isQuoted ? raw.slice(1, -1) : raw
    found = { value, start, end: start + value.length }
  }
  return found
}

/** What a variable is set to; null when it is not, or to nothing. */
export function readEntry(text: string, name: string): string | null {
  const value = findEntry(text, name)?.value ?? ''
  return value === '' ? null : value
}

/**
 * Sets a variable: in its place with its quotes where it is set already, else on a line of its own at the end.
 *
 * @param value without quotes, spaces and line breaks
 */
export function writeEntry(text: string, name: string, value: string): string {
  const entry = findEntry(text, name)
  if (entry !== null) return text.slice(0, entry.start) + value + text.slice(entry.end)
  const lineBreak = text.includes('\r\n') ? '\r\n' : '\n'
  const isEnded = text === '' || text.endsWith('\n')
  return `${text}${isEnded ? '' : lineBreak}${name}=${value}${lineBreak}`
}
