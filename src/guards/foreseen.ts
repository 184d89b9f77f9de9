/** What can be told of a request's way before it goes it. */
import { routedPaths } from '../lib/path.ts'
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

/** Guesses the route of a request, of all apps that serve. */
export class AppRoutes {
  readonly #apps: () => readonly AppInternals[]
  /** By the app's store: the one thing in a request's context that says whose it is. Null until somebody asks. */
  #guessers: ReadonlyMap<object, Guesser> | null = null
  /** Stores by the handler that a request was to be given to: known from the second one on. */
  readonly #stores = new WeakMap<object, object>()

  /** @param apps those that serve */
  constructor(apps: () => readonly AppInternals[]) {
    this.#apps = apps
  }

  /** Reads the routes again, which an audit has just gone through. */
  forget(): void {
    this.#guessers = null
  }

  #read(): ReadonlyMap<object, Guesser> {
    const guesserOf = (app: AppInternals) => new RouteGuesser(describeRoutes(app).map(foreseenRoute))
    this.#guessers ??= new Map(this.#apps().map((app) => [app.store, guesserOf(app)] as const))
    return this.#guessers
  }

  /** Notes whose a handler is. */
  learn(handler: object, store: object): void {
    if (this.#read().size > 1) this.#stores.set(handler, store)
  }

  /** @param handler that the request is to be given to */
  guess(request: Request, handler: object): RouteGuess<ForeseenRoute> | null {
    const guessers = this.#read()
    const store = this.#stores.get(handler)
    const known = store === undefined ? undefined : guessers.get(store)
    const likely = known === undefined ? [...guessers.values()] : [known]
    const guesses = likely.map((guesser) => guessIn(guesser, request)).filter((guess) => guess !== null)
    // Whose it is shows only later: a wrong guess would use up the limit of another app.
    return guesses.length > 1 ? null : (guesses[0] ?? null)
  }
}

function guessIn(guesser: Guesser, request: Request): RouteGuess<ForeseenRoute> | null {
  for (const path of routedPaths(request.url)) {
    const guess = guesser.guess(request, path)
    if (guess !== null) return guess
  }
  return null
}
