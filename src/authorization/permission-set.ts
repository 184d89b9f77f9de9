/**
 * A set of granted permissions, with wildcards: `*` grants everything, `users.*` everything below `users`.
 *
 * Names are lower case with `.` between segments; `:` is accepted as a separator and stored as `.`.
 */

/** Platform reach. Granted by its own name, `platform.*` or `*`; `machine_auth.*` does not include it. */
export const PLATFORM_ADMIN = 'platform.admin'

/** Whether one granted name or wildcard covers another name or wildcard. */
function covers(granted: string, wanted: string): boolean {
  if (granted === '*' || granted === wanted) return true
  return granted.endsWith('.*') && wanted.startsWith(granted.slice(0, -1))
}

/** What a principal may do. Immutable. */
export class PermissionSet {
  static readonly EMPTY = new PermissionSet([])
  static readonly ALL = new PermissionSet(['*'])

  /** The names as granted, sorted, without those that another one covers. */
  readonly names: readonly string[]
  readonly #exact: ReadonlySet<string>
  readonly #wildcards: readonly string[]

  constructor(granted: Iterable<string>) {
    const unique = [...new Set(granted)].sort()
    this.names = Object.freeze(unique.filter((name) => !unique.some((other) => other !== name && covers(other, name))))
    this.#exact = new Set(this.names)
    this.#wildcards = this.names.filter((name) => name === '*' || name.endsWith('.*'))
  }

  /** Whether a name, or every name under a wildcard, is granted. */
  has(wanted: string): boolean {
    if (this.#exact.has(wanted)) return true
    for (const wildcard of this.#wildcards) if (covers(wildcard, wanted)) return true
    return false
  }

  /** The names of `wanted` that are not granted. */
  missing(wanted: readonly string[]): readonly string[] {
    return wanted.filter((name) => !this.has(name))
  }

  /** What both sets grant: a key never exceeds its owner. */
  intersect(other: PermissionSet): PermissionSet {
    return new PermissionSet([
      ...this.names.filter((name) => other.has(name)),
      ...other.names.filter((name) => this.has(name)),
    ])
  }
}
