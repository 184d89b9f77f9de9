/** Answers of hooks that stand before the plugin's own: of the request they know nothing, its id included. */
import { withHeaders } from './answer-headers.ts'
import type { Answers } from './answers.ts'
import type { Presented } from './presented.ts'

type Handle<R> = (request: Request) => R | Promise<R>

/** Gives the answer of such a hook the id of its request; any other answer has it already. */
export function withRequestId<R>(handle: Handle<R | Response>, presented: Presented): Handle<R | Response> {
  const identify = (answer: R | Response): R | Response => {
    if (presented.isMet || !(answer instanceof Response) || answer.headers.has('x-request-id')) return answer
    return withHeaders(answer, { 'x-request-id': presented.requestId })
  }
  return (request) => {
    const answer = handle(request)
    return answer instanceof Promise ? answer.then(identify) : identify(answer)
  }
}

/** Refuses a request that was refused before it was routed, whatever such a hook answered. */
export function insistOnRefusal<R>(
  handle: Handle<R | Response>,
  presented: Presented,
  answers: Answers,
): Handle<R | Response> {
  const insist = (answer: R | Response) => {
    if (presented.isMet || presented.early === null) return answer
    return answers.replace(presented.early, presented, answer instanceof Response ? answer : null)
  }
  return (admitted) => {
    const answer = handle(admitted)
    return answer instanceof Promise ? answer.then(insist) : insist(answer)
  }
}
