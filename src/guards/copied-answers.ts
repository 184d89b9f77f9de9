/** Has answers copied for the request log, where they are made: Elysia makes streams of them. */
import type { Elysia } from 'elysia'
import { keepCopy } from '../recording/requests/answer-copies.ts'

/** Copies what is answered where no hook of routes sees it: before a request is routed, and for an error. */
export function copyAnswer(answer: unknown): void {
  if (answer instanceof Response) keepCopy(answer)
  else if (answer instanceof Promise) answer.then(copyAnswer, () => undefined)
}

/** What errors were given here: one that is thrown again has it already. */
const copying = new WeakSet<object>()

/** Elysia asks an error for its answer more than once, and sends the last one. */
function copyAnswersOf(error: unknown): void {
  if (!(error instanceof Error) || !('toResponse' in error) || !Object.isExtensible(error)) return
  const { toResponse } = error
  if (typeof toResponse !== 'function' || copying.has(toResponse)) return
  function makeAnswer(this: unknown, ...given: readonly unknown[]): unknown {
    const answer: unknown = Reflect.apply(toResponse as () => unknown, this, given)
    copyAnswer(answer)
    return answer
  }
  copying.add(makeAnswer)
  Object.defineProperty(error, 'toResponse', { configurable: true, enumerable: false, value: makeAnswer })
}

/** @param answer of an error hook; undefined where it leaves it to the error */
export function copyErrorAnswer(answer: unknown, error: unknown): void {
  if (answer === undefined) copyAnswersOf(error)
  else copyAnswer(answer)
}

/**
 * Copies what handlers and `beforeHandle` answer. Not by `mapResponse`, whose hooks lose the answers of error hooks. What
 * is no `Response` stays in memory anyway; without headers of hooks Elysia leaves a `Response` as it is.
 */
export function copyHandledAnswers(plugin: Elysia): void {
  plugin.onAfterHandle({ as: 'global' }, function copyHandled(context) {
    const { responseValue, set } = context
    if (Object.keys(set.headers).length === 0) return
    if (responseValue instanceof Response) keepCopy(responseValue)
    // A constant: Elysia makes a function of it, and calls that for each answer.
    else if (typeof responseValue === 'function') context.response = withCopies(responseValue as () => unknown)
  })
}

function withCopies(make: () => unknown): () => unknown {
  return () => {
    const answer = make()
    copyAnswer(answer)
    return answer
  }
}
