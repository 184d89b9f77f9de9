import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { InFlight } from '../../src/limits/in-flight.ts'

test('as many are let in at once as is said, and one more for each that leaves', () => {
  const inFlight = new InFlight()
  expect([1, 2, 3, 4].map(() => inFlight.enter('a', 2))).toEqual([true, true, false, false])
  inFlight.leave('a')
  expect([inFlight.enter('a', 2), inFlight.enter('a', 2)]).toEqual([true, false])
})

test('whoever was not let in takes no place', () => {
  const inFlight = new InFlight()
  inFlight.enter('a', 1)
  for (let times = 0; times < 5; times++) expect(inFlight.enter('a', 1)).toBe(false)
  inFlight.leave('a')
  expect(inFlight.size).toBe(0)
  expect(inFlight.enter('a', 1)).toBe(true)
})

test('a lowered cap holds for those who come', () => {
  const inFlight = new InFlight()
  for (let times = 0; times < 3; times++) inFlight.enter('a', 3)
  expect(inFlight.enter('a', 1)).toBe(false)
  for (let times = 0; times < 2; times++) inFlight.leave('a')
  expect(inFlight.enter('a', 1)).toBe(false)
  inFlight.leave('a')
  expect(inFlight.enter('a', 1)).toBe(true)
})

test('leaving once too often lets in nobody more', () => {
  const inFlight = new InFlight()
  inFlight.leave('a')
  expect([inFlight.enter('a', 1), inFlight.enter('a', 1)]).toEqual([true, false])
})

test('subjects do not count for each other, and who has none under way takes no room', () => {
  const most = 3
  const subjects = fc.constantFrom('', 'a', 'b', 'a\n', '__proto__', 'constructor')
  const step = fc.record({ subject: subjects, enters: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const inFlight = new InFlight()
      const counts = new Map<string, number>()
      for (const { subject, enters } of steps) {
        const count = counts.get(subject) ?? 0
        if (enters) expect(inFlight.enter(subject, most)).toBe(count < most)
        else if (count > 0) inFlight.leave(subject)
        counts.set(subject, enters ? Math.min(most, count + 1) : Math.max(0, count - 1))
      }
      expect(inFlight.size).toBe([...counts.values()].filter((count) => count > 0).length)
    }),
  )
})
