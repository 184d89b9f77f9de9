/** What can be told of a request's way before it goes it. */
import type { CompiledPolicy } from '../limits/policy.ts'
import type { AppInternals } from './elysia-internals.ts'
import { demandedCredential } from './key-demand.ts'
import { type RouteGuess, RouteGuesser } from './route-guess.ts'
import { describeRoutes, type RouteDescription } from './routes.ts'

/** Of a route, what decides whom a request is counted for. */
export interface ForeseenRoute {
  readonly method: string
  readonly path: string
  readonly policies: readonly CompiledPolicy[]
  /** Names of its guards. */
  readonly guards: readonly string[]
  /** The one kind of credential that its guards read, where it is not whatever speaks for the request. */
  readonly demanded: 'apiKey' | 'session' | undefined
  readonly isPublic: boolean
}

export interface Foreseen {
  /** Null for a path that no route seems to have. */
  readonly guess: RouteGuess<ForeseenRoute> | null
  /** What the `protect` rules of its path demand, by the names of guards. */
  readonly rules: readonly string[]
}

function foreseenRoute({ method, path, limits, guards, isPublic }: RouteDescription): ForeseenRoute {
  const names = guards.map(({ name }) => name)
  return {
    method,
    path,
    // An audit has made one of them, and of that each place where the route counts.
    policies: (limits[0]?.value ?? []) as readonly CompiledPolicy[],
    guards: names,
    demanded: demandedCredential(names),
    isPublic: isPublic || method === 'OPTIONS',
  }
}

type Guesser = RouteGuesser<ForeseenRoute>

/** The parameters of a request whose route the server itself has chosen; undefined where Elysia will. */
function servedParams(request: Request & { readonly params?: RouteGuess<unknown>['params'] }) {
  return request.params
}

/** Guesses the route of a request, of all apps that serve. */
export class AppRoutes {
  readonly #apps: () => readonly AppInternals[]
  /** By the app's store: the one thing in a request's context that says whose it is. Null until somebody asks. */
  #guessers: ReadonlyMap<object, Guesser> | null = null
  /** Stores by the handler that a request was to be given to: known from the second one on. */
  readonly #stores = new WeakMap<object, object>()
  /**
   * Routes by the handler that the server gives their requests to, and no others: known from the second one on. Null
   * for a handler that turned out to have several.
   */
  #served = new WeakMap<object, ForeseenRoute | null>()

  /** @param apps those that serve */
  constructor(apps: () => readonly AppInternals[]) {
    this.#apps = apps
  }

  /** Reads the routes again, which an audit has just gone through. */
  forget(): void {
    this.#guessers = null
    this.#served = new WeakMap()
  }

  #read(): ReadonlyMap<object, Guesser> {
    const guesserOf = (app: AppInternals) => new RouteGuesser(app, describeRoutes(app).map(foreseenRoute))
    this.#guessers ??= new Map(this.#apps().map((app) => [app.store, guesserOf(app)] as const))
    return this.#guessers
  }

  /**
   * Notes where a request has come to.
   *
   * @param handler that it was given to
   * @param path of its route, as declared
   * @param store of the app that has it
   */
  learn(request: Request, handler: object, path: string, store: object): void {
    const guessers = this.#read()
    if (guessers.size > 1) this.#stores.set(handler, store)
    if (servedParams(request) === undefined) return
    const known = this.#served.get(handler)
    if (known === null || known?.path === path) return
    const reached = known === undefined ? guessers.get(store)?.find(request.method, path) : undefined
    this.#served.set(handler, reached ?? null)
  }

  /** @param handler that the request is to be given to */
  guess(request: Request, handler: object): RouteGuess<ForeseenRoute> | null {
    const guessers = this.#read()
    const params = servedParams(request)
    // The server's own router prefers other routes than Elysia's, and goes by what the client sent, not by the URL.
    const served = params === undefined ? null : this.#served.get(handler)
    if (params !== undefined && served != null) return { route: served, params }
    const store = this.#stores.get(handler)
    const known = store === undefined ? undefined : guessers.get(store)
    const likely = known === undefined ? [...guessers.values()] : [known]
    const guesses = likely.map((guesser) => guesser.guess(request)).filter((guess) => guess !== null)
    // Whose it is shows only later: a wrong guess would use up the limit of another app.
    return guesses.length > 1 ? null : (guesses[0] ?? null)
  }
}
