/** A database that is away is asked seldom, and nobody waits for it. */
import { describe, expect, test } from 'bun:test'
import { DatabaseTimeoutError, failureOf } from '../../src/storage/drizzle/failures.ts'
import { PostgresCalls } from '../../src/storage/drizzle/postgres-calls.ts'
import type { VerbKind } from '../../src/storage/drizzle/verb-kinds.ts'
import { until } from '../support/until.ts'

const lost = () => Promise.reject(Object.assign(new Error('closed'), { code: 'ERR_POSTGRES_CONNECTION_CLOSED' }))
const deadlock = () => Promise.reject(Object.assign(new Error('deadlock'), { errno: '40P01' }))
const conflict = () => Promise.reject(Object.assign(new Error('unique'), { errno: '23505' }))
const never = () => new Promise<never>(() => undefined)
const well = async () => 'well'

function create(timeout = 5000, stopwatch = () => performance.now()) {
  const heard: (boolean | 'stuck')[] = []
  const calls = new PostgresCalls({
    timeout,
    reports: 2,
    onCircuit: (failure) => void heard.push(failure !== null),
    onStuck: () => void heard.push('stuck'),
    stopwatch,
  })
  /** What came of it: `well`, the reason of the failure, or `refused`. */
  async function come(kind: VerbKind, verb: () => Promise<unknown>): Promise<unknown> {
    try {
      return await calls.run(kind, verb)
    } catch (error) {
      return failureOf(error)?.reason ?? (Reflect.get(Object(error), 'code') || Reflect.get(Object(error), 'errno'))
    }
  }
  async function times(count: number, kind: VerbKind, verb: () => Promise<unknown>): Promise<readonly unknown[]> {
    return Promise.all(Array.from({ length: count }, () => come(kind, verb)))
  }
  return { calls, heard, come, times }
}

describe('a call is made', () => {
  test.each([
    { kind: 'read', name: 'a lost connection', verb: lost, made: 3 },
    { kind: 'watch', name: 'a lost connection', verb: lost, made: 3 },
    { kind: 'report', name: 'a lost connection', verb: lost, made: 3 },
    { kind: 'write', name: 'a lost connection', verb: lost, made: 1 },
    { kind: 'read', name: 'a deadlock', verb: deadlock, made: 3 },
    { kind: 'write', name: 'a deadlock', verb: deadlock, made: 3 },
    { kind: 'read', name: 'a conflict', verb: conflict, made: 1 },
    { kind: 'write', name: 'a conflict', verb: conflict, made: 1 },
    { kind: 'read', name: 'no answer in time', verb: never, made: 1 },
    { kind: 'write', name: 'no answer in time', verb: never, made: 1 },
  ] as const)('$made times for a $kind with $name', async ({ kind, verb, made }) => {
    const { come } = create(verb === never ? 20 : 5000)
    let count = 0
    await come(kind, () => {
      count += 1
      return verb()
    })
    expect(count).toBe(made)
  })

  test('no more once its time is over', async () => {
    const { come } = create(5)
    let count = 0
    const slow = async () => {
      count += 1
      await Bun.sleep(20)
      return deadlock()
    }
    expect(await come('write', slow)).toBe('timeout')
    await Bun.sleep(100)
    expect(count).toBe(1)
  })
})

describe('the circuit', () => {
  test.each([
    { name: 'lost connections', kind: 'write', verb: lost, timeout: 5000 },
    { name: 'silence', kind: 'write', verb: never, timeout: 10 },
    { name: 'silence to reads', kind: 'read', verb: never, timeout: 10 },
    { name: 'lost connections of looks', kind: 'watch', verb: lost, timeout: 5000 },
  ] as const)('opens by five calls in a row with $name, and refuses all at once', async ({ kind, verb, timeout }) => {
    const { heard, times, calls } = create(timeout)
    await times(4, kind, verb)
    expect(heard).toEqual([])
    await times(1, kind, verb)
    expect(heard).toEqual([true])
    for (const each of ['read', 'write', 'report'] as const) {
      await expect(calls.run(each, never)).rejects.toMatchObject({
        code: 'storage_unavailable',
        extras: { retryable: true, retryAfter: 1 },
      })
    }
  })

  test.each([
    { name: 'conflicts', kind: 'write', verb: conflict },
    { name: 'deadlocks', kind: 'write', verb: deadlock },
    { name: 'reports that get no answer', kind: 'report', verb: never },
  ] as const)('stays closed with $name', async ({ kind, verb }) => {
    const { heard, times, come } = create(kind === 'report' ? 10 : 5000)
    await times(12, kind, verb)
    expect(heard).toEqual([])
    expect(await come('read', well)).toBe('well')
  })

  test('stays closed while some calls are answered', async () => {
    const { heard, times } = create()
    for (let round = 0; round < 3; round++) {
      await times(4, 'write', lost)
      await times(1, 'write', well)
    }
    expect(heard).toEqual([])
  })

  test('closes when one call is answered, and nobody waits for that one', async () => {
    const { calls, heard, times, come } = create()
    await times(5, 'write', lost)
    const answer = Promise.withResolvers<string>()
    let asked = 0
    const slow = () => {
      asked += 1
      return answer.promise
    }
    const answers: Promise<unknown>[] = []
    await until(async () => {
      answers.push(calls.run('read', slow).catch(() => 'refused'))
      await Bun.sleep(5)
      return asked === 1
    })
    expect(await come('read', well)).toBe('storage_unavailable')
    expect(await come('report', well)).toBe('storage_unavailable')
    answer.resolve('back')
    expect(await answers.at(-1)).toBe('back')
    expect(asked).toBe(1)
    expect(heard).toEqual([true, false])
    expect(await times(3, 'write', well)).toEqual(['well', 'well', 'well'])
  })

  test('says that connections may be dead when the one call gets no answer either', async () => {
    const { heard, times, come } = create(10)
    await times(5, 'read', never)
    expect(heard).toEqual([true])
    await until(async () => (await come('read', never)) === 'timeout')
    expect(heard).toEqual([true, 'stuck'])
  })
})

describe('a look that gets no answer', () => {
  test('says at once that connections may be dead, and counts for the circuit', async () => {
    const { heard, come } = create(10)
    await come('read', well)
    expect(await come('watch', never)).toBe('timeout')
    expect(heard).toEqual(['stuck'])
    for (let look = 0; look < 4; look++) await come('watch', never)
    expect(heard).toEqual(['stuck', true])
    expect(await come('watch', well)).toBe('storage_unavailable')
  })

  test('says so no more than once in five seconds, whoever else gets none', async () => {
    let now = 0
    const { heard, come } = create(5, () => now)
    const stuck = () => heard.filter((each) => each === 'stuck').length
    for (const [elapsed, times] of [
      [0, 1],
      [4999, 1],
      [5000, 2],
    ] as const) {
      now = elapsed
      await until(async () => (await come('watch', never)) === 'timeout')
      expect(stuck()).toBe(times)
    }
  })

  test('says nothing while others are answered', async () => {
    const { heard, come } = create(50)
    const looking = come('watch', never)
    await come('read', well)
    expect(await looking).toBe('timeout')
    expect(heard).toEqual([])
    expect(await come('watch', well)).toBe('well')
  })
})

describe('reports', () => {
  test('run two at a time here, also those whose time is over, and those that waited too long never begin', async () => {
    const { times, come } = create(20)
    const running: PromiseWithResolvers<string>[] = []
    let begun = 0
    const report = () => {
      begun += 1
      const one = Promise.withResolvers<string>()
      running.push(one)
      return one.promise
    }
    expect(await times(5, 'report', report)).toEqual(Array.from({ length: 5 }, () => 'timeout'))
    expect(begun).toBe(2)
    expect(await come('read', well)).toBe('well')
    for (const one of running) one.resolve('late')
    expect(await come('report', well)).toBe('well')
    expect(begun).toBe(2)
  })

  test('are refused when too many wait', async () => {
    const { times } = create(50)
    const outcomes = await times(1003, 'report', never)
    expect(outcomes.filter((outcome) => outcome === 'storage_unavailable')).toHaveLength(1)
  })
})

test('our timeout is one of those that count', () => {
  expect(failureOf(new DatabaseTimeoutError('late'))?.reason).toBe('timeout')
})
