/** A guarded route on each database, warm, with counts in the process and in Redis, compared round by round. */
import type { Report } from '../report.ts'
import { measureInRounds } from '../rounds.ts'
import { measure } from '../wrk.ts'
import type { Place } from './place.ts'
import type { Setting } from './server.ts'

const FIRST = 'SQLite, local limits'
/** Of PostgreSQL with local limits to SQLite. */
const GOAL = { atLeast: 0.9 }

export async function compareRoutes(
  place: Place,
  report: Report,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<void> {
  const postgres = await place.createPostgres()
  const redis = place.redis.url
  const settings: Readonly<Record<string, Setting>> = {
    [FIRST]: { database: place.createSqlite() },
    'PostgreSQL, local limits': { database: postgres },
    'PostgreSQL and Redis, local limits': { database: postgres, redis, isShared: false },
    'PostgreSQL and Redis, shared limits': { database: postgres, redis },
  }
  const names = Object.keys(settings)
  const measured = await measureInRounds(names, rounds, report, (name) =>
    measure(['cluster/server.ts', JSON.stringify(settings[name])], seconds),
  )
  for (const name of names) {
    const rate = measured.of(name, 'requestsPerSecond').toLocaleString('en', { maximumFractionDigits: 0 })
    const p99 = measured.of(name, 'p99').toFixed(2)
    const note = `processor time; ${rate} requests/s, p99 ${p99} ms`
    report.add({ group: 'cluster', name, value: measured.of(name, 'cpu'), unit: 'µs', note })
    if (name === FIRST) continue
    report.add({
      group: 'cluster',
      name: `${name}, to SQLite`,
      value: measured.ratio(name, FIRST, 'requestsPerSecond'),
      unit: 'ratio',
      note: `by processor time ${measured.ratio(name, FIRST, 'cpu').toFixed(2)}`,
      ...(name === 'PostgreSQL, local limits' && { goal: GOAL }),
    })
  }
}
