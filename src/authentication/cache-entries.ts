/** What a cache of credentials holds, found by the credential and by what it depends on. */

const KINDS = ['key', 'user', 'organization', 'family', 'token', 'session'] as const

/** What a credential can depend on. */
export type DependencyKind = (typeof KINDS)[number]

/** What a cached credential depends on: a change to any of these makes it forgotten. */
export type Dependencies = { readonly [Kind in DependencyKind]?: string | null }

export interface CacheEntry<T> {
  /**
   * What the presented text must equal: its SHA-256, so that the cache holds no credential. A JWT is kept as it is:
   * it is long, dies within minutes, and whoever gets as far as its slot already has its signature.
   */
  readonly proof: Uint8Array | string
  readonly value: T
  /** ms; when it was verified against storage: since then storage may know better. */
  readonly verifiedAt: number
  /** ms, at most `validUntil`; from then on storage is asked again. */
  freshUntil: number
  /** ms; the credential's own end: from then on the entry counts as absent. */
  readonly validUntil: number
  /** Whether storage was away when it was asked again. */
  isStale: boolean
  readonly dependencies: Dependencies
}

/** Tells of all that an entry depends on. */
export function forEachDependency(
  dependencies: Dependencies,
  tell: (kind: DependencyKind, subject: string) => void,
): void {
  for (const kind of KINDS) {
    const subject = dependencies[kind]
    if (typeof subject === 'string') tell(kind, subject)
  }
}

/** The slots that depend on a subject: mostly one, which needs no set of its own. */
type Slots = string | Set<string>

type SlotsBySubject = Map<string, Slots>

function link(bySubject: SlotsBySubject, subject: string, slot: string): void {
  const slots = bySubject.get(subject)
  if (slots === undefined) bySubject.set(subject, slot)
  else if (typeof slots === 'string') bySubject.set(subject, new Set([slots, slot]))
  else slots.add(slot)
}

function unlink(bySubject: SlotsBySubject, subject: string, slot: string): void {
  const slots = bySubject.get(subject)
  if (typeof slots === 'object') slots.delete(slot)
  if (slots === slot || (typeof slots === 'object' && slots.size === 0)) bySubject.delete(subject)
}

/** Entries by slot. A change looks at those that depend on it only, however many there are. */
export class CacheEntries<T> {
  readonly #entries = new Map<string, CacheEntry<T>>()
  readonly #dependents: Readonly<Record<DependencyKind, SlotsBySubject>> = {
    key: new Map(),
    user: new Map(),
    organization: new Map(),
    family: new Map(),
    token: new Map(),
    session: new Map(),
  }

  get size(): number {
    return this.#entries.size
  }

  get(slot: string): CacheEntry<T> | undefined {
    return this.#entries.get(slot)
  }

  set(slot: string, entry: CacheEntry<T>): void {
    this.delete(slot)
    this.#entries.set(slot, entry)
    forEachDependency(entry.dependencies, (kind, subject) => link(this.#dependents[kind], subject, slot))
  }

  delete(slot: string): void {
    const entry = this.#entries.get(slot)
    if (entry === undefined) return
    this.#entries.delete(slot)
    forEachDependency(entry.dependencies, (kind, subject) => unlink(this.#dependents[kind], subject, slot))
  }

  deleteDependents(kind: DependencyKind, subject: string): void {
    const slots = this.#dependents[kind].get(subject)
    if (slots === undefined) return
    for (const slot of typeof slots === 'string' ? [slots] : slots) this.delete(slot)
  }
}
