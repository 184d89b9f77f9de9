/** What is answered when something is refused or goes wrong, and what is told of it to whoever runs this. */
import { ElysiaCustomStatusResponse } from 'elysia'
import { MachineAuthError } from '../errors.ts'
import { toJsonLine } from '../lib/json-line.ts'
import { requestPath } from '../lib/path.ts'
import type { MachineAuthOptions } from '../options/types.ts'
import { redactPath, redactText } from '../recording/requests/redaction.ts'
import { createSecretNames } from '../recording/requests/secret-names.ts'
import { withHeaders } from './answer-headers.ts'
import type { Presented } from './presented.ts'
import { givenRequestId } from './request-id.ts'
import { peekPresented } from './state.ts'
import type { AnswerHeaders } from './vary.ts'

/** Characters. */
const MOST_OF_PATH = 2048
const MOST_OF_ERROR = 16_384

/** Errors quote what they stumbled over. */
const { secrets } = createSecretNames([], [])

type Collected = Parameters<MachineAuthError['writeTo']>[0]

export interface AnswersOptions {
  readonly onDenied: MachineAuthOptions['onDenied']
  readonly nextRequestId: () => string
  /** Whether a path is one of our own endpoints'. */
  readonly ownsPath: (path: string) => boolean
}

export class Answers {
  /** Whether no app listens to errors itself: then refusals are rendered at once. */
  isAlone = false
  readonly #options: AnswersOptions
  /** Errors that carry a `toResponse` of ours, should an app throw the same one again. */
  readonly #concealed = new WeakSet<Error>()

  constructor(options: AnswersOptions) {
    this.#options = options
  }

  /** `onDenied`'s answer to a refusal; undefined without one. What fails in it must not undo the refusal. */
  askOnDenied(error: MachineAuthError, request: Request): Response | Promise<Response | undefined> | undefined {
    // Assigned even when there is one: an app may throw the same error again for another request.
    error.requestId = this.requestIdOf(request)
    noteCode(error, request)
    // A fault behind a refusal is told to whoever runs this, under the id that the caller has.
    if (error.status >= 500 && error.cause !== undefined) this.#log(request, error.requestId, error.cause)
    const ignore = (failure: unknown) => {
      this.#log(request, this.requestIdOf(request), failure)
      return undefined
    }
    try {
      const answer = this.#options.onDenied?.(error, { request, path: requestPath(request.url) })
      if (answer === undefined || answer instanceof Response) return answer
      // Whatever has a `then` is waited for, and nothing but a Response is an answer.
      return Promise.resolve<unknown>(answer).then((given) => (given instanceof Response ? given : undefined), ignore)
    } catch (failure) {
      return ignore(failure)
    }
  }

  /**
   * The answer to a refusal: `onDenied`'s, or problem+json; undefined leaves it to the app's own `onError` first, and
   * then to the error's `toResponse`.
   */
  render(
    error: MachineAuthError,
    request: Request,
    set: Collected,
  ): Response | Promise<Response | undefined> | string | undefined {
    const answer = this.askOnDenied(error, request)
    return answer === undefined && this.isAlone && this.#options.onDenied === undefined ? error.writeTo(set) : answer
  }

  /**
   * The answer to a refusal of Elysia's own (no such route, a body that cannot be read, a wrong member): problem+json
   * as everywhere else, unless the app has an `onError`, which then decides. Below our own prefix it is always ours.
   */
  renderForElysia(refusal: MachineAuthError, request: Request, set: Collected) {
    if (!this.isAlone && !this.#options.ownsPath(requestPath(request.url))) return undefined
    refusal.requestId = this.requestIdOf(request)
    noteCode(refusal, request)
    const body = refusal.writeTo(set)
    return body
  }

  /**
   * Makes sure that an error nobody expected answers a generic 500. An app's own `onError` still sees it first; what
   * Elysia falls back to in the end is the error's `toResponse`.
   *
   * @param isLate whether Elysia has asked for `toResponse` already, as it does before the hooks of no route
   * @returns the answer, where the error cannot carry it: late, frozen, or no error at all
   */
  conceal(error: unknown, request: Request, isLate: boolean): Response | undefined {
    const concealed = this.internalError(request, error)
    if (isLate || !(error instanceof Error) || !Object.isExtensible(error)) return concealed.toResponse()
    this.#concealed.add(error)
    Object.defineProperty(error, 'toResponse', {
      configurable: true,
      enumerable: false,
      value: () => concealed.toResponse(),
    })
    return undefined
  }

  /** Whether an app or Elysia made what was thrown on purpose: an answer, or an error of a status below 500. */
  isDeliberate(error: unknown): boolean {
    if (error instanceof Response || error instanceof ElysiaCustomStatusResponse) return true
    if (!(error instanceof Error)) return false
    const { status } = error as { readonly status?: unknown }
    const isClientError = typeof status === 'number' && status >= 400 && status < 500
    return isClientError || ('toResponse' in error && !this.#concealed.has(error))
  }

  /** Notes what went wrong in a handler of an open socket, under the id of the request that opened it. */
  logSocketError(error: unknown, request: Request): void {
    this.#log(request, this.requestIdOf(request), error)
  }

  /** The id of a request, also of one that no guard has seen. */
  requestIdOf(request: Request): string {
    return peekPresented(request)?.requestId ?? givenRequestId(request.headers) ?? this.#options.nextRequestId()
  }

  /** What was thrown, as a refusal: what none of ours is, is a fault, and no reason to let anybody through. */
  refusalOf(thrown: unknown, request: Request): MachineAuthError {
    return thrown instanceof MachineAuthError ? thrown : this.internalError(request, thrown)
  }

  /** A refusal in place of an answer, of which what the app says of CORS stays. */
  replace(refused: unknown, presented: Presented, answer: Response | null): Response {
    const { request } = presented
    const error = this.refusalOf(refused, request)
    error.requestId = presented.requestId
    const headers: AnswerHeaders = {}
    presented.writeHeaders(headers)
    const kept = [...(answer?.headers ?? [])].filter(([name]) => name.startsWith('access-control-'))
    return toResponse(error, { ...headers, ...Object.fromEntries(kept) })
  }

  /**
   * The answer to a request that is refused before it is routed.
   *
   * @param headers are collected: whoever answers adds them
   */
  answerEarly(refused: unknown, presented: Presented, headers: AnswerHeaders): Response | Promise<Response> {
    const { error, answer } = this.#denyEarly(refused, presented, headers)
    return answer instanceof Promise
      ? answer.then((given) => given ?? error.toResponse())
      : (answer ?? error.toResponse())
  }

  /** As `answerEarly`, with the headers in it: for a request that nothing else answers. */
  answerUnrouted(refused: unknown, presented: Presented): Response | Promise<Response> {
    const headers: AnswerHeaders = {}
    presented.meet(headers)
    const { error, answer } = this.#denyEarly(refused, presented, headers)
    const finish = (given: Response | undefined) =>
      given === undefined ? toResponse(error, headers) : withHeaders(given, headers)
    return answer instanceof Promise ? answer.then(finish) : finish(answer)
  }

  #denyEarly(refused: unknown, presented: Presented, headers: AnswerHeaders) {
    presented.charges?.refund()
    const error = this.refusalOf(refused, presented.request)
    presented.writeHeaders(headers)
    return { error, answer: this.askOnDenied(error, presented.request) }
  }

  /** Logs what happened under the request's id, and says no more than that to the caller. */
  internalError(request: Request, cause: unknown): MachineAuthError {
    const error = new MachineAuthError('internal_error')
    const requestId = this.requestIdOf(request)
    error.requestId = requestId
    noteCode(error, request)
    this.#log(request, requestId, cause)
    return error
  }

  #log(request: Request, requestId: string, cause: unknown): void {
    console.error(
      toJsonLine({
        level: 'error',
        from: 'machine-auth',
        requestId,
        method: request.method,
        path: redactPath(requestPath(request.url)).slice(0, MOST_OF_PATH),
        error: redactText(describe(cause), secrets).slice(0, MOST_OF_ERROR),
      }),
    )
  }
}

/** @param headers that the answer has besides its own; they are changed in place */
function toResponse(error: MachineAuthError, headers: AnswerHeaders): Response {
  const body = error.writeTo({ headers })
  // As Elysia itself does with what it has collected: numbers become text.
  return new Response(body, { status: error.status, headers: headers as Record<string, string> })
}

/** What was thrown, in words; whatever it is, and however it makes a text of itself. */
function describe(cause: unknown): string {
  try {
    return cause instanceof Error ? String(cause.stack ?? cause.message) : String(cause)
  } catch {
    return 'something that cannot be described'
  }
}

/** For what is recorded of the request. */
function noteCode({ code }: MachineAuthError, request: Request): void {
  const presented = peekPresented(request)
  if (presented !== undefined) presented.code = code
}
