/**
 * What a limit costs, in ns per decision and bytes per subject: `bun bench/limits.ts [--quick]`.
 *
 * Subjects come in random order, in texts of their own each time, as from a socket, at 0.9 of their limit; each decision
 * waits for the one before, as requests do. `Map.get` and `count += 1` with the same texts stands beside it: with many
 * subjects all of them wait for memory. Bytes are what a process of its own grows by, names and Map included: its heap
 * as the engine counts it, and what the system sees, which includes the gaps that garbage left.
 */
import { heapStats } from 'bun:jsc'
import { Limiter } from '../src/limits/limiter.ts'
import { createRate, type Rate } from '../src/limits/rate.ts'
import { median } from './median.ts'
import { createPrintingReport, type Report } from './report.ts'

const MINUTE = 60_000
const START = 1_700_000_000_000
const PACE = 0.9

const RATES: Readonly<Record<string, Rate>> = {
  'sliding-window 60/min': createRate({ limit: 60, window: MINUTE }),
  'sliding-window 10,000/min': createRate({ limit: 10_000, window: MINUTE }),
  'sliding-window-counter 60/min': createRate({ limit: 60, window: MINUTE, strategy: 'sliding-window-counter' }),
  'token-bucket 60/min': createRate({ limit: 60, window: MINUTE, strategy: 'token-bucket' }),
}

const FEW = 1000
const SIZES = [FEW, 100_000, 1_000_000] as const
const QUICK_SIZES = [FEW, 10_000] as const
const WARM_UP = 3
const BATCHES = 9
const PER_BATCH = 100_000

/** Only the sliding windows grow with the hits of a subject. */
const WEIGHED = [
  ...Object.keys(RATES).map((name) => ({ name, size: 1_000_000, hits: 1 })),
  { name: 'sliding-window 60/min', size: 50_000, hits: 60 },
  { name: 'sliding-window 10,000/min', size: 50_000, hits: 60 },
]

/** Answers a number from 0 to 2^31 that is known only when the decision is. */
type Decide = (subject: string, now: number) => number

/** Flat, where a template would be a rope of more bytes. */
function addressOf(index: number): string {
  return Buffer.from(`203.${(index >>> 16) & 255}.${(index >>> 8) & 255}.${index & 255}`).toString('latin1')
}

/** In random order, each text made anew and lying next to the following, as what was just received does. */
function createArrivals(size: number): string[] {
  const order = Uint32Array.from({ length: size }, (_, index) => index)
  for (let index = size - 1; index > 0; index--) {
    const other = Math.floor(Math.random() * (index + 1))
    const swapped = order[index] as number
    order[index] = order[other] as number
    order[other] = swapped
  }
  return Array.from(order, addressOf)
}

const made = new Map<number, readonly string[]>()

function arrivalsOf(size: number): readonly string[] {
  const texts = made.get(size) ?? createArrivals(size)
  made.set(size, texts)
  return texts
}

/** Answers ns per decision, the median of batches; `step` is how many ms pass from one to the next. */
function timeDecisions(decide: Decide, size: number, step: number): number {
  const texts = arrivalsOf(size)
  // What an earlier measurement left behind is not for this one to clear away.
  Bun.gc(true)
  const times: number[] = []
  let count = 0
  let answer = 0
  for (let batch = -WARM_UP; batch < BATCHES; batch++) {
    const began = Bun.nanoseconds()
    for (const end = count + PER_BATCH; count < end; count++) {
      // Adds nothing, but keeps the processor from beginning the next look-up before this one has ended.
      const place = (count + (answer >>> 31)) % size
      answer = decide(texts[place] as string, START + Math.floor(count * step))
    }
    if (batch >= 0) times.push((Bun.nanoseconds() - began) / PER_BATCH)
  }
  return median(times)
}

function timeLimiter(rate: Rate, size: number): number {
  const limiter = new Limiter(rate, size)
  for (let index = 0; index < size; index++) limiter.hit(addressOf(index), START)
  return timeDecisions(
    (subject, now) => limiter.hit(subject, now).remaining,
    size,
    rate.window / rate.limit / size / PACE,
  )
}

function timeRefusals(rate: Rate): number {
  const limiter = new Limiter(rate, FEW)
  for (let index = 0; index < FEW; index++) limiter.hit(addressOf(index), START, rate.limit)
  return timeDecisions((subject) => limiter.hit(subject, START).remaining, FEW, 0)
}

function timeMap(size: number): number {
  const map = new Map<string, { count: number }>()
  for (let index = 0; index < size; index++) map.set(addressOf(index), { count: 0 })
  const count = (subject: string) => {
    const entry = map.get(subject)
    if (entry === undefined) return 0
    entry.count += 1
    return entry.count
  }
  return timeDecisions(count, size, 0)
}

const words = (count: number) => `${count.toLocaleString('en')} ${count === 1 ? 'subject' : 'subjects'}`

function reportDecisions(report: Report, sizes: readonly number[]): void {
  // So that the code is as warm for the first line as for the last.
  for (let round = 0; round < WARM_UP; round += 1) {
    report.progress(`warming up, ${round + 1} of ${WARM_UP}`)
    for (const rate of Object.values(RATES)) {
      timeLimiter(rate, FEW)
      timeRefusals(rate)
    }
  }
  for (const size of sizes) {
    report.progress(`decisions for ${words(size)}`)
    const map = timeMap(size)
    const add = (name: string, value: number) =>
      report.add({ group: 'limits', name, value, unit: 'ns', note: `a look-up in a Map ${map.toFixed(0)} ns` })
    for (const [name, rate] of Object.entries(RATES)) {
      add(`a decision of ${name}, ${words(size)}`, timeLimiter(rate, size))
      if (size === FEW) add(`a refusal of ${name}, ${words(size)}`, timeRefusals(rate))
    }
  }
}

interface Footprint {
  /** Bytes. */
  readonly resident: number
  readonly heap: number
}

function footprint(): Footprint {
  Bun.gc(true)
  Bun.gc(true)
  return { resident: process.memoryUsage().rss, heap: heapStats().heapSize }
}

/** Bytes per subject; in a process that has done nothing else. */
function weigh(rate: Rate, size: number, hits: number): Footprint {
  const limiter = new Limiter(rate, size)
  const before = footprint()
  for (let index = 0; index < size; index++) {
    const subject = addressOf(index)
    for (let hit = 0; hit < hits; hit++) limiter.hit(subject, START + Math.floor((hit * rate.window) / hits))
  }
  const after = footprint()
  if (limiter.size !== size) throw new Error(`${size - limiter.size} subjects were forgotten while they were weighed`)
  return { resident: (after.resident - before.resident) / size, heap: (after.heap - before.heap) / size }
}

function reportMemory(report: Report, most: number): void {
  for (const { name, size, hits } of WEIGHED) {
    const count = Math.min(size, most)
    report.progress(`memory of ${words(count)} of ${name}`)
    const command = [process.execPath, import.meta.path, name, String(count), String(hits)]
    const { resident, heap } = JSON.parse(Bun.spawnSync(command, { stderr: 'inherit' }).stdout.toString()) as Footprint
    report.add({
      group: 'limits',
      name: `a subject of ${name}, ${hits} ${hits === 1 ? 'hit' : 'hits'} each`,
      value: heap,
      unit: 'bytes',
      note: `of ${words(count)}, in the heap; ${resident.toFixed(0)} bytes resident`,
    })
  }
}

export async function run(report: Report, { isQuick }: { readonly isQuick: boolean }): Promise<void> {
  reportDecisions(report, isQuick ? QUICK_SIZES : SIZES)
  reportMemory(report, isQuick ? 10_000 : 1_000_000)
}

if (import.meta.main) {
  const [name = '', size, hits] = process.argv.slice(2)
  const weighed = RATES[name]
  if (weighed === undefined) await run(createPrintingReport(), { isQuick: name === '--quick' })
  else console.log(JSON.stringify(weigh(weighed, Number(size), Number(hits))))
}
