/**
 * Copies of answers that are still in memory. Elysia puts the headers of hooks on a `Response` by making another one of
 * its body, which is a stream from then on.
 */
import { memorySizeOf } from './memory-size.ts'

export interface AnswerCopy {
  /** Null where it is too large to be kept. */
  readonly copy: Response | null
  /** Bytes. */
  readonly size: number
}

/** Bytes: no more of a body is ever logged. */
const LARGEST = 1024 * 1024

/** By the stream that the body becomes: whatever else is answered in its place has another one. */
const copies = new WeakMap<ReadableStream, AnswerCopy>()

/** Takes a copy of an answer that is about to become a stream, if that costs nothing. Never throws. */
export function keepCopy(answer: Response): void {
  if (answer.bodyUsed) return
  try {
    const size = memorySizeOf(answer)
    if (typeof size !== 'number') return
    // Bun's type of a clone lacks members of Bun's own.
    const copy = size > LARGEST ? null : (answer.clone() as Response)
    const { body } = answer
    if (body !== null) copies.set(body, { copy, size })
  } catch {
    // It is logged as a stream then.
  }
}

/** @param answer whose body is a stream */
export function copyOf(answer: Response): AnswerCopy | undefined {
  return answer.body === null ? undefined : copies.get(answer.body)
}
