/** Answers that others make: of the request's id they know nothing. */
import { withHeaders } from './answer-headers.ts'
import type { Presented } from './presented.ts'

type Handle<R> = (request: Request) => R | Promise<R>

/**
 * Gives an answer the id of its request: that of a hook before the plugin's own, which has none, and one that a
 * handler made or fetched elsewhere, which may have another. Any other answer has it already.
 */
export function withRequestId<R>(handle: Handle<R | Response>, presented: Presented): Handle<R | Response> {
  const identify = (answer: R | Response): R | Response => {
    // Of `Response.error()`, whose status is 0, there is no copy.
    if (!(answer instanceof Response) || answer.status < 200) return answer
    if (answer.headers.get('x-request-id') === presented.requestId) return answer
    return withHeaders(answer, { 'x-request-id': presented.requestId })
  }
  return (request) => {
    const answer = handle(request)
    return answer instanceof Promise ? answer.then(identify) : identify(answer)
  }
}
