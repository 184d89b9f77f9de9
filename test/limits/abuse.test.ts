import { describe, expect, test } from 'bun:test'
import { createAddressMatcher } from '../../src/lib/ip.ts'
import { AbuseGuard, type AbuseOptions } from '../../src/limits/abuse.ts'
import { START } from './schedules.ts'

const HOUR = 3_600_000
const ADDRESS = '203.0.113.5'

function withAbuse(more: Partial<AbuseOptions> = {}) {
  const blocked: (readonly [subject: string, now: number])[] = []
  const isAllowed = createAddressMatcher(['198.51.100.0/24'])
  const guard = new AbuseGuard({
    threshold: 3,
    window: HOUR,
    capacity: 1000,
    isExempt: (address) => address !== null && isAllowed(address),
    block: (subject, now) => void blocked.push([subject, now]),
    ...more,
  })
  const note = (address: string | null, times: number, now = START) =>
    Array.from({ length: times }, () => guard.note(address, now))
  return { guard, blocked, note }
}

describe('an address', () => {
  test('is blocked by as many wrong credentials as the threshold, and not by fewer', () => {
    const { blocked, note } = withAbuse()
    expect(note(ADDRESS, 2)).toEqual([0, 0])
    expect(blocked).toEqual([])
    expect(note(ADDRESS, 1, START + 5)).toEqual([0])
    expect(blocked).toEqual([[`ip:${ADDRESS}`, START + 5]])
  })

  test('the default: 99 are not enough, the 100th blocks', () => {
    const { blocked, note } = withAbuse({ threshold: 100 })
    note(ADDRESS, 99)
    expect(blocked).toHaveLength(0)
    note(ADDRESS, 1)
    expect(blocked).toHaveLength(1)
  })

  test('is blocked anew by each that is presented all the same, such as one that was under way', () => {
    const { blocked, note } = withAbuse()
    note(ADDRESS, 5)
    expect(blocked).toHaveLength(3)
  })

  test('is not blocked by what lies further apart than the window', () => {
    const { blocked, note } = withAbuse()
    for (let times = 0; times < 20; times++) note(ADDRESS, 1, START + times * (HOUR / 2))
    expect(blocked).toEqual([])
    note(ADDRESS, 1, START + 19 * (HOUR / 2) + 1)
    expect(blocked).toHaveLength(1)
  })

  test.each([
    { name: 'another one', others: ['203.0.113.6', '203.0.113.7'] },
    { name: 'another /64', others: ['2001:db8:0:1::1', '2001:db8:0:2::1', '2001:db8:0:3::1'] },
    { name: 'none', others: [null] },
  ])('does not pay for $name', ({ others }) => {
    const { blocked, note } = withAbuse()
    for (const other of others) note(other, 2)
    note(ADDRESS, 2)
    expect(blocked).toEqual([])
  })

  test.each([
    {
      name: 'written in two ways',
      addresses: ['203.0.113.5', '::ffff:203.0.113.5', '203.0.113.5'],
      subject: `ip:${ADDRESS}`,
    },
    { name: 'of one /64', addresses: ['2001:db8::1', '2001:db8::2', '2001:db8::ffff:3'], subject: 'ip:2001:db8::/64' },
  ])('$name is one', ({ addresses, subject }) => {
    const { blocked, note } = withAbuse()
    for (const address of addresses) note(address, 1)
    expect(blocked.map(([each]) => each)).toEqual([subject])
  })

  test('of the allow-list is neither counted nor blocked', () => {
    const { blocked, note } = withAbuse()
    expect(new Set(note('198.51.100.7', 1000))).toEqual(new Set([0]))
    expect(blocked).toEqual([])
  })

  test('that is forgotten starts anew', () => {
    const { guard, blocked, note } = withAbuse()
    note(ADDRESS, 2)
    note('203.0.113.6', 2)
    guard.forgetHere(`ip:${ADDRESS}`)
    note(ADDRESS, 2)
    expect(blocked).toEqual([])
    note('203.0.113.6', 1)
    expect(blocked).toEqual([['ip:203.0.113.6', START]])
  })
})

describe('where no address is known', () => {
  test('nobody is blocked: who presents one too many waits until one is forgotten', () => {
    const { blocked, note } = withAbuse()
    expect(note(null, 1)).toEqual([0])
    expect(note(null, 4, START + 1000)).toEqual([0, 0, HOUR - 1000, HOUR - 1000])
    expect(note(null, 1, START + HOUR - 1)).toEqual([1])
    expect(note(null, 1, START + HOUR)).toEqual([0])
    expect(blocked).toEqual([])
  })
})

test('who was counted before a flood of addresses is counted on its own, and blocked by its own', () => {
  const { guard, blocked, note } = withAbuse({ threshold: 500, capacity: 100 })
  note(ADDRESS, 498)
  for (let index = 0; index < 400; index++) guard.note(`10.0.${index >> 8}.${index & 255}`, START)
  note(ADDRESS, 1)
  expect(blocked).toEqual([])
  note(ADDRESS, 1)
  expect(blocked).toEqual([[`ip:${ADDRESS}`, START]])
})

test('who comes in a flood of more addresses than are remembered is not blocked for the others', () => {
  const { guard, blocked, note } = withAbuse({ threshold: 100, capacity: 1000 })
  for (let index = 0; index < 1500; index++) guard.note(`10.0.${index >> 8}.${index & 255}`, START)
  note(ADDRESS, 1)
  expect(blocked).toEqual([])
  // Once it is over, everybody is counted by himself again.
  note(ADDRESS, 99, START + 2 * HOUR + 2)
  expect(blocked).toEqual([])
  note(ADDRESS, 1, START + 2 * HOUR + 3)
  expect(blocked).toEqual([[`ip:${ADDRESS}`, START + 2 * HOUR + 3]])
})
