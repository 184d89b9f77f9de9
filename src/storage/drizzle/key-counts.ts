import { type SQL, sql } from 'drizzle-orm'
import { breathe } from '../../lib/breathe.ts'
import type { KeyStore } from '../ports/keys.ts'
import type { Database } from './database.ts'

/** Keys that are looked at in a row: 1 ms on SQLite, where nobody else has a turn meanwhile. */
const PART = 2000

/** @param isActive tells keys that are usable at a time (epoch ms) */
export function createKeyCount(
  { handle, tables, dialect }: Database,
  isActive: (now: number) => SQL | undefined,
): KeyStore['count'] {
  const { apiKeys } = tables
  const columns = (now: number) => ({
    all: sql`count(*)`.mapWith(Number),
    active: sql`count(case when ${isActive(now)} then 1 end)`.mapWith(Number),
  })

  async function countAtOnce(now: number) {
    const [row] = await handle.select(columns(now)).from(apiKeys)
    return row ?? { all: 0, active: 0 }
  }

  async function countInParts(now: number) {
    const counts = { all: 0, active: 0 }
    const place = sql.raw('rowid')
    for (let after: number | null = 0; after !== null; ) {
      const end: number = after + PART
      const next = sql<number | null>`(select min(${place}) from ${apiKeys} where ${place} > ${end})`
      const [part] = await handle
        .select({ ...columns(now), next })
        .from(apiKeys)
        .where(sql`${place} > ${after} and ${place} <= ${end}`)
      counts.all += part?.all ?? 0
      counts.active += part?.active ?? 0
      const first = part?.next ?? null
      after = first === null ? null : first - 1
      if (after !== null) await breathe()
    }
    return counts
  }

  return dialect === 'sqlite' ? countInParts : countAtOnce
}
