/** What the routes of all apps that serve say, found out by an audit, and again when there are more of them. */
import type { CompiledPolicy } from '../limits/policy.ts'
import type { ProtectRule } from '../options/types.ts'
import type { AppRegistry } from './apps.ts'
import { auditRoutes, type KnownNames } from './audit.ts'
import { hasForeignErrorHook } from './error-hooks.ts'
import { AppRoutes, type Foreseen } from './foreseen.ts'
import { createProtection, type Protection } from './protect.ts'
import { createPublicPaths, createRouteCheck, type RouteCheck } from './public-paths.ts'
import { listensToRefusals } from './refusal-hooks.ts'
import type { RequestLimits } from './request-limits.ts'
import { describeRoutes, type RouteDescription } from './routes.ts'
import { requireTwinsNamed } from './twin-limits.ts'
import { hasOtherRequestHook, takeRequestHookOff } from './unhooked.ts'

export interface AuditedRoutesOptions {
  readonly apps: AppRegistry
  readonly defaults: RequestLimits['defaults']
  readonly protect: readonly ProtectRule[]
  /** Whether requests must be met before they are routed, whatever the apps are like. */
  readonly needsRequestHook: boolean
  readonly knownNames: () => KnownNames
}

/** Nothing was audited yet. */
const NEVER = -1

export class AuditedRoutes {
  readonly #options: AuditedRoutesOptions
  /** Null until the first audit passed. */
  protection: Protection | null = null
  /** Whether no app listens to errors itself. */
  isAlone = false
  /** Whether some app hears of refusals, so that they are thrown. */
  areRefusalsHeard = true
  /** Whether our request hook was taken off an app: routes that were compiled since then are without it for good. */
  isUnhooked = false
  /** Whether a hook of an app may answer before ours. */
  hasOtherHooks = false
  /** Whether a limit counts requests under way. */
  hasConcurrency = false
  /** Patterns of the routes where a request may become a WebSocket. */
  sockets: ReadonlySet<string> = new Set()
  /** By the app's store: the one thing in a request's context that says whose it is. */
  #publicPaths = new WeakMap<object, RouteCheck>()
  /** Of each app, the paths that have limits of their own in place of the default one. */
  #limitedPaths: readonly RouteCheck[] = []
  readonly guesses: AppRoutes
  #audited = NEVER
  #failure: Error | null = null

  constructor(options: AuditedRoutesOptions) {
    this.#options = options
    this.guesses = new AppRoutes(() => options.apps.roots())
  }

  /** Whether there are routes that were not audited, or that did not pass. */
  get isStale(): boolean {
    return this.#options.apps.routeCount !== this.#audited || this.#failure !== null
  }

  /** @throws RouteAuditError */
  audit(): void {
    const { apps, knownNames } = this.#options
    apps.requireAlone()
    for (const app of apps.roots()) auditRoutes(app, knownNames())
    requireTwinsNamed(this.list())
  }

  /**
   * Audits all routes, again when there are more of them.
   *
   * @throws RouteAuditError as long as a route is not guarded as it says
   */
  require(): void {
    const count = this.#options.apps.routeCount
    if (count !== this.#audited) this.#auditNow(count)
    if (this.#failure !== null) throw this.#failure
  }

  /** Makes the next request audit again, for example when stored roles have become known. */
  forget(): void {
    this.#audited = NEVER
  }

  list(): readonly RouteDescription[] {
    return this.#options.apps.roots().flatMap(describeRoutes)
  }

  #auditNow(count: number): void {
    this.#audited = count
    this.#failure = null
    try {
      this.audit()
      this.#read()
    } catch (failure) {
      this.#failure = failure instanceof Error ? failure : new Error(String(failure))
    }
  }

  #read(): void {
    const { apps, protect } = this.#options
    const roots = apps.roots()
    this.guesses.forget()
    this.isAlone = !roots.some(hasForeignErrorHook)
    this.hasOtherHooks = roots.some(hasOtherRequestHook)
    this.areRefusalsHeard = !apps.areOfOurCopy || roots.some(listensToRefusals)
    const unhooked = this.#options.needsRequestHook ? [] : roots.filter(takeRequestHookOff)
    if (unhooked.length > 0) this.isUnhooked = true
    this.protection = createProtection(
      protect,
      roots.flatMap((app) => app.config.prefix ?? []),
    )
    this.#publicPaths = new WeakMap(roots.map((app) => [app.store, createPublicPaths(describeRoutes(app))] as const))
    const routes = this.list()
    this.sockets = new Set(routes.filter(({ method }) => method === 'WS').map(({ path }) => path))
    this.#readLimits(routes.filter(({ limits }) => limits.length > 0))
  }

  #readLimits(limited: readonly RouteDescription[]): void {
    const { apps, defaults } = this.#options
    const policies = limited.flatMap(({ limits }) => limits.flatMap(({ value }) => value as readonly CompiledPolicy[]))
    this.hasConcurrency = [...policies, ...defaults].some(({ kind }) => kind === 'concurrent')
    this.#limitedPaths =
      limited.length === 0
        ? []
        : apps.roots().map((app) => createRouteCheck(describeRoutes(app), ({ limits }) => limits.length > 0))
  }

  /** Whether all of these paths have limits of their own; in doubt they have none, and the default one counts. */
  areLimited(method: string, paths: readonly string[]): boolean {
    const checks = this.#limitedPaths
    return checks.length > 0 && paths.every((path) => checks.every((isLimited) => isLimited(method, path)))
  }

  /** What a request will most likely come to. @param handler that it is to be given to */
  foresee(request: Request, handler: object): Foreseen {
    return { guess: this.guesses.guess(request, handler), rules: this.protection?.demandsOf(request.url) ?? [] }
  }

  /** Tells the public paths of an app. @param store of the app */
  publicPathsOf(store: object): RouteCheck {
    return this.#publicPaths.get(store) ?? nothingPublic
  }
}

function nothingPublic(): boolean {
  return false
}
