/** What stands between a server and the guards: meets every request first, and renders what goes wrong last. */
import { ElysiaCustomStatusResponse } from 'elysia'
import { MachineAuthError } from '../errors.ts'
import { requestPath, routedPaths } from '../lib/path.ts'
import type { CompiledPolicy } from '../limits/policy.ts'
import type { MachineAuthOptions, ProtectRule } from '../options/types.ts'
import { AppRegistry } from './apps.ts'
import { auditRoutes, type KnownNames } from './audit.ts'
import { hasForeignErrorHook } from './error-hooks.ts'
import { Presented, type RequestEnvironment } from './presented.ts'
import { createProtection, type Protection } from './protect.ts'
import { createPublicPaths, createRouteCheck, type RouteCheck } from './public-paths.ts'
import type { RequestLimits } from './request-limits.ts'
import { describeRoutes, type RouteDescription } from './routes.ts'
import { peekPresented, rememberPresented, withoutPlugin } from './state.ts'
import { type AnswerHeaders, setVary } from './vary.ts'

type Handle<R> = (request: Request) => R

export interface EngineOptions {
  readonly environment: Omit<RequestEnvironment, 'addressOf' | 'limits' | 'onRoute'>
  readonly limits: RequestLimits
  /** The client's address from the socket's and the headers. */
  readonly clientAddress: (socket: string | null, headers: Headers) => string | null
  readonly protect: readonly ProtectRule[]
  readonly onDenied: MachineAuthOptions['onDenied']
  readonly knownNames: () => KnownNames
  /** Resolves when it is known who is blocked; requests wait for it. */
  readonly ready?: Promise<void>
  /** Whether a path is one of our own endpoints'. */
  readonly ownsPath?: (path: string) => boolean
}

export class GuardEngine {
  readonly apps = new AppRegistry()
  /** Null from when it is known who is blocked. */
  ready: Promise<void> | null = null
  readonly #environment: RequestEnvironment
  readonly #limits: RequestLimits
  readonly #knownNames: () => KnownNames
  readonly #ownsPath: (path: string) => boolean
  readonly #onDenied: MachineAuthOptions['onDenied']
  readonly #protectRules: readonly ProtectRule[]
  #protect: Protection | null = null
  /** By the app's store: the one thing in a request's context that says whose it is. */
  #publicPaths = new WeakMap<object, RouteCheck>()
  /** Of each app, the paths that have limits of their own in place of the default one. */
  #limitedPaths: readonly RouteCheck[] = []
  #hasConcurrency = false
  #auditedRoutes = -1
  #isAlone = false
  #failure: Error | null = null
  /** Errors that carry a `toResponse` of ours, should an app throw the same one again. */
  readonly #concealed = new WeakSet<Error>()

  constructor(options: EngineOptions) {
    const apps = this.apps
    this.#environment = {
      ...options.environment,
      limits: options.limits,
      addressOf: (request) => options.clientAddress(apps.socketAddress(request), request.headers),
      onRoute: (presented, route, store) => this.#holdToRoute(presented, route, store),
    }
    this.#limits = options.limits
    this.#knownNames = options.knownNames
    this.#ownsPath = options.ownsPath ?? (() => false)
    this.#onDenied = options.onDenied
    this.#protectRules = options.protect
    if (options.ready !== undefined) {
      const open = () => {
        this.ready = null
      }
      this.ready = options.ready.then(open, open)
    }
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
      this.#prepareLimits()
    } catch (failure) {
      this.#failure = failure instanceof Error ? failure : new Error(String(failure))
    }
  }

  #prepareLimits(): void {
    const limited = this.routes().filter(({ limits }) => limits.length > 0)
    const policies = limited.flatMap(({ limits }) => limits.flatMap(({ value }) => value as readonly CompiledPolicy[]))
    this.#hasConcurrency = [...policies, ...this.#limits.defaults].some(({ kind }) => kind === 'concurrent')
    this.#limitedPaths =
      limited.length === 0
        ? []
        : this.apps.roots().map((app) => createRouteCheck(describeRoutes(app), ({ limits }) => limits.length > 0))
  }

  /** Whether all of these paths have limits of their own; in doubt they have none, and the default one counts. */
  #areLimited(method: string, paths: readonly string[]): boolean {
    const checks = this.#limitedPaths
    return checks.length > 0 && paths.every((path) => checks.every((isLimited) => isLimited(method, path)))
  }

  /** Whether the default limit leaves a request to the limits of its route. */
  #excepts(presented: Presented): boolean {
    const { method, url } = presented.request
    presented.isExcepted = this.#areLimited(method, routedPaths(url))
    return presented.isExcepted
  }

  /**
   * What could be decided by the URL is decided once more by the route: the router chooses by what the client sent
   * (`/posts/..`), which the URL no longer shows.
   */
  #holdToRoute(presented: Presented, route: string, store: object): void {
    this.#limits.requireUnblockedRoute(presented, route)
    if (presented.isExcepted && !this.#areLimited(presented.request.method, [route])) {
      this.#limits.chargeDefault(presented)
    }
    this.#protect?.requireRoute(presented, route, this.#publicPaths.get(store) ?? nothingPublic)
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
    const { ready } = this
    if (ready === null) return this.#meet(handle, presented)
    // Before that nobody knows who is blocked. Who needs the core hears of its failure where he needs it.
    return (admitted) => ready.then(() => this.#meet(handle, presented)(admitted))
  }

  /** Addresses first, then credentials; waits only for what must be looked up. */
  #meet<R>(handle: Handle<R | Response>, presented: Presented): Handle<R | Response | Promise<R | Response>> {
    presented.early = this.#limits.refuseAddress(presented) ?? this.#refuseByDefault(presented)
    // Whoever is kept out by his address does not get his credentials looked up.
    if (presented.early !== null) return handle
    presented.readCredentials()
    const pending = presented.takePending()
    if (pending !== null) {
      return async (admitted) => {
        await pending
        await this.#reserve(presented)
        return this.#untilOver(handle, presented)(admitted)
      }
    }
    const reserving = this.#reserve(presented)
    const run = this.#untilOver(handle, presented)
    return reserving === null ? run : (admitted) => reserving.then(() => run(admitted))
  }

  /** The default limit, where addresses are all that it counts. */
  #refuseByDefault(presented: Presented): MachineAuthError | null {
    if (!this.#limits.hasAddressDefault || this.#excepts(presented)) return null
    try {
      this.#limits.chargeDefault(presented)
      return null
    } catch (refused) {
      // What an app's own function threw is a fault, and no reason to let anybody through.
      return refused instanceof MachineAuthError ? refused : this.#internalError(presented.request, refused)
    }
  }

  /** Takes a use of a key's quotas before any guard asks for it; null when that needed no waiting. */
  #reserve(presented: Presented): Promise<void> | null {
    const reserving = this.#limits.reserve(presented)
    if (reserving === null) return null
    if (!(reserving instanceof Promise)) {
      presented.ensureCharges().reservation = reserving
      return null
    }
    return reserving.then(
      (reservation) => {
        presented.ensureCharges().reservation = reservation
      },
      (failure: unknown) => {
        // Nobody is let in uncounted: the guard that asks for the key gets the failure.
        presented.ensureCharges().reservation = { kind: 'failed', failure }
      },
    )
  }

  /** Ends what lasts as long as a request, where anything may. */
  #untilOver<R>(handle: Handle<R | Response>, presented: Presented): Handle<R | Response | Promise<R | Response>> {
    if (!this.#hasConcurrency && presented.charges?.reservation == null) return handle
    return (admitted) => {
      const settle = () => presented.charges?.settle()
      let answer: R | Response | Promise<R | Response>
      try {
        answer = handle(admitted)
      } catch (failure) {
        settle()
        throw failure
      }
      if (answer instanceof Promise) return answer.finally(settle)
      settle()
      return answer
    }
  }

  /** The answer to a request that its address, a limit or a `protect` rule refuses, else undefined. */
  meet(request: Request, headers: AnswerHeaders, store: object): Response | Promise<Response> | undefined {
    const presented = peekPresented(request)
    // A plugin that only a group uses never sees the request; its rules and limits would let everything through.
    if (presented === undefined) return this.#mustMeet ? withoutPlugin().toResponse() : undefined
    try {
      if (presented.early !== null) throw presented.early
      if (this.#limits.hasPrincipalDefault && !this.#excepts(presented)) this.#limits.chargeDefault(presented)
      if (this.#protectRules.length > 0) this.#requireProtected(presented, headers, store)
      if (presented.charges !== null) this.#limits.writeHeaders(presented, headers)
      return undefined
    } catch (refused) {
      return this.#answerEarly(refused, presented, headers)
    }
  }

  get #mustMeet(): boolean {
    return this.#protectRules.length > 0 || this.#limits.defaults.length > 0
  }

  #requireProtected(presented: Presented, headers: AnswerHeaders, store: object): void {
    if (this.#protect === null) throw withoutPlugin()
    let isRuled = true
    try {
      isRuled = this.#protect.requirePath(presented, this.#publicPaths.get(store) ?? nothingPublic)
    } finally {
      if (isRuled) setVary(headers)
    }
  }

  #answerEarly(refused: unknown, presented: Presented, headers: AnswerHeaders): Response | Promise<Response> {
    const { request } = presented
    const error = refused instanceof MachineAuthError ? refused : this.#internalError(request, refused)
    this.#limits.writeHeaders(presented, headers)
    const answer = this.askOnDenied(error, request)
    return answer instanceof Promise
      ? answer.then((given) => given ?? error.toResponse())
      : (answer ?? error.toResponse())
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

  /** Says in an answer that an error becomes how the limits stand. */
  writeLimits(request: Request, headers: AnswerHeaders): void {
    const presented = peekPresented(request)
    if (presented !== undefined) this.#limits.writeHeaders(presented, headers)
  }

  /** Whether a request has become a WebSocket. */
  isOpenSocket(request: Request): boolean {
    return (peekPresented(request)?.route ?? null) !== null && request.headers.has('upgrade')
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
