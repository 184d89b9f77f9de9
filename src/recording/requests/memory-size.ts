/** How large a body is that is held in memory: the one kind that can be cloned for nothing. */

const UNITS: Readonly<Record<string, number>> = { bytes: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 }

/** Headers stand before it, deeper and in quotes. */
const IN_MEMORY = /\n {2}Blob \(([\d.]+) (bytes|KB|MB|GB)\)/

const STREAM = /\n {2}ReadableStream \{/

/**
 * A clone of a stream would be read along with it, and a file's from the disk: neither may happen for a log. Only what
 * Bun says of a response when it is inspected tells them apart; a test pins it, and in doubt there is no size.
 *
 * @returns bytes, roughly above 1,024; null for a file and no body
 */
export function memorySizeOf(answer: Response): number | 'stream' | null {
  const inspected = Bun.inspect(answer)
  const [, size, unit = ''] = IN_MEMORY.exec(inspected) ?? []
  if (size === undefined) return STREAM.test(inspected) ? 'stream' : null
  return Math.ceil(Number(size) * (UNITS[unit] ?? Number.NaN))
}
