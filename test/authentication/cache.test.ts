/** The memory of credentials: what is forgotten by a change, and which look-ups under way come too late for it. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { CredentialCache } from '../../src/authentication/cache.ts'
import type { CacheEntry, Dependencies } from '../../src/authentication/cache-entries.ts'

const FOREVER = Number.POSITIVE_INFINITY
const KINDS = ['key', 'user', 'organization', 'family', 'token', 'session'] as const

function entryOf(slot: string, dependencies: Dependencies): CacheEntry<string> {
  const times = { verifiedAt: 0, freshUntil: FOREVER, validUntil: FOREVER }
  return { proof: slot, value: slot, ...times, isStale: false, dependencies }
}

/** A cache that looks at every entry for every change, and at every change for every fill. */
class Model {
  readonly #half: number
  young = new Map<string, CacheEntry<string>>()
  old = new Map<string, CacheEntry<string>>()
  readonly #changes: ((entry: CacheEntry<string>) => boolean)[] = []

  constructor(size: number) {
    this.#half = Math.max(1, Math.ceil(size / 2))
  }

  get generation(): number {
    return this.#changes.length
  }

  get size(): number {
    return this.young.size + this.old.size
  }

  get(slot: string): CacheEntry<string> | undefined {
    const entry = this.young.get(slot) ?? this.old.get(slot)
    if (entry !== undefined && !this.young.has(slot)) this.#insert(slot, entry)
    return entry
  }

  set(slot: string, entry: CacheEntry<string>, generation: number): void {
    if (this.#changes.slice(generation).some((touches) => touches(entry))) return
    this.#insert(slot, entry)
  }

  #insert(slot: string, entry: CacheEntry<string>): void {
    this.old.delete(slot)
    this.young.set(slot, entry)
    if (this.young.size < this.#half) return
    this.old = this.young
    this.young = new Map()
  }

  forget(slot: string): void {
    this.young.delete(slot)
    this.old.delete(slot)
  }

  change(touches: (entry: CacheEntry<string>) => boolean): void {
    this.#changes.push(touches)
    for (const map of [this.young, this.old]) for (const [slot, entry] of map) if (touches(entry)) map.delete(slot)
  }
}

const subject = fc.constantFrom('one', 'two', 'three')
const kind = fc.constantFrom(...KINDS)
const slot = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
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
      const cache = new CredentialCache<string>(size)
      const model = new Model(size)
      /** Fills may have begun long before they end. */
      const begun = [{ real: 0, modelled: 0 }]
      for (const given of steps) {
        if (given.type === 'begin') begun.unshift({ real: cache.generation, modelled: model.generation })
        if (given.type === 'fill') {
          const entry = entryOf(given.slot, given.dependencies)
          const { real, modelled } = begun[Math.min(given.begun, begun.length - 1)] ?? { real: 0, modelled: 0 }
          cache.set(given.slot, entry, real)
          model.set(given.slot, entry, modelled)
        }
        if (given.type === 'get') expect(cache.get(given.slot, given.slot, 0)).toBe(model.get(given.slot))
        if (given.type === 'forget') {
          cache.forget(given.slot, given.slot)
          model.forget(given.slot)
        }
        if (given.type === 'change') {
          const { kind, subject } = given
          cache.invalidate(kind, subject)
          model.change((entry) => subject === '*' || entry.dependencies[kind] === subject)
        }
        expect(cache.size).toBe(model.size)
      }
      for (const each of ['a', 'b', 'c', 'd', 'e', 'f']) {
        expect(cache.findProven(each, each)).toBe(model.young.get(each) ?? model.old.get(each))
      }
    }),
    { numRuns: 2000 },
  )
})

describe('a look-up under way', () => {
  const KEY = entryOf('a', { key: 'key_1', user: 'user_1' })
  const known = (cache: CredentialCache<string>) => cache.findProven('a', 'a') !== undefined

  test.each<[what: string, change: (cache: CredentialCache<string>) => void, isKept: boolean]>([
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
    const cache = new CredentialCache<string>(10)
    const { generation } = cache
    change(cache)
    cache.set('a', KEY, generation)
    expect(known(cache)).toBe(isKept)
    cache.set('a', KEY, cache.generation)
    expect(known(cache)).toBe(true)
  })

  test('comes too late after more changes than are remembered, whatever they were', () => {
    const cache = new CredentialCache<string>(10)
    const early = cache.generation
    cache.invalidate('key', 'key_1')
    for (let count = 0; count < 1000; count += 1) cache.invalidate('session', `sess_${count}`)
    const late = cache.generation
    cache.set('a', KEY, early)
    expect(known(cache)).toBe(false)
    cache.invalidate('session', 'sess_0')
    cache.set('a', KEY, late)
    expect(known(cache)).toBe(true)
  })
})

test('a change of one among very many takes no longer for that', () => {
  const millisecondsFor = (size: number) => {
    const cache = new CredentialCache<string>(2 * size)
    for (let count = 0; count < size; count += 1) {
      cache.set(`slot${count}`, entryOf(`slot${count}`, { key: `key${count}`, user: 'user_1' }), cache.generation)
    }
    const start = performance.now()
    for (let count = 0; count < 500; count += 1) cache.invalidate('key', `key${count}`)
    expect(cache.size).toBe(size - 500)
    return performance.now() - start
  }
  millisecondsFor(1000)
  // It would be a hundred times as long: 500 looks at 100,000 entries are seconds.
  expect(millisecondsFor(100_000)).toBeLessThan(200)
})
