import { and, asc, eq, gte } from 'drizzle-orm'
import { ALL_KEYS, type UsageStore } from '../ports/usage.ts'
import { createBusiestKeys } from './busiest-keys.ts'
import type { Database } from './database.ts'
import { createKeySums } from './key-sums.ts'

/** The verbs of `UsageStore` that add up what was counted. */
export function createUsageSums(database: Database): Pick<UsageStore, 'sumsOfKey' | 'overall' | 'busiestKeys'> {
  const { handle, tables } = database
  const { usage } = tables
  const { keyId, period, start, status } = usage

  return {
    sumsOfKey: createKeySums(database),

    overall(name, from) {
      return handle
        .select({ start, status, requests: usage.requests })
        .from(usage)
        .where(and(eq(keyId, ALL_KEYS), eq(period, name), gte(start, from)))
        .orderBy(asc(start), asc(status))
    },

    busiestKeys: createBusiestKeys(database),
  }
}
