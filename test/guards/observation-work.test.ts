/** What watching a request costs, in what can be counted: a reading too many is more than all the counting. */
import { expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { RequestObserver } from '../../src/guards/observation.ts'
import { RequestCounts } from '../../src/recording/metrics/request-counts.ts'
import { openRecorder, START } from '../recording/usage/support.ts'
import { createTestPlugin } from '../support/guarded-app.ts'
import { PRESENT } from './support.ts'

function createCounted() {
  const readings = { stopwatch: 0, clock: 0 }
  const { recorder } = openRecorder({
    clock: () => {
      readings.clock += 1
      return START
    },
  })
  const observers = { usage: recorder, meter: new RequestCounts(), log: null }
  const observer = new RequestObserver(observers, () => (readings.stopwatch += 1))
  const { plugin } = createTestPlugin(undefined, { observer })
  const app = new Elysia()
    .use(plugin)
    .get('/now', ({ apiKey }) => apiKey.id, { apiKey: true })
    .get('/later', ({ apiKey }) => Bun.sleep(0).then(() => apiKey.id), { apiKey: true })
  return { app, readings, recorder }
}

const CASES = [
  { name: 'an accepted key', path: '/now', headers: PRESENT.key, isPromise: false },
  { name: 'no credential', path: '/now', headers: PRESENT.nothing, isPromise: false },
  { name: 'an answer that comes later', path: '/later', headers: PRESENT.key, isPromise: true },
] as const

test.each([...CASES])('$name: two readings of the stopwatch, one of the clock', async (given) => {
  const { app, readings, recorder } = createCounted()
  const ask = () => app.fetch(new Request(`http://localhost${given.path}`, { headers: given.headers }))
  // The first one has Elysia compile the route.
  await ask()
  Object.assign(readings, { stopwatch: 0, clock: 0 })
  const answer: unknown = ask()
  expect(answer instanceof Promise).toBe(given.isPromise)
  await answer
  expect(readings).toEqual({ stopwatch: 2, clock: 1 })
  await recorder.stop()
})
