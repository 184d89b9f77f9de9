/** Each request is counted once, whatever fails, races, or is killed. */
import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import type { UsagePeriod } from '../../../src/storage/records.ts'
import { createDatabaseDirectory, removeDirectory } from '../../support/directories.ts'
import { createRecordedRows, type RecordedRows } from '../../support/memory-recording.ts'
import { type Fate, openRecorder, START, storeOf } from './support.ts'

const folder = createDatabaseDirectory('machine-auth-usage')
afterAll(() => removeDirectory(folder))

const HOUR = 3_600_000
const LENGTHS: Record<UsagePeriod, number> = { minute: 60_000, hour: HOUR, day: 24 * HOUR, total: Infinity }

interface Request {
  readonly key: number
  readonly route: number
  readonly status: number
  /** ms */
  readonly elapsed: number
  /** ms that the clock moves before it, or back. */
  readonly pause: number
}

const request: fc.Arbitrary<Request> = fc.record({
  key: fc.nat(6),
  route: fc.nat(3),
  status: fc.constantFrom(200, 404),
  elapsed: fc.nat(2000).map((half) => half / 2),
  pause: fc.oneof({ weight: 5, arbitrary: fc.nat(5) }, fc.constantFrom(-10_000, -2 * HOUR, 61_000, HOUR, 25 * HOUR)),
})
const requests = fc.array(request, { maxLength: 40 })
const failure = fc.constantFrom<Fate>('done', 'refused', 'unanswered')
const fates = fc.array(failure, { maxLength: 6 })
const death = fc
  .tuple(fc.array(failure, { maxLength: 4 }), fc.constantFrom<Fate>('killed before', 'killed after'))
  .map(([before, last]) => [...before, last])

type Step =
  | { readonly kind: 'requests'; readonly requests: readonly Request[] }
  | { readonly kind: 'flush'; readonly fates: Fate[]; readonly during: readonly Request[] }
  | { readonly kind: 'killed'; readonly fates: Fate[]; readonly during: readonly Request[] }
  | { readonly kind: 'others'; readonly fates: readonly Fate[][] }

const stepOf = {
  requests: fc.record({ kind: fc.constant('requests' as const), requests }),
  flush: fc.record({ kind: fc.constant('flush' as const), fates, during: requests }),
  killed: fc.record({ kind: fc.constant('killed' as const), fates: death, during: requests }),
  others: fc.record({ kind: fc.constant('others' as const), fates: fc.array(fates, { maxLength: 3 }) }),
}

/** What each row must come to, by a slow way of counting. */
class Model {
  readonly expected = new Map<string, { requests: number; duration: number }>()

  count(keyId: string, route: string, { status, elapsed }: Request, at: number): void {
    for (const period of ['hour', 'day'] as const) this.#add([keyId, period, 'GET', route, status], at, elapsed)
    for (const period of ['minute', 'hour', 'day', 'total'] as const) {
      this.#add(['*', period, '', '', status], at, elapsed)
    }
  }

  #add(names: [string, UsagePeriod, string, string, number], at: number, elapsed: number): void {
    const length = LENGTHS[names[1]]
    const name = JSON.stringify([...names, length === Infinity ? 0 : at - (at % length)])
    const { requests, duration } = this.expected.get(name) ?? { requests: 0, duration: 0 }
    this.expected.set(name, { requests: requests + 1, duration: duration + elapsed * 1000 })
  }
}

function countedIn({ usage }: RecordedRows) {
  return new Map(
    [...usage.values()].map((row) => {
      const { keyId, period, method, route, status, start, requests, duration } = row
      const { latency0, latency1, latency2, latency3, latency4, latency5 } = row
      const { latency6, latency7, latency8, latency9, latency10, latency11 } = row
      const buckets = [latency0, latency1, latency2, latency3, latency4, latency5]
      buckets.push(latency6, latency7, latency8, latency9, latency10, latency11)
      expect(buckets.reduce((sum, count) => sum + count, 0)).toBe(requests)
      return [JSON.stringify([keyId, period, method, route, status, start]), { requests, duration }]
    }),
  )
}

const inOrder = (map: Map<string, object>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1))

/** Processes on one database, one after the other and beside each other. */
async function live(steps: readonly Step[], batchSize: number, journal: string | null): Promise<void> {
  const rows = createRecordedRows()
  const model = new Model()
  let now = START
  const begin = (given: Fate[] = []) => {
    const { store, fates, death } = storeOf(rows, given)
    const bounds = { segmentBytes: 16_384 }
    const seen = { latest: 0 }
    const clock = () => {
      if (now > seen.latest || now < seen.latest - 60_000) seen.latest = now
      return now
    }
    return { fates, death, seen, ...openRecorder({ store, clock, journal, batchSize, bounds }) }
  }
  let process = begin()
  const answer = (given: readonly Request[]) => {
    for (const each of given) {
      now += each.pause
      const [keyId, route] = [`key_${each.key}`, `/${each.route}`]
      process.recorder.count(keyId, '', 'GET', route, each.status, each.elapsed)
      model.count(keyId, route, each, process.seen.latest)
    }
  }
  for (const step of steps) {
    if (step.kind === 'requests') answer(step.requests)
    else if (step.kind === 'others') {
      await Promise.all(step.fates.map((fates) => begin([...fates]).recorder.flush()))
    } else {
      process.fates.push(...step.fates)
      const flush = process.recorder.flush()
      answer(step.during)
      await Promise.race([flush, process.death])
      process.fates.length = 0
      if (step.kind === 'killed') process = begin()
    }
  }
  // Whatever the last one left is counted by another one, while it lives.
  const [own, other] = [process, begin()]
  if (journal === null) expect(await own.recorder.flush()).toBe(true)
  else expect(await Promise.all([own.recorder.flush(), other.recorder.flush()])).toEqual([true, true])
  expect(await own.recorder.flush()).toBe(true)
  expect(inOrder(countedIn(rows))).toEqual(inOrder(model.expected))
  expect(own.recorder.figures).toMatchObject({ buffered: 0, dropped: 0, isFailing: false, journalBytes: 0 })
}

test('journaled: through failures, kills in the middle of a flush, and other processes that count the same files', async () => {
  const step = fc.oneof(stepOf.requests, stepOf.flush, stepOf.killed, stepOf.others)
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 10 }), fc.integer({ min: 1, max: 5 }), async (steps, batchSize) => {
      const journal = mkdtempSync(join(folder, 'journal-'))
      await live(steps, batchSize, journal)
    }),
    { numRuns: 150 },
  )
}, 60_000)

test('buffered: through failures, and writes that took effect although they seemed to fail', async () => {
  const step = fc.oneof(stepOf.requests, stepOf.flush)
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 10 }), fc.integer({ min: 1, max: 5 }), (steps, batchSize) =>
      live(steps, batchSize, null),
    ),
    { numRuns: 150 },
  )
}, 60_000)
