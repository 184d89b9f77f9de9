import { expect, test } from 'bun:test'
import { MasterKeyThrottle } from '../../src/limits/master-key-throttle.ts'
import { START } from './schedules.ts'

const MINUTE = 60_000
const CAPACITY = 10

function createThrottle() {
  const time = { now: START }
  const noted: string[] = []
  const throttle = new MasterKeyThrottle({
    clock: () => time.now,
    capacity: CAPACITY,
    note: async ({ address }) => void noted.push(String(address)),
    meter: null,
  })
  return {
    time,
    noted,
    isRightLetThrough: (address: string) => throttle.attempt(true, address, 'request') === 0,
    guess: (address: string) => throttle.attempt(false, address, 'request') === 0,
  }
}

const addressOf = (count: number) => `203.0.113.${count}`

test('what all addresses without a place guess is bounded, by as much as those that have one may', () => {
  const { time, noted, isRightLetThrough, guess } = createThrottle()
  for (let count = 0; count < CAPACITY; count += 1) guess(addressOf(count))
  // Five are looked at, as of one address.
  const seen = Array.from({ length: 5 + 5 * CAPACITY - 1 }, () => guess('198.51.100.1'))
  expect(seen.filter(Boolean)).toHaveLength(5)
  expect(noted).toHaveLength(CAPACITY + 5)
  expect(isRightLetThrough('198.51.100.2')).toBe(true)
  guess('198.51.100.3')
  expect(isRightLetThrough('198.51.100.2')).toBe(false)
  expect(isRightLetThrough(addressOf(0))).toBe(true)
  time.now += 2 * MINUTE
  expect(isRightLetThrough('198.51.100.2')).toBe(true)
})

test('an address that had a place when it guessed waits, however many others do', () => {
  const { isRightLetThrough, guess } = createThrottle()
  for (let time = 0; time < 5; time += 1) guess(addressOf(0))
  for (let count = 1; count < 50; count += 1) guess(addressOf(count))
  expect([isRightLetThrough(addressOf(0)), isRightLetThrough(addressOf(200))]).toEqual([false, true])
})
