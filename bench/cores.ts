/**
 * What two workers on one port and one SQLite file carry, beside one: `bun bench/cores.ts [--quick]`.
 *
 * On a machine of two processors the load takes part of both, so that no rate can double. What each worker could carry
 * with a processor to itself is told by the processor time of a request: if that is no more with two workers than with
 * one, two processors carry twice as much. What time does not tell, such as waiting for each other, would show as
 * processors that are idle under full load, and in the rates, beside those of bare Elysia in the same run.
 */

import { goalOf } from './goals.ts'
import { median } from './median.ts'
import { createPrintingReport, type Report } from './report.ts'
import { processorTimeOf, startChild } from './scale/child.ts'
import { createKeyFiles } from './scale/database.ts'
import { createLoadFiles, presentAll, runLoad } from './scale/load.ts'
import { NEVER, SERVER, type Setting, type Word } from './scale/server.ts'

const GROUP = 'cores'
const KEYS = 1000
/** For each worker: one that has more of them ready at once spends less on each. */
const CONNECTIONS = 32
/** Requests of each worker before it is measured: its code is compiled by then, however slow the machine is. */
const WARM_UP = 20_000

interface Measured {
  readonly requestsPerSecond: number
  /** Processor time of all workers, µs per request. */
  readonly cpu: number
  /** The part of the requests' processor time that the less busy worker had. */
  readonly least: number
  /** The part of both processors' time that workers and load used. */
  readonly busy: number
}

/** A port that is free, which all workers can be told before the first of them listens. */
function findPort(): number {
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() })
  const { port = 0 } = server
  server.stop(true)
  return port
}

async function measure(
  database: string | null,
  workers: 1 | 2,
  seconds: number,
  script: readonly string[],
): Promise<Measured> {
  const port = findPort()
  const setting: Setting = { database, port, limit: NEVER }
  const servers = []
  try {
    for (let processor = 0; processor < workers; processor += 1) {
      servers.push(await startChild<Word>([SERVER, JSON.stringify(setting)], processor))
    }
    // One worker leaves the other processor to the load.
    const load = { port, script, connections: CONNECTIONS * workers, processors: workers === 1 ? '1' : null }
    await presentAll(WARM_UP * workers, { ...load, seconds: 1 })
    const before = servers.map(({ pid }) => processorTimeOf(pid))
    const { requests, requestsPerSecond, refused, cpu: own } = await runLoad({ ...load, seconds })
    const used = servers.map(({ pid }, index) => processorTimeOf(pid) - (before[index] ?? 0))
    if (refused > 0) throw new Error(`${refused} right keys were refused`)
    const all = used.reduce((sum, each) => sum + each, 0)
    return {
      requestsPerSecond,
      cpu: all / requests,
      least: Math.min(...used) / all,
      busy: (all + own) / (2e6 * seconds),
    }
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
}

/** One worker and two, one right after the other. */
interface Round {
  readonly one: Measured
  readonly two: Measured
}

const medianOf = (rounds: readonly Round[], of: (round: Round) => number) => median(rounds.map(of))
/** Of what two workers carry, each with a processor to itself. */
const byTime = ({ one, two }: Round) => (2 * one.cpu) / two.cpu
const byRate = ({ one, two }: Round) => two.requestsPerSecond / one.requestsPerSecond

export async function run(report: Report, { isQuick }: { readonly isQuick: boolean }): Promise<void> {
  const [rounds, seconds] = isQuick ? [1, 1] : [5, 4]
  using files = createKeyFiles(false, report.progress)
  using load = createLoadFiles()
  const script = load.argumentsFor(KEYS, 'in turn')
  const database = await files.withKeys(KEYS)
  const bare: Round[] = []
  const ours: Round[] = []
  for (let round = 1; round <= rounds; round += 1) {
    for (const [name, file, into] of [
      ['bare', null, bare],
      ['ours', database, ours],
    ] as const) {
      report.progress(`round ${round} of ${rounds}: ${name}`)
      into.push({ one: await measure(file, 1, seconds, script), two: await measure(file, 2, seconds, script) })
    }
  }
  const [own, other] = [medianOf(ours, byTime), medianOf(bare, byTime)]
  const percent = (part: number) => `${(part * 100).toFixed(0)} %`
  const goal = goalOf(GROUP, 'two workers, to one')
  report.add({
    ...{ group: GROUP, name: 'two workers, to one', value: own, unit: 'ratio', ...(goal && { goal }) },
    note: `by processor time: ${medianOf(ours, ({ one }) => one.cpu).toFixed(1)} and ${medianOf(ours, ({ two }) => two.cpu).toFixed(1)} µs a request; bare Elysia ${other.toFixed(2)}`,
  })
  report.add({ group: GROUP, name: 'the same, to bare', value: own / other, unit: 'ratio' })
  report.add({
    ...{ group: GROUP, name: 'rate of two workers, to one', value: medianOf(ours, byRate), unit: 'ratio' },
    note: `wrk on the same two processors, which are ${percent(medianOf(ours, ({ two }) => two.busy))} busy; bare Elysia ${medianOf(bare, byRate).toFixed(2)}, ${percent(medianOf(bare, ({ two }) => two.busy))}`,
  })
  report.add({
    ...{
      group: GROUP,
      name: 'part of the less busy worker',
      value: medianOf(ours, ({ two }) => two.least),
      unit: 'ratio',
    },
    note: `as the kernel spreads ${2 * CONNECTIONS} connections`,
  })
}

if (import.meta.main) await run(createPrintingReport(), { isQuick: process.argv.includes('--quick') })
