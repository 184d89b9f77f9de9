/** What a cache of credentials holds, found by the credential and by what it depends on. */
import type { Proof } from './proof.ts'
import { SlotMap } from './slot-map.ts'
import { slotOfDigest } from './slots.ts'

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

/** By a part of the subject's digest: should two subjects share one, a change of either forgets what depends on both. */
type SlotsBySubject = SlotMap<Slots>

function link(bySubject: SlotsBySubject, subject: string, slot: number): void {
  const digest = slotOfDigest(subject)
  const slots = bySubject.get(digest)
  if (slots === undefined) bySubject.set(digest, slot)
  else if (typeof slots === 'number') bySubject.set(digest, new Set([slots, slot]))
  else slots.add(slot)
}

function unlink(bySubject: SlotsBySubject, subject: string, slot: number): void {
  const digest = slotOfDigest(subject)
  const slots = bySubject.get(digest)
  if (typeof slots === 'object') slots.delete(slot)
  if (slots === slot || (typeof slots === 'object' && slots.size === 0)) bySubject.delete(digest)
}

/** Entries by slot. A change looks at those that depend on it only, however many there are. */
export class CacheEntries<B, P> {
  readonly #own: OwnSlots | undefined
  readonly #entries = new SlotMap<CacheEntry<B, P>>()
  readonly #dependents: Readonly<Record<DependencyKind, SlotsBySubject>> = {
    key: new SlotMap(),
    user: new SlotMap(),
    organization: new SlotMap(),
    family: new SlotMap(),
    token: new SlotMap(),
    session: new SlotMap(),
  }

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

  /** Drops what was set before all others. */
  dropFirst(): void {
    const slot = this.#entries.first()
    if (slot !== undefined) this.delete(slot)
  }

  deleteDependents(kind: DependencyKind, subject: string): void {
    if (this.#own?.kind === kind) this.delete(this.#own.slotOf(subject))
    const slots = this.#dependents[kind].get(slotOfDigest(subject))
    if (slots === undefined) return
    for (const slot of typeof slots === 'number' ? [slots] : slots) this.delete(slot)
  }
}
