import { describe, expect, jest, test } from 'bun:test'
import { afterWaiting, within } from '../../src/lib/within.ts'

const never = new Promise<never>(() => undefined)

/** Holds the process up, as a long computation does. */
function holdUp(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

describe('what is waited for', () => {
  test.each([
    { name: 'comes', awaited: () => Promise.resolve('here'), isInTime: true },
    { name: 'never comes', awaited: () => never, isInTime: false },
  ])('and $name is in time: $isInTime', async ({ awaited, isInTime }) => {
    expect(await within(10, awaited())).toBe(isInTime)
  })

  test('has no time at all, but may be there already', async () => {
    expect(await within(-1, Promise.resolve())).toBe(true)
    expect(await within(-1, never)).toBe(false)
  })

  test('and fails in time fails so; afterwards it is nobody’s any more', async () => {
    await expect(within(1000, Promise.reject(new Error('no')))).rejects.toThrow('no')
    const late = Promise.withResolvers<void>()
    expect(await within(1, late.promise)).toBe(false)
    late.reject(new Error('late'))
  })

  test('is read first when the process was held up until its time was over', async () => {
    // Of another process: this one is held up.
    const child = Bun.spawn([process.execPath, '-e', `await Bun.sleep(20); console.log('answer')`], { stdout: 'pipe' })
    const reading = new Response(child.stdout).text()
    const inTime = within(500, reading)
    holdUp(600)
    expect(await inTime).toBe(true)
  })
})

test('whoever ends his waiting is not called, also not in the last moment in which answers are read; whoever does not is, in time', async () => {
  let calls = 0
  jest.useFakeTimers()
  try {
    for (const moment of [0, 96, 99]) {
      const end = afterWaiting(100, () => {
        calls += 1
      })
      jest.advanceTimersByTime(moment)
      end()
      jest.advanceTimersByTime(1000)
    }
    expect(calls).toBe(0)
    afterWaiting(100, () => {
      calls += 1
    })
    jest.advanceTimersByTime(99)
    expect(calls).toBe(0)
    jest.advanceTimersByTime(1)
    expect(calls).toBe(1)
  } finally {
    jest.useRealTimers()
  }
})
