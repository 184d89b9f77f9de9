/**
 * A refusal as a status that a hook returns. Elysia answers with it at once; what is thrown takes the way of errors,
 * which is asynchronous and costs several times as much.
 */
import type { ElysiaCustomStatusResponse } from 'elysia'
import { type ErrorCode, MachineAuthError } from '../errors.ts'
import type { AnswerHeaders } from './vary.ts'

export type StatusAnswer = ElysiaCustomStatusResponse<number, string>

export interface CollectedAnswer {
  status?: number | string
  headers: AnswerHeaders
}

export type MakeStatus = (code: number, body: string) => unknown

/** What a hook is given to answer with. */
export interface AnswerContext {
  readonly set: CollectedAnswer
  /** The app's own: a status that another copy of Elysia makes is none to it, and would let everybody in. */
  readonly status: MakeStatus
}

/** What is refused. */
interface Refused {
  readonly requestId: string
  code: ErrorCode | null
  writeHeaders(headers: AnswerHeaders): void
}

/** The answer to a refusal; null for a fault, which is told to whoever runs this where errors are answered. */
export function statusAnswer(
  refused: unknown,
  presented: Refused,
  { set, status }: AnswerContext,
): StatusAnswer | null {
  if (!(refused instanceof MachineAuthError) || refused.status >= 500) return null
  refused.requestId = presented.requestId
  presented.code = refused.code
  presented.writeHeaders(set.headers)
  return status(refused.status, refused.writeTo(set)) as StatusAnswer
}
