/** Where our endpoints belong when the plugin is used in several places. */
import type { AppInternals } from '../guards/elysia-internals.ts'
import { findPlace } from '../guards/place.ts'

export interface MountPoint {
  /** Whether a route's full path is where our endpoints belong. */
  isCanonical(path: string): boolean
  /** Whether a full path is one of these, where our endpoints belong. @param paths below the place */
  isAt(path: string, paths: readonly string[]): boolean
}

/** A route that is always mounted, by which the places are found. */
export interface Landmark {
  /** Below the place. */
  readonly path: string
  /** Tells it from a route of the app's own at such a path. */
  readonly handler: unknown
}

/**
 * A feature module that uses the plugin for its types gets Elysia to mount the endpoints below the module's prefix
 * too. Of each app's places only the shortest counts: the app's own.
 *
 * @param roots the apps that serve
 * @param landmark asked for once they do
 * @param paths what our paths start with, below the place
 */
export function createMountPoint(
  roots: () => readonly AppInternals[],
  landmark: () => Landmark,
  paths: readonly string[],
): MountPoint {
  let counted = -1
  let canonical: readonly string[] = []
  let places: readonly string[] = []

  function findPlaces(): void {
    const apps = roots()
    const count = apps.reduce((sum, { router }) => sum + router.history.length, 0)
    if (count === counted) return
    counted = count
    const { path, handler } = landmark()
    places = apps.flatMap((app) => findPlace(app, handler, path) ?? [])
    canonical = places.flatMap((place) => paths.map((each) => place + each))
  }

  return {
    isCanonical(path) {
      findPlaces()
      return canonical.some((start) => path.startsWith(start))
    },
    isAt(path, below) {
      findPlaces()
      return places.some((place) => below.some((each) => path === place + each))
    },
  }
}
