import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { Limiter } from '../../src/limits/limiter.ts'
import { MirroredLimiter } from '../../src/limits/mirrored-limiter.ts'
import { createRate, type Rate, STRATEGIES } from '../../src/limits/rate.ts'
import { type Absence, FakeSharedLimits, settle } from './fake-shared-limits.ts'
import { START, schedules } from './schedules.ts'

const WINDOW = 60_000
const RATE = createRate({ limit: 5, window: WINDOW })
const A = 'ip:203.0.113.5'

/** Several processes that share counts. */
function withProcesses({ processes = 2, rate = RATE, capacity = 1000 } = {}) {
  const time = { now: START, lag: 0 }
  const clock = () => time.now
  const shared = new FakeSharedLimits(() => time.now - time.lag)
  const limiters = Array.from(
    { length: processes },
    () => new MirroredLimiter({ rate, capacity, place: 'place', shared, clock }),
  )
  const limiter = (process: number) => limiters[process] as MirroredLimiter
  const left = (process: number, subject = A) => limiter(process).read(subject, time.now, 0).remaining
  /** Hits one after the other; answers which were allowed. */
  async function hit(process: number, times = 1, subject = A): Promise<boolean[]> {
    const allowed: boolean[] = []
    for (let count = 0; count < times; count += 1) {
      allowed.push(limiter(process).hit(subject, time.now).isAllowed)
      await settle()
    }
    return allowed
  }
  return { time, shared, limiter, left, hit }
}

describe('without shared counts', () => {
  test.each([...STRATEGIES])('it is the local limiter: %s', async (strategy) => {
    const rate = createRate({ limit: 7, window: 1000, strategy })
    await fc.assert(
      fc.asyncProperty(schedules(rate, true), async (steps) => {
        let now = START
        const local = new Limiter(rate, 2)
        const mirrored = new MirroredLimiter({ rate, capacity: 2, place: 'x', shared: null, clock: () => now })
        for (const [index, { advance, cost }] of steps.entries()) {
          now += advance
          const subject = `s${index % 4}`
          expect(mirrored.hit(subject, now, cost)).toEqual(local.hit(subject, now, cost))
          expect(mirrored.read(subject, now)).toEqual(local.read(subject, now))
          expect(mirrored.isOwn(subject)).toBe(local.isOwn(subject))
        }
        mirrored.forgetHere('s0')
        local.forget('s0')
        expect(mirrored.read('s0', now)).toEqual(local.read('s0', now))
      }),
    )
  })

  test('nobody waits, and each refresh is the same promise', async () => {
    const limiter = new MirroredLimiter({ rate: RATE, capacity: 9, place: 'x', shared: null, clock: () => START })
    expect(limiter.isShared).toBe(false)
    expect(limiter.refresh(A)).toBe(limiter.refresh('another'))
    expect(await limiter.refresh(A)).toBe(null)
  })
})

describe('several processes', () => {
  test.each<[name: string, given: readonly (readonly [process: number, times: number])[], left: readonly number[]]>([
    ['one counts alone', [[0, 3]], [2, 5]],
    [
      'the other hears of it when it counts',
      [
        [0, 3],
        [1, 1],
      ],
      [2, 1],
    ],
    [
      'and the first one when it does',
      [
        [0, 3],
        [1, 1],
        [0, 1],
      ],
      [0, 1],
    ],
    [
      'the last one leaves nothing where it was',
      [
        [0, 3],
        [1, 2],
      ],
      [2, 0],
    ],
    [
      'one more is taken where nobody had heard of it, and then nothing',
      [
        [0, 5],
        [1, 1],
      ],
      [0, 0],
    ],
  ])('%s', async (_name, given, expected) => {
    const { left, hit } = withProcesses()
    for (const [process, times] of given) expect(await hit(process, times)).toEqual(Array(times).fill(true))
    expect([left(0), left(1)]).toEqual([...expected])
  })

  test('have one more each when all is taken, and no more for a window', async () => {
    const { time, hit } = withProcesses({ processes: 4 })
    expect(await hit(0, 6)).toEqual([true, true, true, true, true, false])
    for (const process of [1, 2, 3]) expect(await hit(process, 4)).toEqual([true, false, false, false])
    time.now += WINDOW - 1
    for (const process of [0, 1, 2, 3]) expect(await hit(process)).toEqual([false])
    time.now += 1
    expect(await hit(3, 6)).toEqual([true, true, true, true, true, false])
  })

  test('keep out whom the others refused, also when what he took here has left the window', async () => {
    const { time, hit, limiter, left } = withProcesses()
    for (let count = 0; count < 5; count += 1) {
      time.now = START + count * 10_000
      await hit(0)
    }
    time.now = START + WINDOW
    // What is free again is taken elsewhere: the one here is refused by all.
    expect([...(await hit(1)), ...(await hit(0))]).toEqual([true, true])
    expect([left(0), limiter(0).isOwn(A)]).toEqual([0, true])
    time.now += WINDOW - 1
    expect(limiter(0).hit(A, time.now)).toEqual({
      rate: RATE,
      isAllowed: false,
      remaining: 0,
      resetAfter: 1,
      retryAfter: 1,
    })
    expect(limiter(0).read(A, time.now, 0)).toMatchObject({ isAllowed: true, remaining: 0, resetAfter: 1 })
  })

  test('who asks first learns of all that was taken', async () => {
    const { time, hit, limiter, left } = withProcesses()
    await hit(0, 5)
    time.now += 1000
    expect(await limiter(1).refresh(A)).toMatchObject({ remaining: 0, resetAfter: WINDOW - 1000 })
    expect(left(1)).toBe(0)
    expect(limiter(1).hit(A, time.now)).toMatchObject({ isAllowed: false, retryAfter: WINDOW })
  })

  test('a subject that nobody counted takes no room', async () => {
    const { limiter, left } = withProcesses({ capacity: 1 })
    for (let count = 0; count < 100; count += 1) await limiter(1).refresh(`ip:${count}`)
    limiter(1).hit(A, START)
    expect([limiter(1).isOwn(A), left(1)]).toEqual([true, 4])
  })

  test('of several units that do not all fit, all that fit are taken of the shared count', async () => {
    const { time, hit, limiter, left, shared } = withProcesses()
    await hit(0, 3)
    expect(limiter(1).hit(A, time.now, 4).isAllowed).toBe(true)
    await settle()
    expect([left(1), await limiter(0).refresh(A)]).toMatchObject([0, { remaining: 0 }])
    expect(shared.asked.slice(3)).toEqual([
      'hit place ip:203.0.113.5 4',
      'hit place ip:203.0.113.5 2',
      'read place ip:203.0.113.5 0',
      'read place ip:203.0.113.5 0',
      'read place ip:203.0.113.5 2',
    ])
  })

  test('who is refused here asks nobody', async () => {
    const { hit, shared, limiter } = withProcesses()
    await hit(0, 5)
    await hit(1)
    const before = shared.asked.length
    await hit(0, 100)
    await hit(1, 100)
    await limiter(0).refresh(A)
    await limiter(1).refresh(A)
    expect(shared.asked.length - before).toBe(0)
  })

  test('a difference that ends in a moment is waited for, and costs nobody a window', async () => {
    const { time, hit, limiter, left, shared } = withProcesses()
    time.lag = -2
    await hit(0, 5)
    Object.assign(time, { now: START + WINDOW, lag: 0 })
    let reads = 0
    shared.beforeRead = () => {
      reads += 1
      if (reads === 3) time.lag = -2
    }
    expect(await limiter(0).refresh(A)).toMatchObject({ remaining: 5 })
    expect([left(0), reads]).toEqual([5, 3])
  })
})

describe('answers', () => {
  test('out of order are taken once', async () => {
    const { time, hit, limiter, left, shared } = withProcesses()
    await hit(0, 2)
    shared.hold()
    limiter(1).hit(A, time.now)
    const asked = limiter(1).refresh(A)
    await settle()
    expect(shared.held).toBe(2)
    shared.release((answers) => answers.toReversed())
    await asked
    await settle()
    expect([left(1), left(0)]).toEqual([2, 3])
  })

  test('that are late take only what is not known yet', async () => {
    const { hit, limiter, left, shared } = withProcesses({ processes: 3 })
    await hit(0, 2)
    shared.hold()
    const asked = limiter(1).refresh(A)
    await settle()
    let late: readonly (() => void)[] = []
    shared.release((answers) => {
      late = answers
      return []
    })
    await hit(2, 1)
    await hit(1, 1)
    expect(left(1)).toBe(1)
    for (const answer of late) answer()
    expect([await asked, left(1)]).toMatchObject([{ remaining: 3 }, 1])
  })

  test('of one subject are waited for together', async () => {
    const { time, limiter, left, shared } = withProcesses({ rate: createRate({ limit: 1000, window: WINDOW }) })
    shared.hold()
    for (let count = 0; count < 700; count += 1) limiter(0).hit(A, time.now)
    await settle()
    expect(shared.asked).toEqual([`hit place ${A} 1`])
    shared.release()
    await settle()
    expect(shared.asked).toEqual([`hit place ${A} 1`, `hit place ${A} 699`])
    const [one, other] = [limiter(1).refresh(A), limiter(1).refresh(A)]
    expect(one).toBe(other)
    await one
    expect(left(1)).toBe(300)
  })

  test('that never come are waited for of so many subjects and no more', async () => {
    const { time, limiter, shared } = withProcesses({ capacity: 100_000 })
    shared.away = 'silent'
    for (let count = 0; count < 10_100; count += 1) {
      limiter(0).hit(`ip:${count}`, time.now)
      void limiter(0).refresh(`ip:${count}`)
    }
    expect(shared.asked).toHaveLength(20_000)
    expect(limiter(0).refresh('ip:more')).toBe(limiter(0).refresh('ip:even more'))
  })
})

describe('shared counts that are away', () => {
  test.each<Absence>(['local', 'refuse', 'silent'])('%s: it is the local limiter', async (how) => {
    const { time, hit, limiter, shared } = withProcesses()
    shared.away = how
    expect(await hit(0, 6)).toEqual([true, true, true, true, true, false])
    if (how !== 'silent') expect(await limiter(1).refresh(A)).toBe(null)
    expect(await hit(1, 6)).toEqual([true, true, true, true, true, false])
    expect(limiter(0).read(A, time.now).retryAfter).toBe(WINDOW)
  })

  test('and come back: what was counted meanwhile stays counted here', async () => {
    const { hit, shared, left, limiter } = withProcesses()
    await hit(0, 1)
    shared.away = 'refuse'
    await hit(1, 2)
    shared.away = null
    await limiter(1).refresh(A)
    expect(left(1)).toBe(3)
    shared.lose()
    await hit(1, 1)
    expect([left(1), left(0)]).toEqual([2, 4])
  })
})

describe('a subject that is forgotten', () => {
  test('starts anew here and in the shared count', async () => {
    const { hit, limiter, left, shared } = withProcesses()
    await hit(0, 5)
    await hit(1, 1)
    limiter(1).forgetHere(A)
    shared.forget(A)
    expect([left(1), left(0), limiter(1).isOwn(A)]).toEqual([5, 0, false])
    expect(await limiter(1).refresh(A)).toMatchObject({ remaining: 5 })
    expect(await hit(1, 6)).toEqual([true, true, true, true, true, false])
  })

  test('is not charged by answers from before', async () => {
    const { time, hit, limiter, left, shared } = withProcesses()
    await hit(0, 4)
    shared.hold()
    limiter(1).hit(A, time.now)
    const asked = limiter(1).refresh(A)
    await settle()
    limiter(1).forgetHere(A)
    shared.forget(A)
    shared.release()
    await settle()
    expect([await asked, left(1)]).toEqual([null, 5])
  })

  test('in this process only hears of the others again', async () => {
    const { hit, limiter, left } = withProcesses()
    await hit(0, 2)
    await hit(1, 2)
    limiter(1).forgetHere(A)
    expect(left(1)).toBe(5)
    await limiter(1).refresh(A)
    expect(left(1)).toBe(1)
  })
})

test('a newcomer without room pays for what it took elsewhere, and the others without room do not', async () => {
  const { hit, limiter, left } = withProcesses({ capacity: 2 })
  await hit(0, 5)
  limiter(1).hit('ip:1', START)
  limiter(1).hit('ip:2', START)
  await limiter(1).refresh(A)
  expect(left(1, 'ip:3')).toBe(5)
  expect(await hit(1)).toEqual([true])
  expect([left(1), limiter(1).isOwn(A), left(1, 'ip:3')]).toEqual([0, true, 4])
})

/** The most that were taken in any window. */
function mostInWindow(times: readonly number[], window: number): number {
  return Math.max(0, ...times.map((start) => times.filter((time) => time >= start && time < start + window).length))
}

const steps = fc.array(
  fc.record({ process: fc.nat(2), advance: fc.constantFrom(0, 0, 1000, 7000, 29_000, 30_000, 60_000) }),
  { maxLength: 60 },
)

async function run(given: readonly { process: number; advance: number }[], asksFirst: boolean, rate: Rate) {
  const { time, limiter } = withProcesses({ processes: 3, rate })
  const taken: number[] = []
  for (const { process, advance } of given) {
    time.now += advance
    if (asksFirst) await limiter(process).refresh(A)
    if (limiter(process).hit(A, time.now).isAllowed) taken.push(time.now)
    await settle()
  }
  return mostInWindow(taken, rate.window)
}

test('no window has more than the limit when all ask first', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (given) => {
      expect(await run(given, true, RATE)).toBeLessThanOrEqual(5)
    }),
  )
})

test('no window has more than the limit and one for each process when nobody asks', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (given) => {
      expect(await run(given, false, RATE)).toBeLessThanOrEqual(5 + 3)
    }),
  )
})
