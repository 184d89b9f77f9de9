/** A guarded route on each database, with counts in the process and in Redis, compared round by round. */
import { median } from '../median.ts'
import { measure, type Reading } from '../wrk.ts'
import type { Place } from './place.ts'
import type { Setting } from './server.ts'

/** Of PostgreSQL with local limits to SQLite. */
const GOAL = 0.9

export async function compareRoutes(place: Place, rounds: number, seconds: number): Promise<readonly string[]> {
  const postgres = await place.createPostgres()
  const redis = place.redis.url
  const settings: Readonly<Record<string, Setting>> = {
    'SQLite, local limits': { database: place.createSqlite() },
    'PostgreSQL, local limits': { database: postgres },
    'PostgreSQL and Redis, local limits': { database: postgres, redis, isShared: false },
    'PostgreSQL and Redis, shared limits': { database: postgres, redis },
  }
  const readings = new Map<string, Reading[]>(Object.keys(settings).map((name) => [name, []]))
  for (let round = 1; round <= rounds; round += 1) {
    for (const [name, setting] of Object.entries(settings)) {
      process.stderr.write(`\rround ${round}/${rounds}: ${name.padEnd(40)}`)
      readings.get(name)?.push(await measure(['cluster/server.ts', JSON.stringify(setting)], seconds))
    }
  }
  process.stderr.write(`\r${' '.repeat(60)}\r`)

  const [first = []] = readings.values()
  const ratio = (own: readonly Reading[], member: 'requestsPerSecond' | 'cpu') =>
    median(
      own.map((reading, round) => {
        const [mine, other] = [reading[member], first[round]?.[member] ?? Number.NaN]
        return member === 'cpu' ? other / mine : mine / other
      }),
    ).toFixed(2)
  return [
    `A guarded route with a limit, warm; goal: ${GOAL} of SQLite with local limits on PostgreSQL`,
    `${''.padEnd(36)}requests/s  to SQLite  CPU µs/request  SQLite CPU to it  p99 ms`,
    ...[...readings].map(([name, own]) => {
      const of = (member: keyof Reading) => median(own.map((reading) => reading[member]))
      const cells = [
        of('requestsPerSecond').toFixed(0).padStart(10),
        ratio(own, 'requestsPerSecond').padStart(10),
        of('cpu').toFixed(1).padStart(15),
        ratio(own, 'cpu').padStart(17),
        of('p99').toFixed(2).padStart(7),
      ]
      return name.padEnd(36) + cells.join(' ')
    }),
  ]
}
