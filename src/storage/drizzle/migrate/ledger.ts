import { and, asc, eq, lte } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { rowsOf } from '../transaction.ts'
import type { Migration } from './shipped.ts'

/** Who may migrate, and what was migrated. Times are epoch ms. */
export interface Ledger {
  /** Makes the runner's two tables where they are missing. */
  create(): Promise<void>
  /** What was applied, oldest first; none when the table is missing. */
  applied(): Promise<readonly { readonly name: string; readonly hash: string }[]>
  /** Takes the lease when it is free or expired: exactly one of racing holders receives true. */
  acquire(holder: string, now: number, expiresAt: number): Promise<boolean>
  release(holder: string): Promise<void>
  /**
   * Applies one migration and records it, in one transaction that renews the lease first; false, and nothing done,
   * when another holder has taken the lease meanwhile.
   */
  apply(migration: Migration, position: number, holder: string, now: number, expiresAt: number): Promise<boolean>
}

const LEASE = 'migrate'
const DDL = [
  ['machine_auth_lease', 'name text primary key, holder text not null, expires_at bigint not null'],
  [
    'machine_auth_migrations',
    'position bigint primary key, name text not null, hash text not null, applied_at bigint not null',
  ],
] as const

export function createLedger(database: Database): Ledger {
  const { handle, ledger, transaction, raw, tableExists } = database
  const { lease, migrations } = ledger
  const isHeld = (holder: string) => and(eq(lease.name, LEASE), eq(lease.holder, holder))

  return {
    async create() {
      for (const [table, columns] of DDL) {
        if (await tableExists(table)) continue
        try {
          await transaction(function* (tx) {
            yield raw(tx, `create table if not exists ${table} (${columns})`)
          })
        } catch (error) {
          // Two `if not exists` at once still collide on PostgreSQL; the loser finds the winner's table.
          if (!(await tableExists(table))) throw error
        }
      }
    },

    async applied() {
      if (!(await tableExists('machine_auth_migrations'))) return []
      return handle
        .select({ name: migrations.name, hash: migrations.hash })
        .from(migrations)
        .orderBy(asc(migrations.position))
    },

    async acquire(holder, now, expiresAt) {
      const taken = await handle
        .insert(lease)
        .values({ name: LEASE, holder, expiresAt })
        .onConflictDoUpdate({ target: lease.name, set: { holder, expiresAt }, setWhere: lte(lease.expiresAt, now) })
        .returning({ holder: lease.holder })
      return taken.length > 0
    },

    async release(holder) {
      await handle.delete(lease).where(isHeld(holder))
    },

    apply({ name, hash, statements }, position, holder, now, expiresAt) {
      return transaction(function* (tx) {
        const renewed = yield* rowsOf(
          tx.update(lease).set({ expiresAt }).where(isHeld(holder)).returning({ holder: lease.holder }),
        )
        if (renewed.length === 0) return false
        for (const statement of statements) yield raw(tx, statement)
        yield tx.insert(migrations).values({ position, name, hash, appliedAt: now })
        return true
      })
    },
  }
}
