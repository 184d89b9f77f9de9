/** Which apps a plugin ended up in, so that their routes can be audited and their server asked for addresses. */
import { Elysia } from 'elysia'
import { RouteAuditError } from './audit.ts'
import { keepGuards } from './declarations.ts'
import { type AppInternals, internalsOf } from './elysia-internals.ts'

/** Whose apps the audited ones are. */
const owners = new WeakMap<AppInternals, AppRegistry>()

export class AppRegistry {
  readonly #users = new Set<AppInternals>()
  /** Null when an app may have come under another one since they were last found. */
  #roots: readonly AppInternals[] | null = null

  /**
   * Learns of every app that `.use`s the plugin, directly or through modules. Elysia tells a plugin its parent by
   * assigning `getParent`.
   *
   * An app that is never listened on (`app.handle`, `Bun.serve({ fetch })`) is found this way too.
   */
  watch(plugin: object): void {
    let { getParent } = internalsOf(plugin)
    const adopt = (parent: AppInternals | null) => {
      this.#roots = null
      if (parent === null || this.#users.has(parent)) return
      this.#users.add(parent)
      keepGuards(parent)
      this.watch(parent)
    }
    Object.defineProperty(plugin, 'getParent', {
      configurable: true,
      get: () => getParent,
      set(next: () => AppInternals | null) {
        getParent = next
        adopt(next())
      },
    })
    adopt(getParent())
  }

  /** Whether all of them are of our copy of Elysia: to another one a status that we make is no refusal. */
  get areOfOurCopy(): boolean {
    return [...this.#users].every((app) => app instanceof Elysia)
  }

  /** Adds the app that a start hook names. */
  add(app: object): void {
    const user = internalsOf(app)
    if (this.#users.has(user)) return
    this.#users.add(user)
    this.watch(user)
  }

  /** The apps that serve: those at the top of each chain of `.use`. */
  roots(): readonly AppInternals[] {
    this.#roots ??= this.#findRoots()
    return this.#roots
  }

  #findRoots(): readonly AppInternals[] {
    const roots = new Set<AppInternals>()
    for (const user of this.#users) {
      let app = user
      for (let parent = app.getParent(); parent !== null && parent !== app; parent = app.getParent()) app = parent
      roots.add(app)
    }
    return [...roots]
  }

  /**
   * Demands that no other core guards the same apps: a request carries what one core made of its credentials, and the
   * guards of the other would believe it.
   *
   * @throws RouteAuditError
   */
  requireAlone(): void {
    for (const root of this.roots()) {
      const owner = owners.get(root)
      if (owner !== undefined && owner !== this) {
        throw new RouteAuditError([
          'this app uses machineAuth() of two cores: make one with createMachineAuth() and use that everywhere, or .mount() an app of its own',
        ])
      }
      owners.set(root, this)
    }
  }

  /** How many routes all the apps hold: changes when there is something new to audit. */
  get routeCount(): number {
    let count = 0
    for (const app of this.#users) count += app.router.history.length
    return count
  }

  /** The socket's address of a request, from whichever server has it. */
  socketAddress(request: Request): string | null {
    for (const app of this.roots()) {
      const found = app.server?.requestIP(request)
      if (found !== undefined && found !== null) return found.address
    }
    return null
  }
}
