/** What stands between a server and the guards: meets every request first, and renders what goes wrong last. */
import { MachineAuthError } from '../errors.ts'
import type { MachineAuthOptions, ProtectRule } from '../options/types.ts'
import { AppRegistry } from './apps.ts'
import { auditRoutes, type KnownNames } from './audit.ts'
import { hasForeignErrorHook } from './error-hooks.ts'
import { Presented, type RequestEnvironment } from './presented.ts'
import { createProtection } from './protect.ts'
import { createPublicPaths } from './public-paths.ts'
import { describeRoutes, type RouteDescription } from './routes.ts'
import { peekPresented, rememberPresented, withoutPlugin } from './state.ts'

type Handle<R> = (request: Request) => R

export interface EngineOptions {
  readonly environment: Omit<RequestEnvironment, 'addressOf'>
  /** The client's address from the socket's and the headers. */
  readonly clientAddress: (socket: string | null, headers: Headers) => string | null
  readonly protect: readonly ProtectRule[]
  readonly onDenied: MachineAuthOptions['onDenied']
  readonly knownNames: () => KnownNames
}

export class GuardEngine {
  readonly apps = new AppRegistry()
  readonly #environment: RequestEnvironment
  readonly #knownNames: () => KnownNames
  readonly #onDenied: MachineAuthOptions['onDenied']
  readonly #protectRules: readonly ProtectRule[]
  #protect: ((presented: Presented) => void) | null = null
  #auditedRoutes = -1
  #isAlone = false
  #failure: Error | null = null

  constructor(options: EngineOptions) {
    const apps = this.apps
    this.#environment = {
      ...options.environment,
      addressOf: (request) => options.clientAddress(apps.socketAddress(request), request.headers),
    }
    this.#knownNames = options.knownNames
    this.#onDenied = options.onDenied
    this.#protectRules = options.protect
  }

  /**
   * Audits all routes, again when there are more of them.
   *
   * @throws RouteAuditError as long as a route is not guarded as it says
   */
  audit(): void {
    this.apps.requireAlone()
    for (const app of this.apps.roots()) auditRoutes(app, this.#knownNames())
  }

  /** Audits anew, for example when stored roles have become known. */
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
      this.#protect = createProtection(this.#protectRules, createPublicPaths(this.routes()))
    } catch (failure) {
      this.#failure = failure instanceof Error ? failure : new Error(String(failure))
    }
  }

  /** Makes the next request audit again. */
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
    if (peekPresented(request) !== undefined) return handle
    const presented = new Presented(this.#environment, request)
    rememberPresented(request, presented)
    const pending = presented.takePending()
    return pending === null ? handle : (admitted) => pending.then(() => handle(admitted))
  }

  /** The answer of a `protect` rule that refuses, else undefined. */
  refuseProtected(request: Request): Response | Promise<Response> | undefined {
    if (this.#protectRules.length === 0) return undefined
    const presented = peekPresented(request)
    // A plugin that only a group uses never sees the request; its rules would let everything through.
    if (presented === undefined || this.#protect === null) return withoutPlugin().toResponse()
    try {
      this.#protect(presented)
      return undefined
    } catch (refused) {
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
    const ignore = (failure: unknown) => {
      this.#log(request, this.requestIdOf(request), failure)
      return undefined
    }
    try {
      const answer = this.#onDenied?.(error, { request, path: pathOf(request) })
      return answer instanceof Promise ? answer.catch(ignore) : answer
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
   * Makes sure that an error nobody expected answers a generic 500. An app's own `onError` still sees it first; what
   * Elysia falls back to in the end is the error's `toResponse`.
   *
   * @returns the answer, where a frozen error cannot carry it
   */
  conceal(error: Error, request: Request): Response | undefined {
    const concealed = this.#internalError(request, error)
    if (!Object.isExtensible(error)) return concealed.toResponse()
    Object.defineProperty(error, 'toResponse', {
      configurable: true,
      enumerable: false,
      value: () => concealed.toResponse(),
    })
    return undefined
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
        path: pathOf(request),
        error: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause),
      }),
    )
  }
}

/** The path without its query, which may hold what nobody should log. */
function pathOf(request: Request): string {
  const { url } = request
  const query = url.indexOf('?')
  const end = query === -1 ? url.length : query
  const scheme = url.indexOf('://')
  const start = scheme === -1 ? 0 : url.indexOf('/', scheme + 3)
  return start === -1 ? '/' : url.slice(start, end)
}
