/** Adds headers to an answer that is made already. */
import type { AnswerHeaders } from './vary.ts'

/** A copy, since the headers of an answer that was fetched elsewhere cannot be changed. */
export function withHeaders(answer: Response, added: AnswerHeaders): Response {
  const copy = new Response(answer.body, answer)
  for (const [name, value] of Object.entries(added)) if (value !== undefined) copy.headers.set(name, String(value))
  return copy
}
