/** The select of a key with its user and its organization, as somebody who uses Drizzle writes it. */
import { eq, getTableColumns, sql } from 'drizzle-orm'
import type { Database } from '../../src/storage/drizzle/database.ts'

/**
 * @param isCast whether the parameter stands in a cast, without which SQLite compiles the statement anew for each value
 */
export function selectWithOwner({ handle, tables }: Pick<Database, 'handle' | 'tables'>, isCast: boolean) {
  const { apiKeys, users, organizations } = tables
  const { searchText, creditsVersion, ...key } = getTableColumns(apiKeys)
  const id = sql.placeholder('id')
  return handle
    .select({ key, user: getTableColumns(users), organization: getTableColumns(organizations) })
    .from(apiKeys)
    .leftJoin(users, eq(users.id, apiKeys.userId))
    .leftJoin(organizations, eq(organizations.id, sql`coalesce(${apiKeys.organizationId}, ${users.organizationId})`))
    .where(eq(apiKeys.id, isCast ? sql`cast(${id} as text)` : id))
}
