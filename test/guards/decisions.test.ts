/** What was decided elsewhere, until it is asked for: nothing passes uncounted, and nothing is counted twice. */
import { describe, expect, test } from 'bun:test'
import { Decisions } from '../../src/guards/decisions.ts'
import { Limiter, type Reading } from '../../src/limits/limiter.ts'
import { createRate } from '../../src/limits/rate.ts'
import type { SharedClaim } from '../../src/limits/shared-limits.ts'
import { MemorySharedLimits } from '../support/shared-limits.ts'

const RATE = createRate({ limit: 2, window: 60_000 })

function claimOf(place: string, cost = 1): SharedClaim {
  return { place, subject: 'ip:10.0.0.1', cost, limiter: new Limiter(RATE, 10) }
}

function reading(isAllowed: boolean, remaining = 7): Reading {
  return { rate: RATE, isAllowed, remaining, resetAfter: 1000, retryAfter: isAllowed ? 0 : 1000 }
}

describe('of two claims that count together', () => {
  test.each<[name: string, given: readonly (Reading | undefined)[], said: readonly unknown[]]>([
    ['what was taken counts', [reading(true), reading(true)], [true, true]],
    ['what was refused is refused', [reading(true), reading(false)], [true, false]],
    ['of what nobody asked for nothing is said', [undefined, reading(false)], [undefined, false]],
  ])('%s, and nobody is asked again', (_, given, said) => {
    const shared = new MemorySharedLimits()
    const claims = [claimOf('a'), claimOf('b')]
    const decisions = new Decisions(shared)
    decisions.decided(claims, given)
    expect(decisions.fetch(claims, 0).map((each) => each?.isAllowed)).toEqual([...said] as never)
    expect(shared.calls.told).toEqual([])
  })
})

test('what was not taken, since something else was refused, counts when it is asked for alone, once', () => {
  const shared = new MemorySharedLimits()
  const [mine, other] = [claimOf('mine'), claimOf('other')]
  const decide = () => {
    const decisions = new Decisions(shared)
    decisions.decided([mine, other], [reading(true, 5), reading(false)])
    return [decisions.fetch([mine], 0)[0], decisions.fetch([mine], 0)[0]].map((each) => each?.isAllowed)
  }
  expect([decide(), decide(), decide()]).toEqual([
    [true, true],
    [true, true],
    [false, false],
  ])
  expect(shared.calls.told).toEqual([['mine ip:10.0.0.1'], ['mine ip:10.0.0.1']])
})

test('what nobody has foreseen counts at once, beside what was', () => {
  const shared = new MemorySharedLimits()
  const [foreseen, unforeseen] = [claimOf('foreseen'), claimOf('unforeseen')]
  const decisions = new Decisions(shared)
  decisions.decided([foreseen], [reading(true)])
  decisions.fetch([foreseen, unforeseen], 0)
  expect(shared.calls.told).toEqual([['unforeseen ip:10.0.0.1']])
  expect(decisions.readingOf(unforeseen)?.remaining).toBe(1)
  expect(decisions.has(unforeseen)).toBe(false)
  // Another cost is another claim.
  const dearer = { ...foreseen, cost: 2 }
  expect(decisions.has(dearer)).toBe(false)
  decisions.fetch([dearer], 0)
  expect(shared.calls.told).toEqual([['unforeseen ip:10.0.0.1'], ['foreseen ip:10.0.0.1']])
})

test('the limiter of a claim itself counts nothing: it would count for this process alone', () => {
  const claim = claimOf('a')
  const decisions = new Decisions(new MemorySharedLimits())
  decisions.fetch([claim], 0)
  expect(claim.limiter.read(claim.subject, 0, 0).remaining).toBe(RATE.limit)
})

test('a decision is to be had once, and the newest counts', () => {
  const claim = claimOf('a')
  const decisions = new Decisions(new MemorySharedLimits())
  decisions.decided([claim], [reading(false)])
  expect(decisions.has(claim)).toBe(true)
  expect(decisions.isRefused(claim)).toBe(true)
  expect(decisions.fetch([claim], 0)[0]?.isAllowed).toBe(false)
  expect(decisions.has(claim)).toBe(false)
  expect(decisions.fetch([claim], 0)[0]?.isAllowed).toBe(false)
  decisions.decided([claim], [reading(true, 3)])
  expect(decisions.isRefused(claim)).toBe(false)
  expect(decisions.fetch([claim], 0)[0]).toMatchObject({ isAllowed: true, remaining: 3 })
  expect(decisions.readingOf(claim)?.remaining).toBe(3)
})

test('a failure is thrown where what failed is asked for, and nowhere else', () => {
  const shared = new MemorySharedLimits()
  const [failed, other] = [claimOf('failed'), claimOf('other')]
  const decisions = new Decisions(shared)
  decisions.failed([failed], new Error('away'))
  expect(() => decisions.fetch([other, failed], 0)).toThrow('away')
  expect(decisions.fetch([other], 0)[0]?.isAllowed).toBe(true)
  expect(shared.calls.told).toEqual([['other ip:10.0.0.1']])
  const leaveNever = () => expect.unreachable()
  decisions.placed({ place: 'p', subject: 's', most: 1 }, { reason: new Error('away too') })
  expect(() => decisions.enter({ place: 'p', subject: 's', most: 1 }, leaveNever)).toThrow('away too')
})

test('who is nowhere foreseen fails where shared counts are away that must not be', () => {
  const shared = new MemorySharedLimits()
  shared.isAway = true
  const decisions = new Decisions(shared)
  const fail = expect.objectContaining({ code: 'storage_unavailable' })
  expect(() => decisions.fetch([claimOf('a')], 0)).toThrow(fail)
  expect(() => decisions.enter({ place: 'p', subject: 's', most: 1 }, () => undefined)).toThrow(fail)
})

test('a place that nobody asked for is entered at once, and left once', () => {
  const shared = new MemorySharedLimits()
  const claimed = { place: 'p', subject: 's', most: 1 }
  const leaving: (() => void)[] = []
  const enter = (decisions: Decisions) => decisions.enter(claimed, (leave) => void leaving.push(leave))
  const first = new Decisions(shared)
  expect([enter(first), enter(first), enter(new Decisions(shared))]).toEqual([true, true, false])
  expect([leaving.length, shared.underWay]).toEqual([1, 1])
  leaving[0]?.()
  expect(enter(new Decisions(shared))).toBe(true)
})
