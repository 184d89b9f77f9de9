/**
 * What PostgreSQL and Redis cost: a guarded route on each, compared in one run, and the constants of `docs/scaling.md`.
 * `bun bench/cluster.ts [--quick] [parts]`; parts: `ratios`, `keys`, `redis`, `changes`, `usage`. Default: all.
 *
 * Starts a PostgreSQL and a Redis of its own, without `fsync`, and removes them.
 */
import { measureFanOut } from './cluster/fan-out.ts'
import { inPlace, type Place } from './cluster/place.ts'
import { compareRoutes } from './cluster/ratios.ts'
import { countCommands, countDecisions, weighSubjects } from './cluster/redis-cost.ts'
import { weighKeys } from './cluster/storage-size.ts'
import { measureUsage } from './cluster/usage-rate.ts'
import { createPrintingReport, type Report } from './report.ts'

type Part = (place: Place, report: Report, isQuick: boolean) => Promise<void>

const PARTS: Readonly<Record<string, Part>> = {
  ratios: (place, report, isQuick) =>
    compareRoutes(place, report, isQuick ? { rounds: 1, seconds: 2 } : { rounds: 3, seconds: 4 }),
  keys: (place, report, isQuick) => weighKeys(place, report, isQuick ? [1000] : [10_000, 50_000]),
  async redis(place, report, isQuick) {
    await countCommands(place, report, isQuick ? 200 : 2000)
    await weighSubjects(place, report, isQuick ? 500 : 2000)
    await countDecisions(place, report, isQuick ? 10_000 : 100_000)
  },
  changes: (place, report, isQuick) => measureFanOut(place, report, isQuick ? 10 : 50),
  usage: (place, report, isQuick) =>
    measureUsage(place, report, isQuick ? { keys: [10], seconds: 2 } : { keys: [1, 1000], seconds: 6 }),
}

interface Options {
  readonly isQuick: boolean
  /** Default: all. */
  readonly parts?: readonly string[]
}

export async function run(report: Report, { isQuick, parts = [] }: Options): Promise<void> {
  const unknown = parts.filter((part) => !Object.hasOwn(PARTS, part))
  if (unknown.length > 0) throw new Error(`Parts are: ${Object.keys(PARTS).join(', ')}`)
  await inPlace(async (place) => {
    for (const [name, measurePart] of Object.entries(PARTS)) {
      if (parts.length === 0 || parts.includes(name)) await measurePart(place, report, isQuick)
    }
  })
}

if (import.meta.main) {
  const words = process.argv.slice(2)
  const parts = words.filter((word) => !word.startsWith('--'))
  await run(createPrintingReport(), { isQuick: words.includes('--quick'), parts })
}
