import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readMigrationFiles } from 'drizzle-orm/migrator'

/** One step from a schema to the next, as drizzle-kit generated it. */
export interface Migration {
  /** `0000_init`: its number and what it does. */
  readonly name: string
  /** SHA-256 of the file, hex. */
  readonly hash: string
  readonly statements: readonly string[]
}

/** The migrations of a folder in their order; without one, those that come with this version. */
export function readMigrations(dialect: 'sqlite' | 'postgres', folder?: string): readonly Migration[] {
  const migrationsFolder = folder ?? fileURLToPath(new URL(`../migrations/${dialect}`, import.meta.url))
  const journal: { entries: { tag: string }[] } = JSON.parse(
    readFileSync(`${migrationsFolder}/meta/_journal.json`, 'utf8'),
  )
  return readMigrationFiles({ migrationsFolder }).map(({ sql, hash }, index) => {
    const name = journal.entries[index]?.tag ?? String(index)
    return { name, hash, statements: sql.filter((statement) => statement.trim() !== '') }
  })
}
