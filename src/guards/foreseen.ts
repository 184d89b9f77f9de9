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

interface Guessing {
  readonly app: AppInternals
  readonly guesser: RouteGuesser<ForeseenRoute>
}

/** Guesses the route of a request, of all apps that serve. */
export class AppRoutes {
  readonly #guessing: readonly Guessing[]

  /** @param apps whose routes are audited */
  constructor(apps: readonly AppInternals[]) {
    this.#guessing = apps.map((app) => ({ app, guesser: new RouteGuesser(describeRoutes(app).map(foreseenRoute)) }))
  }

  guess(request: Request): RouteGuess<ForeseenRoute> | null {
    const guessing = this.#guessing
    const isServer = ({ app }: Guessing) => (app.server?.requestIP(request) ?? null) !== null
    // A request that came over no socket may be any app's.
    const serving = guessing.length > 1 ? guessing.find(isServer) : undefined
    for (const { guesser } of serving === undefined ? guessing : [serving]) {
      for (const path of routedPaths(request.url)) {
        const guess = guesser.guess(request, path)
        if (guess !== null) return guess
      }
    }
    return null
  }
}
