/** The members of Elysia's routes that the document needs, which its types hide. */
import type { AppInternals, InternalRoute } from '../guards/elysia-internals.ts'

/** A schema as an app gives it: TypeBox, the name of a model, or any Standard Schema. */
export type GivenSchema = string | object

export interface RouteSchemas {
  readonly body?: GivenSchema
  readonly headers?: GivenSchema
  readonly params?: GivenSchema
  readonly query?: GivenSchema
  /** A schema, or one for each status. */
  readonly response?: GivenSchema | Readonly<Record<string, GivenSchema>>
}

export interface DocumentedHooks extends RouteSchemas {
  readonly detail?: { readonly hide?: boolean; readonly responses?: unknown }
  /** Functions, or names of parsers. */
  readonly parse?: readonly { readonly fn: unknown }[]
  /** Schemas that apply besides the route's own. */
  readonly standaloneValidator?: readonly RouteSchemas[]
}

export type DocumentedRoute = Omit<InternalRoute, 'hooks'> & { readonly hooks: DocumentedHooks }

export interface DocumentedApp {
  readonly router: { readonly history: readonly (InternalRoute & DocumentedRoute)[] }
  readonly definitions: { readonly type: Readonly<Record<string, GivenSchema>> }
  /** Shared with every handler of the app, and with nobody else's. */
  readonly store: object
}

export function documentedApp(app: AppInternals): DocumentedApp {
  // Elysia declares these members protected.
  return app as unknown as DocumentedApp
}

/**
 * The app that serves a request.
 *
 * @param store of the handler's context: the one thing there that says whose handler it is
 */
export function findServingApp(roots: readonly AppInternals[], store: object): AppInternals | undefined {
  const sameStore = roots.filter((root) => documentedApp(root).store === store)
  const candidates = sameStore.length > 0 ? sameStore : roots
  // A `.group` shares its parent's store and has fewer routes.
  return candidates.reduce<AppInternals | undefined>(
    (best, root) => (best === undefined || root.router.history.length > best.router.history.length ? root : best),
    undefined,
  )
}

/**
 * Tells the routes of a plugin that are in another place than its own from all others.
 *
 * @param place where the plugin's routes belong
 */
export function createCopyCheck(plugin: AppInternals, place: string) {
  const ownPaths = new Map<unknown, Set<string>>()
  for (const { handler, path } of plugin.router.history) {
    if (typeof handler === 'function') ownPaths.set(handler, (ownPaths.get(handler) ?? new Set()).add(place + path))
  }
  return ({ handler, path }: { readonly handler: unknown; readonly path: string }) =>
    ownPaths.get(handler)?.has(path) === false
}
