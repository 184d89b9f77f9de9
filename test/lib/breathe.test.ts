import { expect, test } from 'bun:test'
import { breathe } from '../../src/lib/breathe.ts'

test('a timer that is due comes in between, which awaiting alone does not let', async () => {
  let isCalled = false
  setTimeout(() => {
    isCalled = true
  }, 0)
  const until = performance.now() + 5
  while (performance.now() < until) await Promise.resolve()
  expect(isCalled).toBeFalse()
  await breathe()
  await breathe()
  expect(isCalled).toBeTrue()
})
