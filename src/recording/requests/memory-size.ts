/** How large a body is that is held in memory: the one kind that can be cloned for nothing. */

const UNITS: Readonly<Record<string, number>> = { bytes: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 }

/** Headers stand before it, deeper and in quotes. */
const IN_MEMORY = /\n {2}Blob \(([\d.]+) (bytes|KB|MB|GB)\)/

const STREAM = /\n {2}ReadableStream \{/

const NOTHING = /^\w+ \(0 KB\)/

/** Characters of headers that are looked past: each takes about 0.1 µs. */
const MOST_OF_HEADERS = 4096

/** What a body is; `'unknown'` is never touched. */
export type BodySize = number | 'stream' | 'none' | 'unknown'

function hasSmallHeaders({ headers }: Response): boolean {
  let length = 0
  for (const [name, value] of headers) length += name.length + value.length
  return length <= MOST_OF_HEADERS
}

/**
 * A clone of a stream would be read along with it, and a file's from the disk: neither may happen for a log. Only what
 * Bun says of a response when it is inspected tells them apart; a test pins it.
 *
 * @returns bytes, roughly above 1,024; `'unknown'` for a file, in doubt, and above 4,096 characters of headers
 */
export function memorySizeOf(answer: Response): BodySize {
  if (!hasSmallHeaders(answer)) return 'unknown'
  const inspected = Bun.inspect(answer)
  const [, size, unit = ''] = IN_MEMORY.exec(inspected) ?? []
  if (size !== undefined) return Math.ceil(Number(size) * (UNITS[unit] ?? Number.NaN))
  if (STREAM.test(inspected)) return 'stream'
  return NOTHING.test(inspected) ? 'none' : 'unknown'
}
