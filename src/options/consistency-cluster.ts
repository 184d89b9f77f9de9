/** What single options cannot say of databases and of several processes. */
import { kindOfDatabase } from './database.ts'
import { quotedDuration, type Report } from './mistakes.ts'
import type { ResolvedOptions } from './resolved.ts'

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

function checkEffect({ redis, cluster, database }: ResolvedOptions, report: Report): void {
  if (redis === null && cluster.processes !== null) {
    report.warn('cluster.processes has no effect without redis: each process counts for itself.')
  }
  if (redis !== null && kindOfDatabase(database) === 'sqlite-memory') {
    report.warn('redis is shared, but a database in memory is not: no other process knows its keys.')
  }
}

/** Reports contradictions between the options of databases and of several processes. */
export function checkCluster(options: ResolvedOptions, report: Report): void {
  checkTimes(options, report)
  checkEffect(options, report)
}
