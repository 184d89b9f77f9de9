/** Every change is heard once, in whatever order transactions commit, and whatever clocks say. */
import { afterEach, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { ChangeWatcher } from '../../src/cluster/change-watcher.ts'
import { NumberedLog } from './numbered-log.ts'

const MINUTE = 60_000

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()))
})

/** A process that looks at the log when it is told to. */
async function watch(log: NumberedLog, time: { now: number }, version?: () => number | null) {
  const told: number[] = []
  const gaps = { count: 0 }
  let known: readonly number[] = []
  const listener = {
    onChange: ({ subject }: { subject: string }) => void told.push(Number(subject)),
    onGap() {
      gaps.count += 1
    },
  }
  const store = log.open(version, (visible) => {
    known = visible
  })
  const watcher = new ChangeWatcher(
    store,
    () => 0,
    listener,
    null,
    () => time.now,
  )
  await watcher.start()
  stops.push(() => watcher.stop())
  return { watcher, told, gaps, knownAtStart: new Set(known) }
}

type Step =
  | { readonly kind: 'take' | 'start' | 'look' }
  | { readonly kind: 'commit' | 'rollBack'; readonly which: number }
  | { readonly kind: 'wait'; readonly ms: number }

const which = fc.nat({ max: 9 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('take' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('commit' as const), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rollBack' as const), which }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('look' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('start' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 45_000 }) }) },
)

/** As long as it may be: short runs overtake nothing. */
const MANY = { maxLength: 80, size: 'max' } as const

test('a change is told once to each process that did not start after it, whenever it commits', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, MANY), fc.array(which, MANY), async (steps, pauses) => {
      const log = new NumberedLog()
      const time = { now: 0 }
      const open: { readonly sequence: number; readonly since: number }[] = []
      const processes: Awaited<ReturnType<typeof watch>>[] = []
      const end = (index: number, commits: boolean) => {
        const [ended] = open.splice(index % Math.max(open.length, 1), 1)
        if (ended !== undefined && commits) log.commit(ended.sequence)
      }
      // What commits between the statements of a start, and so is found by the second only.
      log.betweenStatements = () => end(pauses.pop() ?? 0, true)
      log.write()
      processes.push(await watch(log, time))
      for (const given of steps) {
        if (given.kind === 'take') open.push({ sequence: log.take(), since: time.now })
        if (given.kind === 'commit') end(given.which, true)
        if (given.kind === 'rollBack') end(given.which, false)
        if (given.kind === 'start') processes.push(await watch(log, time))
        if (given.kind === 'wait') {
          time.now += given.ms
          // The longest a transaction can take.
          while (open[0] !== undefined && time.now - open[0].since > MINUTE) end(0, false)
        }
        // Some are paused: they look less often than others.
        if (given.kind === 'look') {
          for (const [index, { watcher }] of processes.entries()) {
            if (index === 0 || (pauses.pop() ?? 0) < 5) await watcher.look()
          }
        }
      }
      for (let index = 0; open.length > 0; index++) end(index, index % 3 !== 0)
      for (const { watcher, told, gaps, knownAtStart } of processes) {
        await watcher.look()
        await watcher.look()
        const expected = log.committed.filter((sequence) => !knownAtStart.has(sequence))
        expect([told.toSorted((a, b) => a - b), gaps.count]).toEqual([expected, 0])
      }
      await Promise.all(stops.splice(0).map((stop) => stop()))
    }),
    { numRuns: 500 },
  )
})

describe('a number that is missing', () => {
  test('is read for again with what came after it, until it is there, by one statement a look', async () => {
    const [log, time] = [new NumberedLog(), { now: 0 }]
    for (let count = 0; count < 5; count++) log.write()
    const { watcher, told } = await watch(log, time)
    const late = log.take()
    log.write()
    log.reads.length = 0
    await watcher.look()
    await watcher.look()
    log.commit(late)
    await watcher.look()
    await watcher.look()
    expect(told).toEqual([7, 6])
    expect(log.reads).toEqual([
      { from: 5, rows: 1 },
      { from: 5, rows: 1 },
      { from: 5, rows: 2 },
      { from: 7, rows: 0 },
    ])
  })

  test.each([
    { name: 'just under a minute', waits: MINUTE - 1, late: [3] },
    { name: 'a minute', waits: MINUTE, late: [] },
  ])('is given up after a look that began $name later', async ({ waits, late }) => {
    const [log, time] = [new NumberedLog(), { now: 0 }]
    log.write()
    const { watcher, told } = await watch(log, time)
    log.take(2)
    log.write()
    await watcher.look()
    time.now += waits
    await watcher.look()
    log.commit(3)
    await watcher.look()
    expect(told).toEqual([4, ...late])
  })

  test('is heard by a process that did not look for an hour', async () => {
    const [log, time] = [new NumberedLog(), { now: 0 }]
    log.write()
    const { watcher, told } = await watch(log, time)
    const late = log.take()
    log.write()
    await watcher.look()
    log.commit(late)
    time.now += 60 * MINUTE
    await watcher.look()
    expect(told).toEqual([3, 2])
  })

  test.each([
    { name: 'the first of all', before: 0 },
    { name: 'one of the last thousand', before: 3000 },
  ])('before the start is heard when it is $name', async ({ before }) => {
    const log = new NumberedLog()
    for (let count = 0; count < before; count++) log.write()
    const late = log.take()
    for (let count = 0; count < 999; count++) log.write()
    const { watcher, told, gaps } = await watch(log, { now: 0 })
    await watcher.look()
    log.commit(late)
    await watcher.look()
    await watcher.look()
    expect([told, gaps.count]).toEqual([[late], 0])
  })

  test('below what was pruned does no harm', async () => {
    const log = new NumberedLog()
    for (let count = 0; count < 3000; count++) log.write()
    log.prune(2995)
    const { watcher, told, gaps } = await watch(log, { now: 0 })
    const late = log.take()
    log.write()
    await watcher.look()
    log.commit(late)
    log.prune(3000)
    await watcher.look()
    expect([told, gaps.count]).toEqual([[3002, late], 0])
  })

  test('costs nothing where numbers become visible in their order', async () => {
    const log = new NumberedLog()
    const version = { now: 0 }
    log.write()
    const { watcher, told } = await watch(log, { now: 0 }, () => version.now)
    expect(log.reads).toEqual([])
    log.take()
    log.write()
    for (const _look of [1, 2]) {
      version.now += 1
      await watcher.look()
      await watcher.look()
    }
    expect([told, log.reads.map(({ from }) => from)]).toEqual([[3], [1, 3]])
  })
})

describe('starts over, and hears what is open then,', () => {
  test.each([
    { name: 'when too many are open', change: (log: NumberedLog) => void log.take(6000) },
    { name: 'when numbers jump', change: (log: NumberedLog) => void log.take(2 ** 52) },
    {
      name: 'when rows were pruned that were not read',
      change(log: NumberedLog) {
        for (let count = 0; count < 10; count++) log.write()
        log.prune(log.take(1))
      },
    },
    { name: 'when a backup was restored', change: (log: NumberedLog) => log.restore(5) },
    {
      name: 'when a backup was restored that was written to since',
      change(log: NumberedLog) {
        log.restore(5)
        log.take(2)
      },
    },
  ])('$name', async ({ change }) => {
    const log = new NumberedLog()
    for (let count = 0; count < 10; count++) log.write()
    const { watcher, told, gaps } = await watch(log, { now: 0 })
    const open = log.take()
    log.write()
    await watcher.look()
    expect([told, open]).toEqual([[12], 11])
    change(log)
    const late = log.take()
    log.write()
    await watcher.look()
    expect([told, gaps.count]).toEqual([[12], 1])
    log.commit(late)
    log.write()
    await watcher.look()
    expect([told, gaps.count]).toEqual([[12, late, late + 2], 1])
  })

  test('again after a look that failed on the way', async () => {
    const log = new NumberedLog()
    for (let count = 0; count < 10; count++) log.write()
    const { watcher, gaps } = await watch(log, { now: 0 })
    log.restore(5)
    log.betweenStatements = () => {
      throw new Error('away')
    }
    await watcher.look()
    expect([gaps.count, watcher.isCurrent]).toEqual([0, false])
    log.betweenStatements = () => undefined
    await watcher.look()
    expect([gaps.count, watcher.isCurrent]).toEqual([1, true])
  })
})
