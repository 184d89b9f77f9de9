import { and, eq, inArray, type SQL, sql } from 'drizzle-orm'
import type { KeyTouch, UsageStore } from '../ports/usage.ts'
import { chunksOf } from './chunks.ts'
import { type Database, once } from './database.ts'

const KEYS_PER_STATEMENT = 500

/** Answers what moves `lastUsedAt` forward. */
export function createTouch({ dialect, handle, tables }: Database): UsageStore['touch'] {
  const { apiKeys } = tables
  const { id, lastUsedAt } = apiKeys
  const usedAt = sql`used.at`
  const isLater = sql`(${lastUsedAt} is null or ${lastUsedAt} < ${usedAt})`

  /** The uses as a table, from one JSON text: with values of their own the statement takes longer to put together. */
  const uses = sql.placeholder('uses')
  const used =
    dialect === 'sqlite'
      ? sql`(select json_extract(value, '$[0]') as key_id, json_extract(value, '$[1]') as at from json_each(${uses})) as used`
      : sql`(select value ->> 0 as key_id, cast(value ->> 1 as bigint) as at from jsonb_array_elements(${uses}::text::jsonb)) as used`

  function prepare(isReachable?: SQL) {
    return handle
      .update(apiKeys)
      .set({ lastUsedAt: usedAt })
      .from(used)
      .where(and(eq(id, sql`used.key_id`), isLater, isReachable))
      .returning({ id })
      .prepare()
  }
  const waiting = once(() => prepare())

  function skippingLocked(ids: readonly string[]) {
    const rows = handle
      .select({ id })
      .from(apiKeys)
      .where(inArray(id, [...ids]))
    return prepare(sql`${id} in (${rows} for no key update skip locked)`)
  }

  async function touch(some: readonly KeyTouch[], mayWait: boolean): Promise<ReadonlySet<string>> {
    const statement = mayWait ? waiting() : skippingLocked(some.map(({ keyId }) => keyId))
    const touched = await statement.execute({ uses: JSON.stringify(some.map(({ keyId, at }) => [keyId, at])) })
    return new Set(touched.map((row) => row.id))
  }

  return async (touches) => {
    const latest = new Map<string, KeyTouch>()
    for (const use of touches) if (use.at > (latest.get(use.keyId)?.at ?? -1)) latest.set(use.keyId, use)
    for (const some of chunksOf([...latest.values()], KEYS_PER_STATEMENT)) {
      const touched = await touch(some, dialect === 'sqlite')
      if (dialect === 'sqlite') continue
      // Whoever holds one of these may wait for another one of them, such as a revocation of many: one at a time, this
      // holds none while it waits, and no revocation fails for the sake of a time of last use.
      for (const use of some) if (!touched.has(use.keyId)) await touch([use], true)
    }
  }
}
