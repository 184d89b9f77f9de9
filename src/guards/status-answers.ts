/**
 * A refusal as a status that a hook returns. Elysia answers with it at once; what is thrown takes the way of errors,
 * which is asynchronous and costs several times as much.
 */
import { ElysiaCustomStatusResponse } from 'elysia'
import { type ErrorCode, MachineAuthError } from '../errors.ts'
import type { AnswerHeaders } from './vary.ts'

export type StatusAnswer = ElysiaCustomStatusResponse<number, string>

export interface CollectedAnswer {
  status?: number | string
  headers: AnswerHeaders
}

/** What is refused. */
interface Refused {
  readonly requestId: string
  code: ErrorCode | null
  writeHeaders(headers: AnswerHeaders): void
}

/**
 * The answer to a refusal; null for a fault, which is told to whoever runs this where errors are answered.
 *
 * Made by our copy of Elysia, and not by the `status` of the context, which an app may have put something else in place
 * of: what is no status lets everybody in. So it is for apps of that copy alone.
 */
export function statusAnswer(refused: unknown, presented: Refused, set: CollectedAnswer): StatusAnswer | null {
  if (!(refused instanceof MachineAuthError) || refused.status >= 500) return null
  refused.requestId = presented.requestId
  presented.code = refused.code
  presented.writeHeaders(set.headers)
  return new ElysiaCustomStatusResponse(refused.status, refused.writeTo(set))
}
