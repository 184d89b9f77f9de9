/** What a cache of credentials holds, found by the credential and by what it depends on. */
import type { Proof } from './proof.ts'

const KINDS = ['key', 'user', 'organization', 'family', 'token', 'session'] as const

/** What a credential can depend on. */
export type DependencyKind = (typeof KINDS)[number]

/** What a cached credential depends on: a change to any of these makes it forgotten. */
export type Dependencies = { readonly [Kind in DependencyKind]?: string | null }

/** What is remembered of one credential. */
export interface CacheEntry<B, P> {
  readonly proof: Proof
  /** Null when it must be made anew for every request. */
  readonly principal: P | null
  /** What the principal is made from; null where that is not needed again. */
  readonly base: B | null
  /** ms; when it was verified against storage: since then storage may know better. */
  readonly verifiedAt: number
  /** ms, at most `validUntil`; from then on storage is asked again. */
  freshUntil: number
  /** ms; the credential's own end: from then on the entry counts as absent. */
  readonly validUntil: number
  /** Whether storage was away when it was asked again. */
  isStale: boolean
  /** What cannot be told from the slot it is in. */
  readonly dependencies: Dependencies
}

/** Whose slot is known without having been noted: that of a key, by the id that its text has too. */
export interface OwnSlots {
  readonly kind: DependencyKind
  slotOf(subject: string): number
}

const NONE: Dependencies = Object.freeze({})

/** What must be noted of a credential in a slot, so that a change finds it. */
export function notedOf(dependencies: Dependencies, slot: number, own: OwnSlots | undefined): Dependencies {
  const subject = own === undefined ? null : dependencies[own.kind]
  if (own === undefined || typeof subject !== 'string' || own.slotOf(subject) !== slot) return dependencies
  const { user = null, organization = null, ...others } = dependencies
  const hasOthers = KINDS.some((kind) => kind !== own.kind && kind in others)
  if (hasOthers) return dependencies
  return user === null && organization === null ? NONE : { user, organization }
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
type Slots = number | Set<number>

type SlotsBySubject = Map<string, Slots>

function link(bySubject: SlotsBySubject, subject: string, slot: number): void {
  const slots = bySubject.get(subject)
  if (slots === undefined) bySubject.set(subject, slot)
  else if (typeof slots === 'number') bySubject.set(subject, new Set([slots, slot]))
  else slots.add(slot)
}

function unlink(bySubject: SlotsBySubject, subject: string, slot: number): void {
  const slots = bySubject.get(subject)
  if (typeof slots === 'object') slots.delete(slot)
  if (slots === slot || (typeof slots === 'object' && slots.size === 0)) bySubject.delete(subject)
}

/** Entries by slot. A change looks at those that depend on it only, however many there are. */
export class CacheEntries<B, P> {
  readonly #own: OwnSlots | undefined
  readonly #entries = new Map<number, CacheEntry<B, P>>()
  readonly #dependents: Readonly<Record<DependencyKind, SlotsBySubject>> = {
    key: new Map(),
    user: new Map(),
    organization: new Map(),
    family: new Map(),
    token: new Map(),
    session: new Map(),
  }

  #first: MapIterator<number> | undefined

  constructor(own: OwnSlots | undefined) {
    this.#own = own
  }

  get size(): number {
    return this.#entries.size
  }

  get(slot: number): CacheEntry<B, P> | undefined {
    return this.#entries.get(slot)
  }

  set(slot: number, entry: CacheEntry<B, P>): void {
    this.delete(slot)
    this.#entries.set(slot, entry)
    forEachDependency(entry.dependencies, (kind, subject) => link(this.#dependents[kind], subject, slot))
  }

  delete(slot: number): void {
    const entry = this.#entries.get(slot)
    if (entry === undefined) return
    this.#entries.delete(slot)
    forEachDependency(entry.dependencies, (kind, subject) => unlink(this.#dependents[kind], subject, slot))
  }

  /** Drops what was set before all others; only once nothing more is set. */
  dropFirst(): void {
    // Kept: a new one would look at the place of each that was dropped before.
    this.#first ??= this.#entries.keys()
    const { done, value } = this.#first.next()
    if (done !== true) this.delete(value)
  }

  deleteDependents(kind: DependencyKind, subject: string): void {
    if (this.#own?.kind === kind) this.delete(this.#own.slotOf(subject))
    const slots = this.#dependents[kind].get(subject)
    if (slots === undefined) return
    for (const slot of typeof slots === 'number' ? [slots] : slots) this.delete(slot)
  }
}
