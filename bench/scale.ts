/**
 * One million keys, a hundred thousand of them in use: `bun bench/scale.ts [--quick] [--keep] [parts]`; parts: `cold`,
 * `start`, `throughput`, `latency`, `memory`. Default: all.
 *
 * Makes SQLite files with the keys first, in half a minute; `--keep` leaves them in the directory for temporary files
 * for the next run. The server has the default options, usage and metrics among them.
 */
import { createPrintingReport, type Report } from './report.ts'
import { startChild } from './scale/child.ts'
import { compareColdKeys } from './scale/cold.ts'
import { createKeyFiles, type KeyFiles } from './scale/database.ts'
import { measureLatency } from './scale/latency.ts'
import { createLoadFiles, presentAll, runLoad } from './scale/load.ts'
import { NEVER, SERVER, type Setting, type Word } from './scale/server.ts'
import { compareStarts } from './scale/start.ts'
import { keyTextOf } from './scale/texts.ts'
import { compareThroughput, type Variant } from './scale/throughput.ts'

const GROUP = 'scale'
const MB = 1_000_000

interface Sizes {
  /** Keys in the database. */
  readonly many: number
  /** Keys in the database beside it. */
  readonly fewer: number
  readonly active: number
  /** Keys in use, in turn, whose throughput is measured. */
  readonly counts: readonly number[]
  readonly rounds: number
  /** Of each run. */
  readonly seconds: number
  readonly starts: number
  readonly slices: number
  /** Keys whose first use is timed. */
  readonly timed: number
}

const FULL: Sizes = {
  ...{ many: 1_000_000, fewer: 100_000, active: 100_000, counts: [1, 1000, 100_000] },
  ...{ rounds: 3, seconds: 3, starts: 9, slices: 60, timed: 5000 },
}
const QUICK: Sizes = {
  ...{ many: 20_000, fewer: 5000, active: 2000, counts: [1, 2000] },
  ...{ rounds: 1, seconds: 1, starts: 2, slices: 20, timed: 500 },
}

const count = (value: number) => value.toLocaleString('en')

interface Bench {
  readonly report: Report
  readonly sizes: Sizes
  readonly files: KeyFiles
}

const start = (setting: Setting) => startChild<Word>([SERVER, JSON.stringify(setting)], 0)

async function measureCold({ report, sizes, files }: Bench): Promise<void> {
  const { many, fewer, slices } = sizes
  report.progress('the first use of a key, in process')
  const costs = await compareColdKeys(
    new Map([
      [fewer, await files.withKeys(fewer)],
      [many, await files.withKeys(many)],
    ]),
    slices,
  )
  const [small, large] = [costs.get(fewer), costs.get(many)]
  if (small === undefined || large === undefined) return
  const add = (name: string, value: number, atMost: number, note: string) =>
    report.add({ group: GROUP, name, value, unit: 'ratio', goal: { atMost }, note })
  const µs = (ns: number) => `${(ns / 1000).toFixed(1)} µs`
  add(
    `key with its owner from storage, ${count(many)} keys`,
    large.stored / large.select,
    1.2,
    `${µs(large.stored)}, to a prepared Drizzle select of the same joins that SQLite compiles once, ${µs(large.select)}`,
  )
  report.add({
    ...{ group: GROUP, name: `first use of a key, ${count(many)} keys`, value: large.verified / 1000, unit: 'µs' },
    note: `all of its verification, in process; ${(large.verified / large.select).toFixed(2)} of the select`,
  })
  for (const way of ['stored', 'verified'] as const) {
    add(
      `${way === 'stored' ? 'key from storage' : 'first use'}: ${count(many)} keys to ${count(fewer)}`,
      large[way] / small[way],
      1.3,
      `${µs(large[way])} to ${µs(small[way])}; the select alone: ${(large.select / small.select).toFixed(2)}`,
    )
  }
}

async function measureStart({ report, sizes, files }: Bench): Promise<void> {
  const { many, starts } = sizes
  report.progress('starts')
  const full = { database: await files.withKeys(many) }
  const empty = { database: await files.withKeys(0) }
  const taken = await compareStarts(
    {
      'bare Elysia': { setting: { database: null }, status: 200 },
      'no keys': { setting: empty, status: 401 },
      [`${count(many)} keys`]: { setting: full, status: 200 },
    },
    starts,
  )
  for (const [name, { least, median }] of taken) {
    report.add({
      ...{ group: GROUP, name: `start to first answer: ${name}`, value: least, unit: 'ms' },
      note: `least of ${starts}; median ${median.toFixed(0)} ms`,
    })
  }
}

async function measureThroughput({ report, sizes, files }: Bench): Promise<void> {
  const { many, active, counts } = sizes
  using load = createLoadFiles()
  const servers = {
    bare: await start({ database: null }),
    ours: await start({ database: await files.withKeys(many), limit: NEVER, cacheSize: active }),
    roomy: await start({ database: await files.withKeys(many), limit: NEVER, cacheSize: 4 * active }),
  }
  const bareOf = (keys: number) => `bare, ${count(keys)} keys`
  const variants: Variant[] = counts.flatMap((keys) => [
    { name: bareOf(keys), server: servers.bare, keys, order: 'in turn', bare: null },
    {
      name: `${count(keys)} of ${count(many)} keys in turn`,
      server: servers.ours,
      keys,
      order: 'in turn',
      bare: bareOf(keys),
    },
  ])
  const busy = { keys: active, bare: bareOf(active) } as const
  variants.push(
    { ...busy, name: `${count(active)} keys at random`, server: servers.ours, order: 'at random' },
    {
      ...busy,
      name: `${count(active)} keys in turn, cacheSize ${count(4 * active)}`,
      server: servers.roomy,
      order: 'in turn',
    },
    {
      ...busy,
      name: `${count(active)} keys at random, cacheSize ${count(4 * active)}`,
      server: servers.roomy,
      order: 'at random',
    },
  )
  try {
    for (const each of await compareThroughput(variants, load, sizes, report.progress)) {
      if (each.variant.bare === null) {
        report.add({
          ...{ group: GROUP, name: each.variant.name, value: each.requestsPerSecond, unit: 'requests/s' },
          note: `${each.cpu.toFixed(1)} µs of CPU, p99 ${each.p99.toFixed(2)} ms`,
        })
        continue
      }
      report.add({
        ...{ group: GROUP, name: each.variant.name, value: each.toBare, unit: 'ratio' },
        note: `to bare; by CPU ${each.byCpu.toFixed(2)}; ${(each.hits * 100).toFixed(0)} % remembered; ${each.requestsPerSecond.toFixed(0)} requests/s, ${each.cpu.toFixed(1)} µs of CPU, p99 ${each.p99.toFixed(2)} ms (${each.tail.toFixed(2)} of bare)`,
      })
    }
  } finally {
    await Promise.all(Object.values(servers).map((server) => server.stop()))
  }
}

async function measureFirstUse({ report, sizes, files }: Bench): Promise<void> {
  const { many, timed } = sizes
  report.progress('latency of single requests')
  const bare = await start({ database: null })
  const ours = await start({ database: await files.withKeys(many), limit: NEVER })
  const texts = Array.from({ length: timed }, (_, index) => keyTextOf(many - 1 - index))
  // Of both: the code is warm, the keys are not.
  const warmUp = Array.from({ length: timed }, (_, index) => keyTextOf(index))
  try {
    const ports = { bare: bare.hello.port ?? 0, ours: ours.hello.port ?? 0 }
    await measureLatency(ports.bare, warmUp)
    await measureLatency(ports.ours, warmUp)
    const reference = await measureLatency(ports.bare, texts)
    const rows = {
      'first use of a key': await measureLatency(ports.ours, texts),
      'second use': await measureLatency(ports.ours, texts),
    }
    for (const [name, { median, p99 }] of Object.entries(rows)) {
      report.add({
        ...{ group: GROUP, name: `${name} over HTTP, ${count(many)} keys`, value: median, unit: 'µs' },
        note: `median, p99 ${p99.toFixed(0)} µs; bare ${reference.median.toFixed(0)} and ${reference.p99.toFixed(0)} µs`,
      })
    }
  } finally {
    await Promise.all([bare.stop(), ours.stop()])
  }
}

async function measureMemory({ report, sizes, files }: Bench): Promise<void> {
  const { many, active, seconds } = sizes
  using load = createLoadFiles()
  for (const [name, cacheSize] of [
    ['default', undefined],
    [`cacheSize ${count(4 * active)}`, 4 * active],
  ] as const) {
    report.progress(`memory, ${name}`)
    const setting: Setting = { database: await files.withKeys(many), ...(cacheSize === undefined ? {} : { cacheSize }) }
    const server = await start(setting)
    try {
      const port = server.hello.port ?? 0
      await runLoad({ port, seconds: 1, script: load.argumentsFor(1, 'in turn'), processors: null })
      const before = (await server.ask('footprint')).footprint
      await presentAll(active, { port, seconds, script: load.argumentsFor(active, 'in turn'), processors: null })
      const after = (await server.ask('footprint')).footprint
      if (before === undefined || after === undefined) throw new Error('the server did not say what it holds')
      report.add({
        ...{
          group: GROUP,
          name: `memory, ${count(active)} keys in use, ${name}`,
          value: after.own / MB,
          unit: 'MB',
        },
        note: `of its own, without the file; before ${(before.own / MB).toFixed(0)} MB; heap ${(before.heap / MB).toFixed(0)} to ${(after.heap / MB).toFixed(0)} MB; resident with the file ${(after.resident / MB).toFixed(0)} MB`,
      })
    } finally {
      await server.stop()
    }
  }
}

const PARTS: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  cold: measureCold,
  start: measureStart,
  throughput: measureThroughput,
  latency: measureFirstUse,
  memory: measureMemory,
}

/** @param options.parts names of what is measured; all when there is none */
export async function run(
  report: Report,
  options: { readonly isQuick: boolean; readonly isKept?: boolean; readonly parts?: readonly string[] },
): Promise<void> {
  const { isQuick, isKept = false, parts = [] } = options
  const unknown = parts.filter((name) => !Object.hasOwn(PARTS, name))
  if (unknown.length > 0) throw new Error(`Parts are: ${Object.keys(PARTS).join(', ')}`)
  using files = createKeyFiles(isKept, report.progress)
  const bench: Bench = { report, sizes: isQuick ? QUICK : FULL, files }
  for (const [name, measure] of Object.entries(PARTS)) {
    if (parts.length === 0 || parts.includes(name)) await measure(bench)
  }
}

if (import.meta.main) {
  const words = process.argv.slice(2)
  await run(createPrintingReport(), {
    isQuick: words.includes('--quick'),
    isKept: words.includes('--keep'),
    parts: words.filter((word) => !word.startsWith('--')),
  })
}
