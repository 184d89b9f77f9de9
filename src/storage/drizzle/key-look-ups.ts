import { eq, getTableColumns, sql } from 'drizzle-orm'
import type { KeyStore } from '../ports/keys.ts'
import type { Database } from './database.ts'
import { createJoinedSelect } from './joined-rows.ts'
import { textParameter } from './parameters.ts'

const nameOf = (index: number) => `lookup${index}`

/** The verbs of `KeyStore` that answer a key with its owner. */
export function createKeyLookUps(database: Database): Pick<KeyStore, 'findWithOwner' | 'findByLookup'> {
  const { handle, tables } = database
  const { apiKeys, users, organizations } = tables
  const { searchText, creditsVersion, ...key } = getTableColumns(apiKeys)
  const columns = { key, user: getTableColumns(users), organization: getTableColumns(organizations) }

  function selectWithOwner() {
    return (
      handle
        .select(columns)
        .from(apiKeys)
        .leftJoin(users, eq(users.id, apiKeys.userId))
        // A key of no organization of its own answers to its user's.
        .leftJoin(
          organizations,
          eq(organizations.id, sql`coalesce(${apiKeys.organizationId}, ${users.organizationId})`),
        )
    )
  }

  const findById = createJoinedSelect(database, columns, () =>
    selectWithOwner()
      .where(eq(apiKeys.id, textParameter('id')))
      .prepare(),
  )

  function createByLookups(count: number) {
    const parameters = Array.from({ length: count }, (_, index) => textParameter(nameOf(index)))
    return createJoinedSelect(database, columns, () =>
      selectWithOwner()
        .where(sql`${apiKeys.lookup} in (${sql.join(parameters, sql`, `)})`)
        .prepare(),
    )
  }
  /** By how many lookups they take: for one text there are as many as secrets and kinds. */
  const byLookups = new Map<number, ReturnType<typeof createByLookups>>()

  function findByLookups(lookups: readonly string[]) {
    const { length } = lookups
    const find = byLookups.get(length) ?? createByLookups(length)
    byLookups.set(length, find)
    return find(Object.fromEntries(lookups.map((lookup, index) => [nameOf(index), lookup])))
  }

  return {
    async findWithOwner(id) {
      const [found] = await findById({ id })
      return found ?? null
    },

    async findByLookup(lookups) {
      if (lookups.length === 0) return null
      const found = await findByLookups(lookups)
      const placeOf = ({ key: { lookup } }: (typeof found)[number]) => lookups.indexOf(lookup ?? '')
      return found.toSorted((one, other) => placeOf(one) - placeOf(other))[0] ?? null
    },
  }
}
