/** Wrong credentials and wrong master keys that are spread over several processes that share counts. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { AbuseGuard } from '../../src/limits/abuse.ts'
import { MasterKeyThrottle, type WrongMasterKey } from '../../src/limits/master-key-throttle.ts'
import { FakeSharedLimits, settle } from './fake-shared-limits.ts'
import { START } from './schedules.ts'

const HOUR = 3_600_000
const MINUTE = 60_000
const ADDRESS = '203.0.113.5'
const SUBJECT = `ip:${ADDRESS}`

describe('wrong credentials', () => {
  function withGuards(processes = 2, threshold = 100) {
    const time = { now: START }
    const clock = () => time.now
    const shared = new FakeSharedLimits(clock)
    const blocked: string[] = []
    const guards = Array.from({ length: processes }, (_, process) => {
      const block = (subject: string) => void blocked.push(`${process} ${subject}`)
      const isExempt = (address: string | null) => address === '198.51.100.7'
      return new AbuseGuard({ threshold, window: HOUR, capacity: 1000, isExempt, block, shared, clock })
    })
    async function note(process: number, times = 1, address: string | null = ADDRESS): Promise<number[]> {
      const waits: number[] = []
      for (let count = 0; count < times; count += 1) {
        waits.push((guards[process] as AbuseGuard).note(address, time.now))
        await settle()
      }
      return waits
    }
    return { time, shared, blocked, guards, note }
  }

  test.each([
    {
      name: 'one after the other',
      given: [
        [0, 50],
        [1, 49],
      ],
      last: 1,
    },
    { name: 'back and forth', given: Array.from({ length: 99 }, (_, index) => [index % 2, 1]), last: 1 },
    {
      name: 'most of them at one',
      given: [
        [0, 98],
        [1, 1],
      ],
      last: 0,
    },
  ])('a hundred block an address, once, where the last one was: $name', async ({ given, last }) => {
    const { note, blocked } = withGuards()
    for (const [process = 0, times = 0] of given) await note(process, times)
    expect(blocked).toEqual([])
    expect(await note(last)).toEqual([0])
    expect(blocked).toEqual([`${last} ${SUBJECT}`])
  })

  test('the threshold is the same wherever they are presented', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(2), { minLength: 7, maxLength: 7 }), async (processes) => {
        const { note, blocked } = withGuards(3, 7)
        for (const [index, process] of processes.entries()) {
          expect(blocked).toEqual([])
          await note(process)
          if (index === 6) expect(blocked).toEqual([`${process} ${SUBJECT}`])
        }
      }),
    )
  })

  test('that come at once, before anybody has heard of the others, block all the same', async () => {
    const { guards, blocked } = withGuards()
    for (let count = 0; count < 50; count += 1) for (const guard of guards) guard.note(ADDRESS, START)
    expect(blocked).toEqual([])
    await settle()
    expect(new Set(blocked)).toEqual(new Set([`0 ${SUBJECT}`, `1 ${SUBJECT}`]))
    expect(blocked).toHaveLength(2)
  })

  test('of an address of the allow-list are told to nobody', async () => {
    const { note, blocked, shared } = withGuards()
    await note(0, 500, '198.51.100.7')
    expect([blocked, shared.asked]).toEqual([[], []])
  })

  test('where no address is known nobody is blocked: who presents one too many waits', async () => {
    const { note, blocked } = withGuards(2, 4)
    expect(await note(0, 2, null)).toEqual([0, 0])
    expect(await note(1, 4, null)).toEqual([0, 0, HOUR, HOUR])
    expect(await note(0, 3, null)).toEqual([0, HOUR, HOUR])
    expect(blocked).toEqual([])
  })

  test.each(['local', 'refuse'] as const)('are counted by each process while counts are away: %s', async (how) => {
    const { note, blocked, shared } = withGuards()
    shared.away = how
    await note(0, 99)
    await note(1, 99)
    expect(blocked).toEqual([])
    await note(1)
    expect(blocked).toEqual([`1 ${SUBJECT}`])
  })

  test('of an address that is forgotten are forgotten by all that hear of it', async () => {
    const { note, blocked, guards, shared } = withGuards()
    await note(0, 60)
    await note(1, 39)
    shared.forget(SUBJECT)
    for (const guard of guards) guard.forgetHere(SUBJECT)
    await note(0, 60)
    await note(1, 39)
    expect(blocked).toEqual([])
    await note(0)
    expect(blocked).toEqual([`0 ${SUBJECT}`])
  })

  test('of a flood of addresses forget nothing that others counted', async () => {
    const { note, guards, shared, blocked } = withGuards(3, 10)
    await note(0, 8)
    for (let index = 0; index < 1500; index += 1) guards[1]?.note(`10.0.${index >> 8}.${index & 255}`, START)
    await settle()
    expect(shared.asked.some((question) => question.includes('10.0.5.'))).toBe(false)
    await note(1, 20)
    expect(blocked).toEqual([])
    await note(2, 2)
    expect(blocked).toEqual([`2 ${SUBJECT}`])
  })
})

describe('wrong master keys', () => {
  function withThrottles(processes = 2) {
    const time = { now: START }
    const clock = () => time.now
    const shared = new FakeSharedLimits(clock)
    const noted: WrongMasterKey[] = []
    const note = async (wrong: WrongMasterKey) => void noted.push(wrong)
    const throttles = Array.from(
      { length: processes },
      () => new MasterKeyThrottle({ clock, capacity: 100, note, meter: null, shared }),
    )
    let requests = 0
    async function attempt(process: number, isRight = false): Promise<number> {
      requests += 1
      const wait = (throttles[process] as MasterKeyThrottle).attempt(isRight, ADDRESS, `request ${requests}`)
      await settle()
      return wait
    }
    return { time, shared, noted, attempt }
  }

  test('five of an address make it wait where the last one was, and elsewhere from the next wrong one on', async () => {
    const { attempt, noted } = withThrottles()
    for (const process of [0, 0, 0, 1, 1]) expect(await attempt(process)).toBe(0)
    expect([await attempt(1), await attempt(1, true)]).toEqual([MINUTE, MINUTE])
    expect([await attempt(0), await attempt(0), await attempt(0, true)]).toEqual([0, MINUTE, MINUTE])
    // Of the last one it shows only when the others were heard of.
    const last = noted.filter(({ isLast }) => isLast).map(({ requestId }) => requestId)
    expect(last).toEqual(['request 5', 'request 8'])
  })

  test('are looked at five times, and once more at each process', async () => {
    const order = fc.shuffledSubarray(
      Array.from({ length: 30 }, (_, index) => index % 3),
      { minLength: 30 },
    )
    await fc.assert(
      fc.asyncProperty(order, async (processes) => {
        const { attempt } = withThrottles(3)
        let looks = 0
        for (const process of processes) if ((await attempt(process)) === 0) looks += 1
        expect(looks).toBeGreaterThanOrEqual(5)
        expect(looks).toBeLessThanOrEqual(5 + 2)
        for (const process of [0, 1, 2]) expect(await attempt(process, true)).toBe(MINUTE)
      }),
    )
  })

  test('are forgiven after a minute, by all', async () => {
    const { time, attempt } = withThrottles()
    for (const process of [0, 1, 0, 1, 0]) await attempt(process)
    await attempt(1)
    time.now += MINUTE - 1
    for (const process of [0, 1]) expect(await attempt(process, true)).toBe(1)
    time.now += 1
    for (const process of [0, 1]) expect(await attempt(process, true)).toBe(0)
  })

  test('are counted by each process while counts are away', async () => {
    const { attempt, shared } = withThrottles()
    shared.away = 'refuse'
    for (const process of [0, 1]) {
      for (let count = 0; count < 5; count += 1) expect(await attempt(process)).toBe(0)
      expect(await attempt(process)).toBe(MINUTE)
    }
  })

  test('right ones ask nobody', async () => {
    const { attempt, shared } = withThrottles()
    for (let count = 0; count < 10; count += 1) expect(await attempt(count % 2, true)).toBe(0)
    expect(shared.asked).toEqual([])
  })
})
