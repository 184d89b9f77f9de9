/** Where a plugin's routes belong when several parts of an app use it. */
import type { AppInternals } from './elysia-internals.ts'

/**
 * The place of a plugin's routes in an app. A module that uses the plugin for its types gets Elysia to mount them below
 * its own prefix too; the shortest place is the app's own.
 *
 * @param handler of a route that is mounted once in each place
 * @param path of that route, below the place
 */
export function findPlace(app: AppInternals, handler: unknown, path: string): string | null {
  const places = app.router.history
    .filter((route) => route.handler === handler)
    .map((route) => route.path.slice(0, route.path.length - path.length))
  return places.reduce<string | null>(
    (shortest, place) => (shortest === null || place.length < shortest.length ? place : shortest),
    null,
  )
}
