/** What stands between a server and the guards: meets every request first, and renders what goes wrong last. */
import { ElysiaCustomStatusResponse } from 'elysia'
import { MachineAuthError } from '../errors.ts'
import { requestPath } from '../lib/path.ts'
import type { MachineAuthOptions, ProtectRule } from '../options/types.ts'
import { AppRegistry } from './apps.ts'
import { auditRoutes, type KnownNames } from './audit.ts'
import { hasForeignErrorHook } from './error-hooks.ts'
import { Presented, type RequestEnvironment } from './presented.ts'
import { createProtection, type Protection } from './protect.ts'
import { createPublicPaths } from './public-paths.ts'
import { describeRoutes, type RouteDescription } from './routes.ts'
import { peekPresented, rememberPresented, withoutPlugin } from './state.ts'
import { type AnswerHeaders, setVary } from './vary.ts'

type Handle<R> = (request: Request) => R

export interface EngineOptions {
  readonly environment: Omit<RequestEnvironment, 'addressOf'>
  /** The client's address from the socket's and the headers. */
  readonly clientAddress: (socket: string | null, headers: Headers) => string | null
  readonly protect: readonly ProtectRule[]
  readonly onDenied: MachineAuthOptions['onDenied']
  readonly knownNames: () => KnownNames
  /** Whether a path is one of our own endpoints'. */
  readonly ownsPath?: (path: string) => boolean
}

export class GuardEngine {
  readonly apps = new AppRegistry()
  readonly #environment: RequestEnvironment
  readonly #knownNames: () => KnownNames
  readonly #ownsPath: (path: string) => boolean
  readonly #onDenied: MachineAuthOptions['onDenied']
  readonly #protectRules: readonly ProtectRule[]
  #protect: Protection | null = null
  /** By the app's store: the one thing in a request's context that says whose it is. */
  #publicPaths = new WeakMap<object, ReturnType<typeof createPublicPaths>>()
  #auditedRoutes = -1
  #isAlone = false
  #failure: Error | null = null
  /** Errors that carry a `toResponse` of ours, should an app throw the same one again. */
  readonly #concealed = new WeakSet<Error>()

  constructor(options: EngineOptions) {
    const apps = this.apps
    this.#environment = {
      ...options.environment,
      addressOf: (request) => options.clientAddress(apps.socketAddress(request), request.headers),
    }
    this.#knownNames = options.knownNames
    this.#ownsPath = options.ownsPath ?? (() => false)
    this.#onDenied = options.onDenied
    this.#protectRules = options.protect
  }

  /** @throws RouteAuditError */
  audit(): void {
    this.apps.requireAlone()
    for (const app of this.apps.roots()) auditRoutes(app, this.#knownNames())
  }

  /**
   * Audits all routes, again when there are more of them.
   *
   * @throws RouteAuditError as long as a route is not guarded as it says
   */
  requireAudited(): void {
    const count = this.apps.routeCount
    if (count !== this.#auditedRoutes) this.#auditNow(count)
    if (this.#failure !== null) throw this.#failure
  }

  #auditNow(count: number): void {
    this.#auditedRoutes = count
    this.#failure = null
    try {
      this.audit()
      this.#isAlone = !this.apps.roots().some(hasForeignErrorHook)
      const prefixes = this.apps.roots().flatMap((app) => app.config.prefix ?? [])
      this.#protect = createProtection(this.#protectRules, prefixes)
      this.#publicPaths = new WeakMap(
        this.apps.roots().map((app) => [app.store, createPublicPaths(describeRoutes(app))] as const),
      )
    } catch (failure) {
      this.#failure = failure instanceof Error ? failure : new Error(String(failure))
    }
  }

  /** Makes the next request audit again, for example when stored roles have become known. */
  forgetAudit(): void {
    this.#auditedRoutes = -1
  }

  routes(): readonly RouteDescription[] {
    return this.apps.roots().flatMap(describeRoutes)
  }

  /**
   * Sees a request before anything else does: reads its credentials, and waits where one must be looked up. After
   * that every guard decides without waiting.
   */
  admit<R>(handle: Handle<R | Response>, request: Request): Handle<R | Response | Promise<R | Response>> {
    if (this.apps.routeCount !== this.#auditedRoutes || this.#failure !== null) {
      try {
        this.requireAudited()
      } catch (failure) {
        const refused = this.#internalError(request, failure)
        return () => refused.toResponse()
      }
    }
    // Another core's answer to what a request presents is not ours: an app may hand its request to an app of another.
    if (peekPresented(request)?.isReadBy(this.#environment) === true) return handle
    const presented = new Presented(this.#environment, request)
    rememberPresented(request, presented)
    const pending = presented.takePending()
    return pending === null ? handle : (admitted) => pending.then(() => handle(admitted))
  }

  /** The answer of a `protect` rule that refuses, else undefined. */
  refuseProtected(request: Request, headers: AnswerHeaders, store: object): Response | Promise<Response> | undefined {
    if (this.#protectRules.length === 0) return undefined
    const presented = peekPresented(request)
    // A plugin that only a group uses never sees the request; its rules would let everything through.
    if (presented === undefined || this.#protect === null) return withoutPlugin().toResponse()
    try {
      if (this.#protect(presented, this.#publicPaths.get(store) ?? nothingPublic)) setVary(headers)
      return undefined
    } catch (refused) {
      setVary(headers)
      const error = refused instanceof MachineAuthError ? refused : this.#internalError(request, refused)
      const answer = this.askOnDenied(error, request)
      return answer instanceof Promise
        ? answer.then((given) => given ?? error.toResponse())
        : (answer ?? error.toResponse())
    }
  }

  /** `onDenied`'s answer to a refusal; undefined without one. What fails in it must not undo the refusal. */
  askOnDenied(error: MachineAuthError, request: Request): Response | Promise<Response | undefined> | undefined {
    // Assigned even when there is one: an app may throw the same error again for another request.
    error.requestId = this.requestIdOf(request)
    // A fault behind a refusal is told to whoever runs this, under the id that the caller has.
    if (error.status >= 500 && error.cause !== undefined) this.#log(request, error.requestId, error.cause)
    const ignore = (failure: unknown) => {
      this.#log(request, this.requestIdOf(request), failure)
      return undefined
    }
    try {
      const answer = this.#onDenied?.(error, { request, path: requestPath(request.url) })
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
    set: Parameters<MachineAuthError['writeTo']>[0],
  ): Response | Promise<Response | undefined> | string | undefined {
    const answer = this.askOnDenied(error, request)
    return answer === undefined && this.#isAlone && this.#onDenied === undefined ? error.writeTo(set) : answer
  }

  /**
   * The answer to a refusal of Elysia's own (no such route, a body that cannot be read, a wrong member): problem+json
   * as everywhere else, unless the app has an `onError`, which then decides. Below our own prefix it is always ours.
   */
  renderForElysia(refusal: MachineAuthError, request: Request, set: Parameters<MachineAuthError['writeTo']>[0]) {
    if (!this.#isAlone && !this.#ownsPath(requestPath(request.url))) return undefined
    refusal.requestId = this.requestIdOf(request)
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
    const concealed = this.#internalError(request, error)
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

  /** Whether a request has become a WebSocket. */
  isOpenSocket(request: Request): boolean {
    return peekPresented(request)?.isRouted === true && request.headers.has('upgrade')
  }

  /** Notes what went wrong in a handler of an open socket, under the id of the request that opened it. */
  logSocketError(error: unknown, request: Request): void {
    this.#log(request, this.requestIdOf(request), error)
  }

  /** The id of a request, also of one that no guard has seen. */
  requestIdOf(request: Request): string {
    return peekPresented(request)?.requestId ?? this.#environment.nextRequestId()
  }

  /** Logs what happened under the request's id, and says no more than that to the caller. */
  #internalError(request: Request, cause: unknown): MachineAuthError {
    const error = new MachineAuthError('internal_error')
    const requestId = this.requestIdOf(request)
    error.requestId = requestId
    this.#log(request, requestId, cause)
    return error
  }

  #log(request: Request, requestId: string, cause: unknown): void {
    console.error(
      JSON.stringify({
        level: 'error',
        from: 'machine-auth',
        requestId,
        method: request.method,
        path: requestPath(request.url),
        error: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause),
      }),
    )
  }
}

function nothingPublic(): boolean {
  return false
}
