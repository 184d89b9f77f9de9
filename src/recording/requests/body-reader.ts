/** Reads copies of bodies, once each, and not for long. */

/** A request or an answer of which nobody else reads the body. */
export interface Copy {
  text(): Promise<string>
}

/**
 * Begins to read a body, or goes on with it.
 *
 * @returns null when it cannot be read, or not soon after it was begun
 */
export type ReadBody = () => Promise<string | null>

/** ms: who stops sending must not hold an entry up. */
const PATIENCE = 1000

async function readText(copy: Copy): Promise<string | null> {
  const late = Promise.withResolvers<null>()
  const timer = setTimeout(() => late.resolve(null), PATIENCE)
  timer.unref()
  const reading = copy.text().catch(() => null)
  const text = await Promise.race([reading, late.promise])
  clearTimeout(timer)
  return text
}

/** Reads when it is first asked to. */
export function readOnce(copy: Copy): ReadBody {
  let reading: Promise<string | null> | undefined
  return () => {
    reading ??= readText(copy)
    return reading
  }
}

async function readBytes(stream: ReadableStream<Uint8Array>, most: number): Promise<string | null> {
  const reader = stream.getReader()
  let isGivenUp = false
  function giveUp(): void {
    isGivenUp = true
    // Answers only once the other branch is done with it, too.
    reader.cancel().catch(() => undefined)
  }
  const timer = setTimeout(giveUp, PATIENCE)
  timer.unref()
  const chunks: Buffer[] = []
  let size = 0
  try {
    for (let read = await reader.read(); !read.done && !isGivenUp; read = await reader.read()) {
      chunks.push(Buffer.from(read.value))
      size += read.value.length
      if (size > most) giveUp()
    }
  } catch {
    return null
  } finally {
    clearTimeout(timer)
  }
  return isGivenUp ? null : Buffer.concat(chunks).toString()
}

/**
 * Reads the copy of a stream at once: what is sent would else be held in memory until somebody reads it.
 *
 * @param most bytes: with more it is not what it said, and is left alone
 */
export function readStream(stream: ReadableStream<Uint8Array>, most: number): ReadBody {
  const reading = readBytes(stream, most)
  return () => reading
}
