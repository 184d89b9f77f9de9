/** What single options cannot say of databases and of several processes. */
import { DEFAULT_DATABASE, kindOfDatabase } from './database.ts'
import { resolveCluster, resolvePostgres } from './groups.ts'
import { quotedDuration, type Report } from './mistakes.ts'
import type { ResolvedOptions } from './resolved.ts'
import type { DatabaseOption } from './types.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const LONGEST_CALL = 5 * MINUTE
const LONGEST_REDIS_CALL = 30 * SECOND
const LONGEST_STALENESS = 60 * MINUTE

function checkTimes({ postgres, cluster }: ResolvedOptions, report: Report): void {
  if (postgres.timeout > LONGEST_CALL) {
    report.add(['postgres', 'timeout'], quotedDuration(postgres.timeout), "at most '5m'")
  }
  if (cluster.redisTimeout > LONGEST_REDIS_CALL) {
    report.add(['cluster', 'redisTimeout'], quotedDuration(cluster.redisTimeout), "at most '30s'")
  }
  if (cluster.staleness > LONGEST_STALENESS) {
    report.add(['cluster', 'staleness'], quotedDuration(cluster.staleness), "at most '1h'")
  }
}

/** The members of a group that are not what they are when nothing is given. */
function changed<T extends object>(given: T, usual: T, names: readonly (keyof T & string)[]): readonly string[] {
  return names.filter((name) => given[name] !== usual[name])
}

function warnOf(group: string, names: readonly string[], why: string, report: Report): void {
  for (const name of names) report.warn(`${group}.${name} has no effect ${why}`)
}

function checkEffect({ redis, cluster, database, postgres }: ResolvedOptions, report: Report): void {
  const ofShares = changed(cluster, resolveCluster(), ['processes', 'withoutRedis'])
  if (redis === null) {
    warnOf('cluster', ofShares, 'without redis: each process counts for itself.', report)
  } else if (cluster.limits === 'local') {
    warnOf('cluster', ofShares, "with cluster.limits 'local': each process counts for itself.", report)
  }
  if (redis !== null && kindOfDatabase(database) === 'sqlite-memory') {
    report.warn('redis is shared, but a database in memory is not: no other process knows its keys.')
  }
  warnOf(
    'postgres',
    changed(postgres, resolvePostgres(), withoutEffect(database)),
    "unless database is 'postgres://…'.",
    report,
  )
}

/** The members of `postgres` that say nothing of a database. */
function withoutEffect(database: DatabaseOption): readonly (keyof ResolvedOptions['postgres'])[] {
  // What a development machine has by default is no reason to complain of what the others use.
  if (database === DEFAULT_DATABASE) return []
  if (kindOfDatabase(database) !== 'postgres') return ['poolSize', 'prepare', 'ca']
  // An app makes connections of its own as it likes; `poolSize` says how many reports go through them at once.
  return typeof database === 'string' ? [] : ['prepare', 'ca']
}

/** Reports contradictions between the options of databases and of several processes. */
export function checkCluster(options: ResolvedOptions, report: Report): void {
  checkTimes(options, report)
  checkEffect(options, report)
}
