/** What keeps guessers of passwords waiting, in several processes that share counts. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { LoginThrottle } from '../../src/accounts/login-throttle.ts'
import { FakeSharedLimits, settle } from '../limits/fake-shared-limits.ts'
import { createMemoryStorage } from '../support/memory-storage.ts'
import { expectRefused } from '../support/refusals.ts'
import { START } from '../support/services.ts'

const WINDOW = 900_000
const LOCKED = WINDOW / 1000
const ALICE = 'alice@example.com'
const HOME = '203.0.113.5'

const strangerOf = (count: number) => `10.0.${count >> 8}.${count & 255}`

function withProcesses(processes = 2) {
  const time = { now: START }
  const clock = () => time.now
  const storage = createMemoryStorage(clock)
  const shared = new FakeSharedLimits(clock)
  const throttles = Array.from(
    { length: processes },
    () =>
      new LoginThrottle({
        store: storage.loginAddresses,
        clock,
        rate: { limit: 5, window: WINDOW },
        capacity: 1000,
        nameKey: new Uint8Array(32).fill(7),
        meter: null,
        shared,
      }),
  )
  let verified = 0
  /** How an attempt ends: as it is, or how long to wait (s). */
  async function attempt(process: number, password: 'right' | 'wrong', address = HOME, email = ALICE) {
    const throttle = throttles[process] as LoginThrottle
    const run = throttle.run(email, address, async () => {
      verified += 1
      await settle()
      return password === 'right' ? 'right' : null
    })
    const outcome = await run.catch((error: unknown) => error)
    await settle()
    if (outcome === null) return 'wrong'
    if (outcome === 'right') return 'right'
    return (await expectRefused(Promise.reject(outcome), 'locked_out')).extras.retryAfter ?? 'never'
  }
  return { time, shared, attempt, verified: () => verified }
}

describe('an address', () => {
  test('has five failures in all processes together, wherever they are', async () => {
    const schedules = fc.array(fc.record({ process: fc.nat(2), account: fc.nat(20) }), { minLength: 6, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(schedules, async (given) => {
        const { attempt, verified } = withProcesses(3)
        const said: unknown[] = []
        for (const { process, account } of given) said.push(await attempt(process, 'wrong', HOME, `${account}@x.org`))
        expect(said).toEqual(given.map((_, index) => (index < 5 ? 'wrong' : LOCKED)))
        for (const process of [0, 1, 2]) expect(await attempt(process, 'right')).toBe(LOCKED)
        expect(verified()).toBe(5)
      }),
      { numRuns: 30 },
    )
  })

  test('is let in again when its failures are old: where it failed itself, or a window after they were heard of', async () => {
    const { time, attempt } = withProcesses(3)
    for (const process of [0, 1, 0, 1, 0]) expect(await attempt(process, 'wrong')).toBe('wrong')
    time.now += 1000
    for (const process of [0, 1]) expect(await attempt(process, 'right')).toBe(LOCKED - 1)
    expect(await attempt(2, 'right')).toBe(LOCKED)
    time.now += WINDOW - 1000
    for (const process of [0, 1]) expect(await attempt(process, 'right')).toBe('right')
    expect(await attempt(2, 'right')).toBe(1)
    time.now += 1000
    expect(await attempt(2, 'right')).toBe('right')
  })

  test('that guesses at all processes at once has as many as each of them verifies at once, and then none', async () => {
    const { attempt, verified } = withProcesses(3)
    const guesses = Array.from({ length: 90 }, (_, index) => attempt(index % 3, 'wrong', HOME, `${index}@x.org`))
    const outcomes = await Promise.all(guesses)
    expect(outcomes.filter((outcome) => outcome === 'wrong')).toHaveLength(15)
    expect(verified()).toBe(15)
    for (const process of [0, 1, 2]) expect(await attempt(process, 'right')).toBe(LOCKED)
  })

  test('pays for no other, and right passwords for nothing', async () => {
    const { attempt, shared } = withProcesses()
    for (const process of [0, 1, 0, 1]) await attempt(process, 'wrong')
    for (const process of [0, 1, 0, 1]) expect(await attempt(process, 'right')).toBe('right')
    await attempt(1, 'wrong')
    expect(await attempt(0, 'right', '198.51.100.7')).toBe('right')
    expect(shared.asked.join()).not.toContain(ALICE)
  })

  test('that is locked out asks nobody', async () => {
    const { attempt, shared } = withProcesses()
    for (const process of [0, 1, 0, 1, 0]) await attempt(process, 'wrong')
    await attempt(1, 'wrong')
    const before = shared.asked.length
    for (let times = 0; times < 50; times += 1) await attempt(times % 2, 'right')
    expect(shared.asked).toHaveLength(before)
  })

  test.each(['local', 'refuse'] as const)('has five in each process while counts are away: %s', async (how) => {
    const { attempt, shared } = withProcesses()
    shared.away = how
    for (const process of [0, 1]) {
      for (let times = 0; times < 5; times += 1) expect(await attempt(process, 'wrong')).toBe('wrong')
      expect(await attempt(process, 'right')).toBe(LOCKED)
    }
  })
})

describe('an account', () => {
  test('makes strangers wait from the tenth failure anywhere on, from the last one on', async () => {
    const { time, attempt } = withProcesses()
    for (let count = 0; count < 10; count += 1) {
      expect(await attempt(count % 2, 'wrong', strangerOf(count))).toBe('wrong')
    }
    time.now += 400
    for (const process of [0, 1]) expect(await attempt(process, 'right', strangerOf(99))).toBe(0.6)
    time.now += 600
    expect(await attempt(1, 'wrong', strangerOf(100))).toBe('wrong')
    time.now += 500
    // Also where nobody has tried yet what others did since.
    for (const process of [0, 1]) expect(await attempt(process, 'right', strangerOf(101))).toBe(1.5)
    time.now += 1500
    for (const process of [0, 1]) expect(await attempt(process, 'right', strangerOf(102))).toBe('right')
  })

  test('lets the owner in from where he logged in before, at every process', async () => {
    const { time, attempt } = withProcesses()
    expect(await attempt(0, 'right')).toBe('right')
    for (let count = 0; count < 12; count += 1) {
      time.now += 60_000
      await attempt(0, 'wrong', strangerOf(count))
    }
    expect(await attempt(1, 'right', strangerOf(500))).toBe(4)
    expect(await attempt(1, 'right')).toBe('right')
  })

  test('forgets by the counts of this process when the shared ones were lost', async () => {
    const { time, attempt, shared } = withProcesses()
    for (let count = 0; count < 10; count += 1) await attempt(0, 'wrong', strangerOf(count))
    shared.lose()
    expect(await attempt(0, 'right', strangerOf(99))).toBe(1)
    time.now += 1000
    expect(await attempt(0, 'right', strangerOf(99))).toBe('right')
  })
})
