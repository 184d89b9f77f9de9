/** What stands between a server and the guards: meets every request before anything else does. */
import type { MachineAuthError } from '../errors.ts'
import { routedPaths } from '../lib/path.ts'
import type { Life } from '../life/life.ts'
import type { MachineAuthOptions, ProtectRule } from '../options/types.ts'
import { Answers } from './answers.ts'
import { AppRegistry } from './apps.ts'
import type { KnownNames } from './audit.ts'
import { AuditedRoutes } from './audited-routes.ts'
import { insistOnRefusal, withRequestId } from './early-hooks.ts'
import { createCredentialHiding } from './hidden-credentials.ts'
import type { RequestObserver } from './observation.ts'
import { Presented, type RequestEnvironment } from './presented.ts'
import { Probes } from './probes.ts'
import { type Handle, RequestEnd } from './request-end.ts'
import type { RequestLimits } from './request-limits.ts'
import { reserveUse } from './reserving.ts'
import { peekPresented, rememberPresented, withoutPlugin } from './state.ts'
import { statusAnswer } from './status-answers.ts'
import { type AnswerHeaders, setVary } from './vary.ts'

export interface EngineOptions {
  readonly environment: Omit<RequestEnvironment, 'addressOf' | 'limits' | 'onRoute' | 'onMet' | 'answerRefused'>
  readonly limits: RequestLimits
  /** The client's address from the socket's and the headers. */
  readonly clientAddress: (socket: string | null, headers: Headers) => string | null
  readonly protect: readonly ProtectRule[]
  readonly onDenied: MachineAuthOptions['onDenied']
  readonly knownNames: () => KnownNames
  /** Resolves when it is known who is blocked; requests wait for it. */
  readonly ready?: Promise<void>
  /** Whether handlers see no credentials. */
  readonly hideCredentials?: boolean
  /** Whether a path is one of our own endpoints'. */
  readonly ownsPath?: (path: string) => boolean
  /** Whether a path is one that is answered at once and to anybody, so that whoever watches this learns of it. */
  readonly isProbe?: (path: string) => boolean
  /** Says when clients must not keep their connections. */
  readonly life?: Pick<Life, 'isStopping'>
  /** Null when nothing is recorded of requests. */
  readonly observer?: RequestObserver | null
  /** Whether answers are copied where they are made. */
  readonly keepsAnswers?: boolean
}

export class GuardEngine {
  readonly apps = new AppRegistry()
  readonly routes: AuditedRoutes
  readonly answers: Answers
  /** Null from when it is known who is blocked. */
  ready: Promise<void> | null = null
  readonly #environment: RequestEnvironment
  readonly #limits: RequestLimits
  readonly #end: RequestEnd
  readonly #life: Pick<Life, 'isStopping'>
  readonly #areRefusalsThrown: boolean
  readonly #probes: Probes
  readonly #observer: RequestObserver | null
  readonly #protectRules: readonly ProtectRule[]
  /** Takes the credentials out of a request once they are read; null when handlers may see them. */
  readonly #hide: ((headers: Headers) => void) | null

  constructor(options: EngineOptions) {
    const apps = this.apps
    this.#environment = {
      ...options.environment,
      limits: options.limits,
      addressOf: (request) => options.clientAddress(apps.socketAddress(request), request.headers),
      onRoute: (presented, route, store) => this.#holdToRoute(presented, route, store),
      onMet: (headers) => {
        if (this.#life.isStopping) headers.connection = 'close'
      },
      answerRefused: (refused, presented, set) =>
        this.#areRefusalsThrown || this.routes.areRefusalsHeard ? null : statusAnswer(refused, presented, set),
    }
    this.#limits = options.limits
    this.#areRefusalsThrown = options.onDenied !== undefined || options.keepsAnswers === true
    this.#probes = new Probes(options.isProbe ?? (() => false))
    this.#life = options.life ?? { isStopping: false }
    this.#observer = options.observer ?? null
    this.routes = new AuditedRoutes({
      apps,
      defaults: options.limits.defaults,
      protect: options.protect,
      needsRequestHook:
        options.protect.length > 0 || options.limits.defaults.length > 0 || options.keepsAnswers === true,
      knownNames: options.knownNames,
    })
    this.answers = new Answers({
      onDenied: options.onDenied,
      nextRequestId: options.environment.nextRequestId,
      ownsPath: options.ownsPath ?? (() => false),
    })
    this.#end = new RequestEnd(this.#limits, this.routes, this.answers)
    this.#protectRules = options.protect
    this.#hide = options.hideCredentials === true ? createCredentialHiding(options.environment) : null
    if (options.ready !== undefined) {
      const open = () => {
        this.ready = null
      }
      this.ready = options.ready.then(open, open)
    }
  }

  /**
   * Audits all routes, again when there are more of them.
   *
   * @throws RouteAuditError as long as a route is not guarded as it says
   */
  requireAudited(): void {
    this.routes.require()
    this.answers.isAlone = this.routes.isAlone
    if (this.#observer !== null) this.#observer.socketRoutes = this.routes.sockets
  }

  /** Whether the default limit leaves a request to the limits of its route. */
  #excepts(presented: Presented): boolean {
    const { method, url } = presented.request
    presented.isExcepted = this.routes.areLimited(method, routedPaths(url))
    return presented.isExcepted
  }

  /**
   * What could be decided by the URL is decided once more by the route: the router chooses by what the client sent
   * (`/posts/..`), which the URL no longer shows.
   */
  #holdToRoute(presented: Presented, route: string, store: object): void {
    const { handler, request } = presented
    if (handler !== null) {
      if (this.#limits.ahead !== null) this.routes.guesses.learn(request, handler, route, store)
      this.#probes.learn(handler, route)
    }
    if (presented.isProbe) {
      if (this.#probes.isRoute(route)) return
      // It went past all that others must pass, by a URL that the router does not take it for.
      throw presented.refuse('not_found')
    }
    this.#limits.requireUnblockedRoute(presented, route)
    if (presented.isExcepted && !this.routes.areLimited(request.method, [route])) {
      this.#limits.chargeDefault(presented)
    }
    this.routes.protection?.requireRoute(presented, route, this.routes.publicPathsOf(store))
  }

  /**
   * Sees a request before anything else does: reads its credentials, and waits where one must be looked up. After
   * that every guard decides without waiting.
   */
  admit<R>(handle: Handle<R | Response>, request: Request): Handle<R | Response | Promise<R | Response>> {
    if (this.routes.isStale) {
      try {
        this.requireAudited()
      } catch (failure) {
        const refused = this.answers.internalError(request, failure)
        return () => refused.toResponse()
      }
    }
    // Another core's answer to what a request presents is not ours: an app may hand its request to an app of another.
    if (peekPresented(request)?.isReadBy(this.#environment) === true) return handle
    const presented = new Presented(this.#environment, request)
    rememberPresented(request, presented)
    if (!this.#probes.isKnownElsewhere(handle)) {
      presented.handler = handle
      presented.isProbe = this.#probes.isOne(request)
    }
    const observer = presented.isProbe ? null : this.#observer
    if (observer === null) return this.#identify(handle, presented)
    return observer.begin(presented).over(this.#identify(handle, presented))
  }

  #identify<R>(handle: Handle<R | Response>, presented: Presented): Handle<R | Response | Promise<R | Response>> {
    const met = this.#meetReady(handle, presented)
    return this.routes.hasOtherHooks ? withRequestId(met, presented) : met
  }

  #meetReady<R>(handle: Handle<R | Response>, presented: Presented): Handle<R | Response | Promise<R | Response>> {
    if (presented.isProbe) return this.#meetProbe(handle, presented)
    const { ready } = this
    if (ready === null) return this.#meet(handle, presented)
    // Before that nobody knows who is blocked. Who needs the core hears of its failure where he needs it.
    return (admitted) => ready.then(() => this.#meet(handle, presented)(admitted))
  }

  /**
   * Waits for nothing, and nothing keeps it out: while this starts, or when many share the address of a balancer, it
   * must be known how this is. No credential is read; where one is, there is no probe.
   */
  #meetProbe<R>(handle: Handle<R>, presented: Presented): Handle<R> {
    this.#hide?.(presented.request.headers)
    return handle
  }

  /** Addresses first, then credentials; waits only for what must be looked up. */
  #meet<R>(handle: Handle<R | Response>, presented: Presented): Handle<R | Response | Promise<R | Response>> {
    presented.early = this.#limits.refuseAddress(presented)
    const asking = presented.early === null ? this.#askAddressDefault(presented) : null
    if (asking === null) return this.#meetAddress(handle, presented)
    return (admitted) => asking.then(() => this.#meetAddress(handle, presented)(admitted))
  }

  /** Asks shared counts for the default limit, where addresses are all that it counts; null where there is none. */
  #askAddressDefault(presented: Presented): Promise<void> | null {
    const { ahead, hasAddressDefault } = this.#limits
    return ahead === null || !hasAddressDefault || this.#excepts(presented) ? null : ahead.askDefault(presented)
  }

  /** Whoever is kept out by his address does not get his credentials looked up, and is over before he began. */
  #meetAddress<R>(handle: Handle<R | Response>, presented: Presented): Handle<R | Response | Promise<R | Response>> {
    presented.early ??= this.#refuseByDefault(presented)
    if (presented.early !== null) {
      presented.charges?.settle()
      this.#hide?.(presented.request.headers)
      // It must not be routed: with the hook taken off, nothing would refuse it there.
      if (this.routes.isUnhooked) return () => this.answers.answerUnrouted(presented.early, presented)
      return insistOnRefusal(handle, presented, this.answers)
    }
    presented.readCredentials()
    if (this.#hide !== null) {
      // What guards read only when they ask for it.
      void presented.adminKey
      this.#hide(presented.request.headers)
    }
    const pending = presented.takePending()
    if (pending !== null) {
      // Read while the connection is there: who hangs up meanwhile would be nobody when his key turns out wrong.
      void presented.address
      return async (admitted) => {
        await pending
        await reserveUse(this.#limits, presented)
        return this.#untilCounted(handle, presented)(admitted)
      }
    }
    const reserving = reserveUse(this.#limits, presented)
    if (reserving === null) return this.#untilCounted(handle, presented)
    return (admitted) => reserving.then(() => this.#untilCounted(handle, presented)(admitted))
  }

  /** Asks shared counts, where there are any, for all that the hooks of the request will count without waiting. */
  #untilCounted<R>(handle: Handle<R | Response>, presented: Presented): Handle<R | Response | Promise<R | Response>> {
    const { ahead } = this.#limits
    if (ahead === null) return this.#end.after(handle, presented)
    const isDefaultDue = this.#limits.hasPrincipalDefault && !this.#excepts(presented)
    presented.handler = handle
    const asking = ahead.askAhead(presented, this.routes.foresee(presented.request, handle), isDefaultDue)
    if (asking === null) return this.#end.after(handle, presented)
    return (admitted) => asking.then(() => this.#end.after(handle, presented)(admitted))
  }

  /** The default limit, where addresses are all that it counts. */
  #refuseByDefault(presented: Presented): MachineAuthError | null {
    if (!this.#limits.hasAddressDefault || this.#excepts(presented)) return null
    try {
      this.#limits.chargeDefault(presented)
      return null
    } catch (refused) {
      return this.answers.refusalOf(refused, presented.request)
    }
  }

  /** The answer to a request that its address, a limit or a `protect` rule refuses, else undefined. */
  meet(request: Request, headers: AnswerHeaders, store: object): Response | Promise<Response> | undefined {
    const presented = peekPresented(request)
    // A plugin that only a group uses never sees the request; its rules and limits would let everything through.
    if (presented === undefined) return this.#mustMeet ? withoutPlugin().toResponse() : undefined
    presented.meet(headers)
    try {
      if (presented.early !== null) throw presented.early
      const isDefaultDue = this.#limits.hasPrincipalDefault && !presented.isProbe && !this.#excepts(presented)
      if (isDefaultDue) this.#limits.chargeDefault(presented)
      if (this.#protectRules.length > 0) this.#requireProtected(presented, headers, store)
      presented.writeHeaders(headers)
      return undefined
    } catch (refused) {
      return this.answers.answerEarly(refused, presented, headers)
    }
  }

  get #mustMeet(): boolean {
    return this.#protectRules.length > 0 || this.#limits.defaults.length > 0
  }

  #requireProtected(presented: Presented, headers: AnswerHeaders, store: object): void {
    const { protection } = this.routes
    if (protection === null) throw withoutPlugin()
    let isRuled = true
    try {
      isRuled = protection.requirePath(presented, this.routes.publicPathsOf(store))
    } finally {
      if (isRuled) setVary(headers)
    }
  }

  /** Says in an answer that an error becomes how the limits stand. */
  writeLimits(request: Request, headers: AnswerHeaders): void {
    peekPresented(request)?.writeHeaders(headers)
  }

  /** Whether a request has become a WebSocket. */
  isOpenSocket(request: Request): boolean {
    return (peekPresented(request)?.route ?? null) !== null && request.headers.has('upgrade')
  }
}
