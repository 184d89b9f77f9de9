/** The runner's own tables. Not part of the exported schema: an app that migrates our tables itself has none. */
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'

export const lease = sqliteTable('machine_auth_lease', {
  name: text('name').primaryKey(),
  holder: text('holder').notNull(),
  expiresAt: integer('expires_at').notNull(),
})

export const migrations = sqliteTable('machine_auth_migrations', {
  position: integer('position').primaryKey(),
  name: text('name').notNull(),
  hash: text('hash').notNull(),
  appliedAt: integer('applied_at').notNull(),
})
