import { and, eq, inArray, lt, sql } from 'drizzle-orm'
import { START_OF_JOURNAL, type UsageCheckpoint, type UsageStore } from '../ports/usage.ts'
import type { UsageReceiptRecord } from '../records.ts'
import { createBoundedDelete } from './bounded-delete.ts'
import { chunksOf } from './chunks.ts'
import type { Database } from './database.ts'
import type { Handle } from './handle.ts'
import { rowsOf } from './transaction.ts'
import { createUsageAdding } from './usage-rows.ts'
import { createUsageSums } from './usage-sums.ts'

const RECEIPTS_PER_STATEMENT = 200
const KEYS_PER_STATEMENT = 200

const nameOf = ({ keyId, id }: Pick<UsageReceiptRecord, 'keyId' | 'id'>) => `${keyId}\0${id}`

export function createUsageStore(database: Database): UsageStore {
  const { handle, tables, transaction } = database
  const { usage, usageCheckpoints, usageReceipts, apiKeys } = tables
  const { journal: journalColumn, position, target, written, updatedAt } = usageCheckpoints
  const add = createUsageAdding(database)
  const deleteSome = createBoundedDelete(database)

  /** Moves a checkpoint if it still stands at `from`: of racing callers the row lets one through. */
  function move(tx: Handle, journal: string, from: UsageCheckpoint, to: UsageCheckpoint, now: number) {
    const isThere = sql`(${position}, ${target}, ${written}) = (${from.position}, ${from.target}, ${from.written})`
    const moved = { journal: journalColumn }
    const set = { ...to, updatedAt: now }
    if (!Bun.deepEquals(from, START_OF_JOURNAL)) {
      return tx
        .update(usageCheckpoints)
        .set(set)
        .where(and(eq(journalColumn, journal), isThere))
        .returning(moved)
    }
    return tx
      .insert(usageCheckpoints)
      .values({ journal, ...set })
      .onConflictDoUpdate({ target: journalColumn, set, setWhere: isThere })
      .returning(moved)
  }

  return {
    record({ journal, from, to, rows, now }) {
      return transaction(function* (tx) {
        const moved = yield* rowsOf(move(tx, journal, from, to, now))
        if (moved.length === 0) return false
        yield* add(tx, rows)
        return true
      })
    },

    async checkpoint(journal) {
      const [found] = await handle
        .select({ position, target, written })
        .from(usageCheckpoints)
        .where(eq(journalColumn, journal))
      return found ?? null
    },

    accept(receipts, toRows) {
      return transaction(function* (tx) {
        const byName = new Map(receipts.toReversed().map((receipt) => [nameOf(receipt), receipt]))
        // In an order that racing callers share, so that none waits for another one that waits for it.
        const inOrder = [...byName].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, receipt]) => receipt)
        const fresh = new Set<string>()
        for (const some of chunksOf(inOrder, RECEIPTS_PER_STATEMENT)) {
          const values = some.map(({ keyId, id, at }) => ({ keyId, id, at }))
          const inserted = yield* rowsOf(
            tx
              .insert(usageReceipts)
              .values(values)
              .onConflictDoNothing()
              .returning({ keyId: usageReceipts.keyId, id: usageReceipts.id }),
          )
          for (const each of inserted) fresh.add(nameOf(each))
        }
        const accepted = receipts.filter((receipt) => {
          const name = nameOf(receipt)
          return fresh.has(name) && byName.get(name) === receipt
        })
        yield* add(tx, toRows(accepted))
        return accepted
      })
    },

    async touch(uses) {
      for (const some of chunksOf(uses, KEYS_PER_STATEMENT)) {
        const times = sql.join(
          some.map(({ keyId, at }) => sql`when ${keyId} then cast(${at} as bigint)`),
          sql` `,
        )
        const at = sql`case ${apiKeys.id} ${times} end`
        const ids = some.map(({ keyId }) => keyId)
        await handle
          .update(apiKeys)
          .set({ lastUsedAt: at })
          .where(and(inArray(apiKeys.id, ids), sql`coalesce(${apiKeys.lastUsedAt}, -1) < ${at}`))
      }
    },

    ...createUsageSums(database),

    purge: (period, before, limit) => deleteSome(usage, and(eq(usage.period, period), lt(usage.start, before)), limit),

    purgeReceipts: (before, limit) => deleteSome(usageReceipts, lt(usageReceipts.at, before), limit),

    async purgeCheckpoints(before) {
      const purged = await handle
        .delete(usageCheckpoints)
        .where(lt(updatedAt, before))
        .returning({ journal: journalColumn })
      return purged.length
    },
  }
}
