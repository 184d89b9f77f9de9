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

const words = process.argv.slice(2)
const isQuick = words.includes('--quick')
const chosen = words.filter((word) => !word.startsWith('--'))

const PARTS: Readonly<Record<string, (place: Place) => Promise<readonly string[]>>> = {
  ratios: (place) => compareRoutes(place, isQuick ? 1 : 5, isQuick ? 2 : 6),
  keys: (place) => weighKeys(place, isQuick ? [1000, 10_000] : [10_000, 100_000]),
  redis: async (place) => [
    ...(await countCommands(place, isQuick ? 200 : 2000)),
    ...(await weighSubjects(place, isQuick ? 500 : 5000)),
    ...(await countDecisions(place, isQuick ? 10_000 : 200_000)),
  ],
  changes: (place) => measureFanOut(place, isQuick ? 10 : 100),
  usage: (place) => measureUsage(place, isQuick ? [10] : [1, 100, 1000], isQuick ? 2 : 10),
}

const unknown = chosen.filter((word) => !Object.hasOwn(PARTS, word))
if (unknown.length > 0) throw new Error(`Parts are: ${Object.keys(PARTS).join(', ')}`)

await inPlace(async (place) => {
  for (const [name, run] of Object.entries(PARTS)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue
    const rows = await run(place)
    console.log(`${rows.join('\n')}\n`)
  }
})
