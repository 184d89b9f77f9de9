/** Looks at the log of changes tell connections that are dead from a database that is slow. */
import { describe, expect, test } from 'bun:test'
import { PostgresWatch } from '../../src/storage/drizzle/postgres-watch.ts'

function create(timeout = 5000) {
  let now = 0
  let renewals = 0
  const watch = new PostgresWatch({
    timeout,
    renew: () => {
      renewals += 1
    },
    stopwatch: () => now,
  })
  /** A look that gets no answer, while others get one or not. */
  function lookInVain(isAnotherAnswered: boolean): void {
    const begunAt = now
    const { patience } = watch
    now += patience / 2
    if (isAnotherAnswered) watch.onAnswer()
    now += patience / 2
    watch.onLateLook(begunAt)
  }
  return {
    watch,
    lookInVain,
    pass: (ms: number) => {
      now += ms
    },
    renewals: () => renewals,
  }
}

describe('a look', () => {
  test.each([
    { timeout: 5000, patience: 1000 },
    { timeout: 300, patience: 300 },
  ])('takes a second at most, and no longer than the $timeout ms of a verb', ({ timeout, patience }) => {
    expect(create(timeout).watch.patience).toBe(patience)
  })

  test('that got no answer renews the connections at once where nobody got any', () => {
    const { watch, lookInVain, pass, renewals } = create()
    watch.onAnswer()
    pass(1)
    lookInVain(false)
    expect(renewals()).toBe(1)
  })

  test('that got none while others did has all the time of a verb the next time, and renews only after that', () => {
    const { watch, lookInVain, renewals } = create()
    lookInVain(true)
    expect(renewals()).toBe(0)
    expect(watch.patience).toBe(5000)
    lookInVain(true)
    expect(renewals()).toBe(1)
  })

  test('that is answered has the next one be impatient again', () => {
    const { watch, lookInVain, renewals } = create()
    for (let round = 0; round < 5; round++) {
      lookInVain(true)
      watch.onLook()
      expect(watch.patience).toBe(1000)
    }
    expect(renewals()).toBe(0)
  })
})

test('a server that is frozen gets new connections once in five seconds at most', () => {
  const { watch, lookInVain, pass, renewals } = create(200)
  for (let elapsed = 0; elapsed < 60_000; elapsed += 250) {
    lookInVain(false)
    watch.onStuck()
    pass(50)
  }
  expect(renewals()).toBe(12)
})
