import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { createSemaphore, SemaphoreFullError } from '../../src/lib/concurrency.ts'

describe('createSemaphore', () => {
  test('runs as many as it may, queues as many as it may, refuses the rest without starting them', async () => {
    const semaphore = createSemaphore(2, 1)
    const started: string[] = []
    const jobs = ['a', 'b', 'c', 'd'].map((name) => {
      const ending = Promise.withResolvers<string>()
      const result = semaphore.run(() => {
        started.push(name)
        return ending.promise
      })
      return { ending, result }
    })
    const [a, b, c, d] = jobs
    if (!a || !b || !c || !d) throw new Error('four jobs')
    expect(d.result).rejects.toBeInstanceOf(SemaphoreFullError)
    await Promise.resolve()
    expect(started).toEqual(['a', 'b'])
    expect([semaphore.running, semaphore.waiting]).toEqual([2, 1])

    b.ending.resolve('b done')
    expect(await b.result).toBe('b done')
    await Promise.resolve()
    expect(started).toEqual(['a', 'b', 'c'])
    a.ending.resolve('a done')
    c.ending.resolve('c done')
    await Promise.all([a.result, c.result])
    expect([semaphore.running, semaphore.waiting]).toEqual([0, 0])
    expect(started).not.toContain('d')
  })

  test('a task that fails, also before its first await, gives its place back', async () => {
    const semaphore = createSemaphore(1, 1)
    const failures = [
      () => Promise.reject(new Error('later')),
      () => {
        throw new Error('at once')
      },
    ]
    for (const task of failures) {
      const outcome = await semaphore.run(task).then(
        () => 'fine',
        (error: Error) => error.message,
      )
      expect(outcome).not.toBe('fine')
    }
    expect(await semaphore.run(async () => 'next')).toBe('next')
    expect(semaphore.running).toBe(0)
  })

  test('a newcomer does not overtake who waits', async () => {
    const semaphore = createSemaphore(1, 5)
    const order: number[] = []
    const first = Promise.withResolvers<void>()
    const runs = [semaphore.run(() => first.promise)]
    runs.push(semaphore.run(async () => void order.push(1)))
    first.resolve()
    runs.push(semaphore.run(async () => void order.push(2)))
    await Promise.all(runs)
    expect(order).toEqual([1, 2])
  })

  test('never runs more than it may, and ends empty', async () => {
    const size = fc.integer({ min: 1, max: 4 })
    const tasks = fc.array(fc.record({ turns: fc.nat(5), fails: fc.boolean() }), { maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(size, fc.nat(10), tasks, async (max, queued, given) => {
        const semaphore = createSemaphore(max, queued)
        let running = 0
        let most = 0
        const results = await Promise.allSettled(
          given.map(({ turns, fails }) =>
            semaphore.run(async () => {
              running += 1
              most = Math.max(most, running)
              for (let turn = 0; turn < turns; turn += 1) await Promise.resolve()
              running -= 1
              if (fails) throw new TypeError('failed')
            }),
          ),
        )
        const refused = results.filter(
          (result) => result.status === 'rejected' && result.reason instanceof SemaphoreFullError,
        )
        expect(most).toBeLessThanOrEqual(max)
        expect(refused).toHaveLength(Math.max(0, given.length - max - queued))
        expect([semaphore.running, semaphore.waiting]).toEqual([0, 0])
      }),
    )
  })

  test.each([
    [0, 1],
    [1.5, 1],
    [1, -1],
    [1, Number.NaN],
  ])('refuses the sizes %p and %p', (max, queued) => {
    expect(() => createSemaphore(max, queued)).toThrow(RangeError)
  })
})
