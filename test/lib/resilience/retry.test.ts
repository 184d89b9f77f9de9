import { expect, test } from 'bun:test'
import { createRetry } from '../../../src/lib/resilience/retry.ts'

const passing = new Error('passing')
const lasting = new Error('lasting')
const retry = createRetry({ times: 2, firstPause: 1, longestPause: 2, isWorth: (error) => error === passing })

test.each([
  { name: 'an answer', failures: [], calls: 1, outcome: 'answer' },
  { name: 'one failure that passes', failures: [passing], calls: 2, outcome: 'answer' },
  { name: 'two failures that pass', failures: [passing, passing], calls: 3, outcome: 'answer' },
  { name: 'a third one', failures: [passing, passing, passing], calls: 3, outcome: passing },
  { name: 'one that lasts', failures: [lasting], calls: 1, outcome: lasting },
  { name: 'one that lasts after one that passes', failures: [passing, lasting], calls: 2, outcome: lasting },
])('$name comes to an end after $calls calls', async ({ failures, calls, outcome }) => {
  let made = 0
  const found = await retry(async () => {
    const failure = failures[made++]
    if (failure !== undefined) throw failure
    return 'answer'
  }).catch((error: unknown) => error)
  expect(found).toBe(outcome)
  expect(made).toBe(calls)
})

test('one call is no business of another', async () => {
  const made = [0, 0]
  await Promise.all(
    made.map((_, index) =>
      retry(async () => {
        made[index] = (made[index] ?? 0) + 1
        throw passing
      }).catch(() => undefined),
    ),
  )
  expect(made).toEqual([3, 3])
})
