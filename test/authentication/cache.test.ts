/** The memory of credentials: what is forgotten by a change, and which look-ups under way come too late for it. */
import { describe, expect, spyOn, test } from 'bun:test'
import fc from 'fast-check'
import { CredentialCache } from '../../src/authentication/cache.ts'
import {
  CacheEntries,
  type CacheEntry,
  type Dependencies,
  notedOf,
  type OwnSlots,
} from '../../src/authentication/cache-entries.ts'

const FOREVER = Number.POSITIVE_INFINITY
const KINDS = ['key', 'user', 'organization', 'family', 'token', 'session'] as const

type Entry = CacheEntry<null, string>
type Cache = CredentialCache<null, string>

const SLOTS = [0, 1, 2, 3, 4, 5] as const
const SUBJECTS = ['one', 'two', 'three']
/** Keys have slots that their ids tell: whatever is there is forgotten when the key changes. */
const OWN: OwnSlots = { kind: 'key', slotOf: (id) => SUBJECTS.indexOf(id) }

const textOf = (slot: number) => `text ${slot}`

function entryOf(slot: number, dependencies: Dependencies): Entry {
  const times = { verifiedAt: 0, freshUntil: FOREVER, validUntil: FOREVER }
  const noted = notedOf(dependencies, slot, OWN)
  return { proof: textOf(slot), principal: textOf(slot), base: null, ...times, isStale: false, dependencies: noted }
}

interface Filled {
  readonly slot: number
  readonly entry: Entry
  readonly dependencies: Dependencies
}

type Touches = (filled: Filled) => boolean

/** A cache that looks at every entry for every change, and at every change for every fill. */
class Model {
  readonly #most: number
  young = new Map<number, Filled>()
  old = new Map<number, Filled>()
  readonly #changes: { readonly touches: Touches; readonly isNamed: Touches }[] = []

  constructor(size: number) {
    this.#most = size
  }

  get generation(): number {
    return this.#changes.length
  }

  get size(): number {
    return this.young.size + this.old.size
  }

  find(slot: number): Entry | undefined {
    return (this.young.get(slot) ?? this.old.get(slot))?.entry
  }

  get(slot: number): Entry | undefined {
    const filled = this.young.get(slot) ?? this.old.get(slot)
    if (filled !== undefined && !this.young.has(slot)) this.#insert(filled)
    return filled?.entry
  }

  set(filled: Filled, generation: number): void {
    if (this.#changes.slice(generation).some(({ isNamed }) => isNamed(filled))) return
    this.#insert(filled)
  }

  #insert(filled: Filled): void {
    this.forget(filled.slot)
    this.young.set(filled.slot, filled)
    if (this.size <= this.#most) return
    if (this.old.size === 0) {
      this.old = this.young
      this.young = new Map()
    }
    const [first = -1] = this.old.keys()
    this.old.delete(first)
  }

  forget(slot: number): void {
    this.young.delete(slot)
    this.old.delete(slot)
  }

  /** @param isNamed whether it comes too late for a change, which tells by its dependencies alone */
  change(touches: Touches, isNamed: Touches): void {
    this.#changes.push({ touches, isNamed })
    for (const map of [this.young, this.old]) for (const [slot, each] of map) if (touches(each)) map.delete(slot)
  }
}

const subject = fc.constantFrom(...SUBJECTS)
const kind = fc.constantFrom(...KINDS)
const slot = fc.constantFrom(...SLOTS)
const dependencies = fc.record(
  { key: fc.option(subject), user: fc.option(subject), organization: fc.option(subject), session: fc.option(subject) },
  { requiredKeys: [] },
)
const step = fc.oneof(
  fc.record({ type: fc.constant('begin' as const) }),
  fc.record({ type: fc.constant('fill' as const), slot, dependencies, begun: fc.nat(3) }),
  fc.record({ type: fc.constant('get' as const), slot }),
  fc.record({ type: fc.constant('forget' as const), slot }),
  fc.record({
    type: fc.constant('change' as const),
    kind,
    subject: fc.oneof({ weight: 9, arbitrary: subject }, fc.constant('*')),
  }),
)

test('it holds what a cache would that looks at everything each time', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.array(step, { maxLength: 60 }), (size, steps) => {
      const cache: Cache = new CredentialCache(size, OWN)
      const model = new Model(size)
      /** Fills may have begun long before they end. */
      const begun = [{ real: 0, modelled: 0 }]
      for (const given of steps) {
        if (given.type === 'begin') begun.unshift({ real: cache.generation, modelled: model.generation })
        if (given.type === 'fill') {
          const filled = { ...given, entry: entryOf(given.slot, given.dependencies) }
          const { real, modelled } = begun[Math.min(given.begun, begun.length - 1)] ?? { real: 0, modelled: 0 }
          cache.set(filled.slot, filled.entry, filled.dependencies, real)
          model.set(filled, modelled)
        }
        if (given.type === 'get') expect(cache.get(given.slot, textOf(given.slot), 0)).toBe(model.get(given.slot))
        if (given.type === 'forget') {
          cache.forget(given.slot, textOf(given.slot))
          model.forget(given.slot)
        }
        if (given.type === 'change') {
          const { kind, subject } = given
          const isNamed: Touches = ({ dependencies }) => subject === '*' || dependencies[kind] === subject
          cache.invalidate(kind, subject)
          model.change(
            (filled) => isNamed(filled) || (kind === OWN.kind && OWN.slotOf(subject) === filled.slot),
            isNamed,
          )
        }
        expect(cache.size).toBe(model.size)
      }
      for (const each of SLOTS) expect(cache.findProven(each, textOf(each))).toBe(model.find(each))
    }),
    { numRuns: 2000 },
  )
})

describe('a look-up under way', () => {
  const DEPENDENCIES = { key: 'key_1', user: 'user_1' }
  const KEY = entryOf(0, DEPENDENCIES)
  const known = (cache: Cache) => cache.findProven(0, textOf(0)) !== undefined

  test.each<[what: string, change: (cache: Cache) => void, isKept: boolean]>([
    ['nothing', () => undefined, true],
    ['its key', (cache) => cache.invalidate('key', 'key_1'), false],
    ['its user', (cache) => cache.invalidate('user', 'user_1'), false],
    ['another key', (cache) => cache.invalidate('key', 'key_2'), true],
    ['a session that is called like its key', (cache) => cache.invalidate('session', 'key_1'), true],
    ['every user', (cache) => cache.invalidate('user', '*'), false],
    ['everything', (cache) => cache.clear(), false],
    ['a block of that name', (cache) => cache.invalidate('block', 'key_1'), true],
    ['a signing key', (cache) => cache.invalidate('signing_key', '*'), true],
  ])('comes too late or not after a change of %s', (_, change, isKept) => {
    const cache: Cache = new CredentialCache(10, OWN)
    const { generation } = cache
    change(cache)
    cache.set(0, KEY, DEPENDENCIES, generation)
    expect(known(cache)).toBe(isKept)
    cache.set(0, KEY, DEPENDENCIES, cache.generation)
    expect(known(cache)).toBe(true)
  })

  test('comes too late after more changes than are remembered, whatever they were', () => {
    const cache: Cache = new CredentialCache(10, OWN)
    const early = cache.generation
    cache.invalidate('key', 'key_1')
    for (let count = 0; count < 1000; count += 1) cache.invalidate('session', `sess_${count}`)
    const late = cache.generation
    cache.set(0, KEY, DEPENDENCIES, early)
    expect(known(cache)).toBe(false)
    cache.invalidate('session', 'sess_0')
    cache.set(0, KEY, DEPENDENCIES, late)
    expect(known(cache)).toBe(true)
  })
})

test.each([1, 2, 3, 10, 1000])(
  'as many as it may hold, %i, are held when they come in turn, and one more drops one',
  (size) => {
    const cache: Cache = new CredentialCache(size)
    const look = (slot: number) => cache.get(slot, textOf(slot), 0)
    const fill = (slot: number) => cache.set(slot, entryOf(slot, {}), {}, cache.generation)
    for (let round = 0; round < 3; round += 1) {
      for (let slot = 0; slot < size; slot += 1) if (look(slot) === undefined) fill(slot)
    }
    expect([cache.size, cache.evictions]).toEqual([size, 0])
    fill(size)
    expect([cache.size, cache.evictions, look(size)?.principal]).toEqual([size, 1, textOf(size)])
    expect(look(0)).toBeUndefined()
  },
)

test('a change of one among very many looks at no other', () => {
  const size = 1000
  const cache: Cache = new CredentialCache(size)
  for (let count = 0; count < size; count += 1) {
    const dependencies = { key: `key${count}`, user: 'user_1' }
    cache.set(count, entryOf(count, dependencies), dependencies, cache.generation)
  }
  const remove = spyOn(CacheEntries.prototype, 'delete')
  for (let count = 0; count < 500; count += 1) cache.invalidate('key', `key${count}`)
  expect(cache.size).toBe(size - 500)
  expect(remove.mock.calls.length).toBe(500)
  remove.mockRestore()
})
