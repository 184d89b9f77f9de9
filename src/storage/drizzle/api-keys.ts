import { and, eq, getTableColumns, gt, isNotNull, isNull, lte, notInArray, or, type SQL, sql } from 'drizzle-orm'
import type { KeyFilter, KeyStatus, KeyStore } from '../ports/keys.ts'
import type { ApiKeyRecord } from '../records.ts'
import { recordingChanges } from './changes.ts'
import { createCreditVerbs } from './credits.ts'
import { type Database, once } from './database.ts'
import { type Keyset, readPage } from './paging.ts'

/** What `q` is looked for in. The separator keeps a match from reaching over from name to description. */
function searchTextOf({ name, description }: Pick<ApiKeyRecord, 'name' | 'description'>): string {
  return `${name}\u001f${description ?? ''}`.toLowerCase()
}

export function createKeyStore(database: Database): KeyStore {
  const { handle, tables, dialect, clock } = database
  const { apiKeys, users, organizations } = tables
  const { searchText, ...columns } = getTableColumns(apiKeys)
  const contains = dialect === 'sqlite' ? sql.raw('instr') : sql.raw('strpos')
  const unrevoked = isNull(apiKeys.revokedAt)

  function unexpired(now: number): SQL | undefined {
    return or(isNull(apiKeys.expiresAt), gt(apiKeys.expiresAt, now))
  }

  /** `keyStatus` in SQL. */
  function hasStatus(status: KeyStatus, now: number): SQL | undefined {
    switch (status) {
      case 'revoked':
        return isNotNull(apiKeys.revokedAt)
      case 'expired':
        return and(unrevoked, lte(apiKeys.expiresAt, now))
      case 'disabled':
        return and(unrevoked, unexpired(now), eq(apiKeys.enabled, false))
      case 'active':
        return and(unrevoked, unexpired(now), eq(apiKeys.enabled, true))
    }
  }

  function matches({ organizationId, userId, status, environment, q }: KeyFilter, now: number): SQL | undefined {
    return and(
      organizationId === undefined ? undefined : eq(apiKeys.organizationId, organizationId),
      userId === undefined ? undefined : eq(apiKeys.userId, userId),
      environment === undefined ? undefined : eq(apiKeys.environment, environment),
      status === undefined ? undefined : hasStatus(status, now),
      q === undefined ? undefined : sql`${contains}(${searchText}, ${q.toLowerCase()}) > 0`,
    )
  }

  const sorts: {
    readonly [Sort in NonNullable<KeyFilter['sort']>]: Pick<Keyset<ApiKeyRecord>, 'by' | 'type' | 'valueOf'>
  } = {
    createdAt: { by: apiKeys.createdAt, type: 'number', valueOf: (key) => key.createdAt },
    name: { by: apiKeys.name, type: 'string', valueOf: (key) => key.name },
    // A key never used sorts as the one used longest ago.
    lastUsedAt: { by: sql`coalesce(${apiKeys.lastUsedAt}, 0)`, type: 'number', valueOf: (key) => key.lastUsedAt ?? 0 },
  }

  const withOwner = once(() =>
    handle
      .select({ key: columns, user: users, organization: organizations })
      .from(apiKeys)
      .leftJoin(users, eq(users.id, apiKeys.userId))
      // A key of no organization of its own answers to its user's.
      .leftJoin(organizations, eq(organizations.id, sql`coalesce(${apiKeys.organizationId}, ${users.organizationId})`))
      .where(eq(apiKeys.id, sql.placeholder('id')))
      .prepare(),
  )

  return {
    async insert(key) {
      await handle.insert(apiKeys).values({ ...key, searchText: searchTextOf(key) })
    },

    async find(id) {
      const [key] = await handle.select(columns).from(apiKeys).where(eq(apiKeys.id, id))
      return key ?? null
    },

    async findWithOwner(id) {
      const [found] = await withOwner().execute({ id })
      return found ?? null
    },

    list(filter, page, now) {
      const { sort = 'createdAt', order = 'desc' } = filter
      const keyset = { ...sorts[sort], name: sort, order, id: apiKeys.id, idOf: (key: ApiKeyRecord) => key.id }
      return readPage(page, keyset, ({ after, orderBy, limit }) =>
        handle
          .select(columns)
          .from(apiKeys)
          .where(and(matches(filter, now), after))
          .orderBy(...orderBy)
          .limit(limit),
      )
    },

    async revoke(id, { at, reason, by }) {
      const [revoked] = await recordingChanges(
        database,
        (tx) =>
          tx
            .update(apiKeys)
            .set({ revokedAt: at, revokedReason: reason, revokedBy: by })
            .where(and(eq(apiKeys.id, id), unrevoked))
            .returning(columns),
        { at, kind: 'key', subject: id },
      )
      return revoked ?? null
    },

    async rehash(id, fromPepper, hash, pepper) {
      const rehashed = await handle
        .update(apiKeys)
        .set({ hash, pepper })
        .where(and(eq(apiKeys.id, id), eq(apiKeys.pepper, fromPepper)))
        .returning({ id: apiKeys.id })
      return rehashed.length > 0
    },

    async countUnknownPeppers(known) {
      const usable = and(unrevoked, unexpired(clock()), notInArray(apiKeys.pepper, [...known]))
      const [row] = await handle
        .select({ count: sql`count(*)`.mapWith(Number) })
        .from(apiKeys)
        .where(usable)
      return row?.count ?? 0
    },

    ...createCreditVerbs(database),
  }
}
