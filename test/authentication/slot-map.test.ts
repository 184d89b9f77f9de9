/** A map by slots does what JavaScript's own does. */
import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { SlotMap } from '../../src/authentication/slot-map.ts'

const LARGEST = 2 ** 52 - 1
/** Of few, so that they meet again, and of all that there can be. */
const slot = fc.oneof(
  fc.nat(40),
  fc.nat(40).map((each) => each * 0x1_00_00_00),
  fc.maxSafeNat().map((n) => n % LARGEST),
)
const step = fc.record({ slot, value: fc.option(fc.nat(), { nil: undefined, freq: 2 }) })

test('holds what was put in last, in the order in which it came, whatever is taken out between', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
      const map = new SlotMap<number>()
      const model = new Map<number, number>()
      for (const { slot: at, value } of steps) {
        if (value === undefined) {
          map.delete(at)
          model.delete(at)
        } else {
          map.set(at, value)
          model.set(at, value)
        }
        expect(map.size).toBe(model.size)
        expect(map.first()).toBe(model.keys().next().value)
      }
      for (const { slot: at } of steps) expect(map.get(at)).toBe(model.get(at))
    }),
    { numRuns: 300 },
  )
})

test('holds many, and finds nothing once all were taken out', () => {
  const map = new SlotMap<number>()
  const slots = Array.from({ length: 20_000 }, (_, index) => (index * 2_654_435_761) % LARGEST)
  for (const [index, each] of slots.entries()) map.set(each, index)
  expect(slots.every((each, index) => map.get(each) === index)).toBeTrue()
  for (const each of slots) {
    expect(map.first()).toBe(each)
    map.delete(each)
  }
  expect(map.size).toBe(0)
  expect(slots.some((each) => map.get(each) !== undefined)).toBeFalse()
})
