/** What holds of limits in one process, once more with counts that are elsewhere. */
import { afterAll, expect, test } from 'bun:test'
import { everywhere, MemorySharedLimits } from '../support/shared-limits.ts'

const FILES = [
  'key-limits',
  'late-questions',
  'limits',
  'limits-before-body',
  'limits-concurrent',
  'limits-cost',
  'limits-default',
  'limits-headers',
  'limits-in-code',
  'limits-override',
  'limits-subjects',
  'lockouts',
  'protect',
  'public',
  'quotas',
  'websocket',
] as const

const made: MemorySharedLimits[] = []
const alone = { ...everywhere }
everywhere.isShared = true
everywhere.create = () => {
  const shared = new MemorySharedLimits()
  made.push(shared)
  return shared
}
afterAll(() => Object.assign(everywhere, alone))

for (const file of FILES) {
  // The query makes a module of its own of it, whose tests are declared here.
  const path = `./${file}.test.ts?shared`
  await import(path)
}

test('all of it was counted there, and whoever was let in has left', () => {
  expect(made.length).toBeGreaterThan(FILES.length)
  expect(made.reduce((sum, { calls }) => sum + calls.hits.length, 0)).toBeGreaterThan(1000)
  expect(made.reduce((sum, { calls }) => sum + calls.entered, 0)).toBeGreaterThan(20)
  expect(made.map(({ underWay }) => underWay)).toEqual(made.map(() => 0))
})
