/** The runner's own tables on PostgreSQL; see `ledger.sqlite.ts`. */
import { bigint, pgTable, text } from 'drizzle-orm/pg-core'

export const lease = pgTable('machine_auth_lease', {
  name: text('name').primaryKey(),
  holder: text('holder').notNull(),
  expiresAt: bigint('expires_at', { mode: 'number' }).notNull(),
})

export const migrations = pgTable('machine_auth_migrations', {
  position: bigint('position', { mode: 'number' }).primaryKey(),
  name: text('name').notNull(),
  hash: text('hash').notNull(),
  appliedAt: bigint('applied_at', { mode: 'number' }).notNull(),
})
