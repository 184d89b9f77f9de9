/**
 * The few members of an Elysia app that its types hide and the route audit needs. All of them exist in 1.4; the tests
 * of this folder fail when a release changes one.
 */
import type { MarkedHook } from './gate.ts'

export interface HookContainer {
  /** A function, or the name of a built-in parser. */
  readonly fn: (((...given: never[]) => unknown) & MarkedHook) | string
}

export interface RouteHooks {
  parse?: HookContainer[]
  transform?: HookContainer[]
  readonly beforeHandle?: readonly HookContainer[]
  readonly afterHandle?: readonly HookContainer[]
  readonly error?: readonly HookContainer[]
  readonly mapResponse?: readonly HookContainer[]
  readonly afterResponse?: readonly HookContainer[]
  readonly trace?: readonly HookContainer[]
  readonly body?: unknown
  readonly standaloneValidator?: readonly { readonly body?: unknown }[]
  readonly detail?: { readonly hide?: boolean }
}

export interface InternalRoute {
  readonly method: string
  readonly path: string
  readonly handler: unknown
  readonly hooks: RouteHooks
}

/** Finds routes whose path is a pattern. */
export interface PatternRouter<R> {
  add(method: string, path: string, store: R): R
  find(method: string, path: string): { readonly store: R; readonly params: Record<string, string> } | null
}

/** By method, where in the history a route is. */
export type StaticRoutes = Readonly<Record<string, number>>

export interface AppRouter {
  readonly history: readonly InternalRoute[]
  /** By the path of routes whose path is no pattern. */
  readonly static: Readonly<Record<string, StaticRoutes>>
  /** Has all others. */
  readonly http: {
    readonly constructor: new <R>(config: { readonly onParam: unknown }) => PatternRouter<R>
    /** `onParam` decodes parameters. */
    readonly config: { readonly onParam?: unknown }
  }
}

/** Hooks of an app that are for all of its routes, or for what is no route's. */
export interface AppHooks {
  readonly error?: readonly HookContainer[]
  request?: readonly HookContainer[]
  readonly mapResponse?: readonly HookContainer[]
  readonly afterResponse?: readonly HookContainer[]
  readonly trace?: readonly HookContainer[]
}

export interface AppInternals {
  readonly store: object
  readonly router: AppRouter
  readonly config: {
    readonly aot?: boolean
    readonly precompile?: boolean | { readonly compose?: boolean }
    readonly prefix?: string
    readonly strictPath?: boolean
    readonly handler?: { readonly standardHostname?: boolean }
  }
  readonly inference: Parameters<typeof import('elysia/sucrose')['sucrose']>[1]
  readonly event: AppHooks
  /** Headers that every answer has. */
  readonly setHeaders?: Readonly<Record<string, unknown>>
  readonly server: {
    requestIP(request: Request): { readonly address: string } | null
    stop(closeActiveConnections?: boolean): Promise<void>
  } | null
  getParent(): AppInternals | null
}

/**
 * Whether a function is what Elysia makes of one route for Bun's own router, and not what finds the route of a request
 * itself: by its text, since nothing else tells.
 */
export function isOfOneRoute(handler: object): boolean {
  return String(handler).includes('return handler(')
}

/** The hidden side of an app. */
export function internalsOf(app: object): AppInternals {
  // Elysia declares these members private or protected; see the head of this file.
  return app as unknown as AppInternals
}
