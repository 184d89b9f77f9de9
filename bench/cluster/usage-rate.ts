/** What counting requests writes to PostgreSQL: it grows with keys in use and seconds, not with requests. */
import { askPostgres } from '../../test/support/servers/postgres-process.ts'
import type { Report } from '../report.ts'
import { measure } from '../wrk.ts'
import type { Place } from './place.ts'
import type { Setting } from './server.ts'

interface Written {
  readonly requests: number
  readonly inserted: number
  readonly updated: number
  /** Bytes of the log ahead of writing. */
  readonly log: number
  /** Bytes of the tables of usage at the end. */
  readonly kept: number
}

const STATISTICS = `select coalesce(sum(n_tup_ins), 0)::int as inserted, coalesce(sum(n_tup_upd), 0)::int as updated,
  (pg_current_wal_lsn() - '0/0')::bigint::float8 as log,
  coalesce(sum(pg_total_relation_size(relid)), 0)::int as kept
  from pg_stat_user_tables where relname like 'machine\\_auth\\_usage%'`

async function statisticsOf(url: string): Promise<Omit<Written, 'requests'>> {
  // A backend tells of what it did when it is idle for a second.
  await Bun.sleep(2000)
  const [row] = (await askPostgres(url, STATISTICS)) as readonly Omit<Written, 'requests'>[]
  if (row === undefined) throw new Error('no statistics')
  return row
}

const COUNTED = `select coalesce(sum(requests), 0)::int as requests from machine_auth_usage
  where period = 'hour' and route = '/'`

/** What counting requests by key writes to PostgreSQL, flushed every second. */
export async function measureUsage(
  place: Place,
  report: Report,
  { keys, seconds }: { readonly keys: readonly number[]; readonly seconds: number },
): Promise<void> {
  for (const count of keys) {
    report.progress(`usage of ${count} keys`)
    const database = await place.createPostgres()
    const setting: Setting = { database, usage: true, keys: count, limit: false }
    // Makes the tables and the keys, whose creation is not what is measured.
    await measure(['cluster/server.ts', JSON.stringify(setting)], 1)
    const before = await statisticsOf(database)
    const [{ requests: earlier } = { requests: 0 }] = (await askPostgres(database, COUNTED)) as { requests: number }[]
    await measure(['cluster/server.ts', JSON.stringify(setting)], seconds)
    const after = await statisticsOf(database)
    const [{ requests: later } = { requests: 0 }] = (await askPostgres(database, COUNTED)) as { requests: number }[]
    const million = (later - earlier) / 1e6
    const written = after.inserted + after.updated - before.inserted - before.updated
    const log = (after.log - before.log) / million / 1024
    const perKey = written / (seconds + 2) / count
    report.add({
      group: 'cluster',
      name: `rows written for a million requests, ${count} keys`,
      value: written / million,
      unit: 'count',
      note: `${log.toFixed(0)} KiB of log; tables ${(after.kept / 1024).toFixed(0)} KiB; ${perKey.toFixed(2)} rows a second and key`,
    })
  }
}
