import { and, eq, lt, sql } from 'drizzle-orm'
import type { UsageStore } from '../ports/usage.ts'
import type { UsageReceiptRecord } from '../records.ts'
import { createBoundedDelete } from './bounded-delete.ts'
import { createBulkInsert } from './bulk-insert.ts'
import { createCheckpointMove } from './checkpoint-move.ts'
import { type Database, once } from './database.ts'
import { createTouch } from './key-touch.ts'
import { createUsageAdding } from './usage-rows.ts'
import { createUsageSums } from './usage-sums.ts'

const nameOf = ({ keyId, id }: Pick<UsageReceiptRecord, 'keyId' | 'id'>) => `${keyId}\0${id}`

export function createUsageStore(database: Database): UsageStore {
  const { handle, tables, transaction } = database
  const { usage, usageCheckpoints, usageReceipts } = tables
  const { journal: journalColumn, position, target, written, updatedAt } = usageCheckpoints
  const add = createUsageAdding(database)
  const touch = createTouch(database)
  const deleteSome = createBoundedDelete(database)
  const insertReceipts = createBulkInsert(database, usageReceipts, (insert) =>
    insert.onConflictDoNothing().returning({ keyId: usageReceipts.keyId, id: usageReceipts.id }),
  )

  const move = createCheckpointMove(database)
  const checkpoint = once(() =>
    handle
      .select({ position, target, written })
      .from(usageCheckpoints)
      .where(eq(journalColumn, sql.placeholder('journal')))
      .prepare(),
  )

  return {
    record({ journal, from, to, rows, now }) {
      return transaction(function* (tx) {
        if (!(yield* move(tx, journal, from, to, now))) return false
        yield* add(tx, rows)
        return true
      })
    },

    async checkpoint(journal) {
      const [found] = await checkpoint().execute({ journal })
      return found ?? null
    },

    async accept(receipts, toRows, now) {
      // Not inside of the transaction: on PostgreSQL it would hold some keys while it waits for others.
      await touch(receipts.map(({ keyId, at }) => ({ keyId, at: Math.min(at, now) })))
      // The first of each name: of two with the same one the other is no news.
      const byName = new Map(receipts.toReversed().map((receipt) => [nameOf(receipt), receipt]))
      const rows = [...byName]
        // In an order that racing callers share, so that no two wait for each other.
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([, { keyId, id, at }]) => ({ keyId, id, at }))
      return transaction(function* (tx) {
        const inserted = new Set((yield* insertReceipts(tx, rows)).flat().map(nameOf))
        const accepted = receipts.filter((receipt) => {
          const name = nameOf(receipt)
          return inserted.has(name) && byName.get(name) === receipt
        })
        yield* add(tx, toRows(accepted))
        return accepted
      })
    },

    touch,

    ...createUsageSums(database),

    purge: (period, before, limit) =>
      deleteSome(usage, usage.start, and(eq(usage.period, period), lt(usage.start, before)), limit),

    purgeReceipts: (before, limit) => deleteSome(usageReceipts, usageReceipts.at, lt(usageReceipts.at, before), limit),

    async purgeCheckpoints(before) {
      const purged = await handle
        .delete(usageCheckpoints)
        .where(lt(updatedAt, before))
        .returning({ journal: journalColumn })
      return purged.length
    },
  }
}
