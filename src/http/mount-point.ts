/** Where our endpoints belong when the plugin is used in several places. */
import type { AppInternals } from '../guards/elysia-internals.ts'

export interface MountPoint {
  /** Whether a route's full path is where our endpoints belong. */
  isCanonical(path: string): boolean
}

/**
 * A feature module that uses the plugin for its types gets Elysia to mount the endpoints below the module's prefix
 * too. Only the shortest of those places counts: the app's own.
 *
 * @param roots the apps that serve
 * @param landmark a path that is always mounted, by which the places are found
 * @param paths what our paths start with, below the place
 */
export function createMountPoint(
  roots: () => readonly AppInternals[],
  landmark: string,
  paths: readonly string[],
): MountPoint {
  let counted = -1
  let canonical: readonly string[] = []

  function findPlaces(): void {
    const routes = roots().flatMap((app) => app.router.history)
    if (routes.length === counted) return
    counted = routes.length
    const places = routes
      .filter((route) => route.path.endsWith(landmark))
      .map((route) => route.path.slice(0, -landmark.length))
    const place = places.reduce((shortest, each) => (each.length < shortest.length ? each : shortest), places[0] ?? '')
    canonical = paths.map((path) => place + path)
  }

  return {
    isCanonical(path) {
      findPlaces()
      return canonical.some((start) => path.startsWith(start))
    },
  }
}
