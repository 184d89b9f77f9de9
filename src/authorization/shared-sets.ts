/** Equal sets of permissions as one: most keys have one of a few, and to make a set costs more than to find it. */
import { PermissionSet } from './permission-set.ts'

/** Then it begins anew. */
const MOST = 1000

export class SharedSets {
  readonly #sets = new Map<string, PermissionSet>()

  of(granted: readonly string[]): PermissionSet {
    // Not joined: an app's own names may have any character in them.
    const name = JSON.stringify(granted)
    const known = this.#sets.get(name)
    return known ?? this.#keep(name, new PermissionSet(granted))
  }

  intersection(one: PermissionSet, other: PermissionSet): PermissionSet {
    const name = JSON.stringify([one.names, other.names])
    const known = this.#sets.get(name)
    return known ?? this.#keep(name, this.of(one.intersect(other).names))
  }

  #keep(name: string, set: PermissionSet): PermissionSet {
    if (this.#sets.size >= MOST) this.#sets.clear()
    this.#sets.set(name, set)
    return set
  }
}
