import {
  and,
  asc,
  eq,
  getTableColumns,
  gt,
  gte,
  inArray,
  isNotNull,
  isNull,
  lt,
  lte,
  notInArray,
  notLike,
  or,
  type SQL,
  sql,
} from 'drizzle-orm'
import type { KeyFilter, KeySelection, KeyStatus, KeyStore, Revocation } from '../ports/keys.ts'
import type { ApiKeyRecord } from '../records.ts'
import { recordingChanges } from './changes.ts'
import { chunksOf } from './chunks.ts'
import { createCreditVerbs } from './credits.ts'
import type { Database } from './database.ts'
import { createKeyChanges, searchTextOf } from './key-changes.ts'
import { createKeyCount } from './key-counts.ts'
import { createKeyLookUps } from './key-look-ups.ts'
import { readPage, type Sorts, sortedBy } from './paging.ts'

/** The subject of a change that concerns every key. */
const EVERY = '*'
const IDS_PER_STATEMENT = 500

function revokedBy({ at, reason, by }: Revocation) {
  return { revokedAt: at, revokedReason: reason, revokedBy: by }
}

export function createKeyStore(database: Database): KeyStore {
  const { handle, tables, dialect, clock } = database
  const { apiKeys } = tables
  const { searchText, creditsVersion, ...columns } = getTableColumns(apiKeys)
  const contains = dialect === 'sqlite' ? sql.raw('instr') : sql.raw('strpos')
  const unrevoked = isNull(apiKeys.revokedAt)

  function isSelected({ organizationId, userId, createdBefore }: KeySelection): SQL | undefined {
    return and(
      unrevoked,
      organizationId === null ? isNull(apiKeys.organizationId) : undefined,
      typeof organizationId === 'string' ? eq(apiKeys.organizationId, organizationId) : undefined,
      userId === undefined ? undefined : eq(apiKeys.userId, userId),
      createdBefore === undefined ? undefined : lt(apiKeys.createdAt, createdBefore),
    )
  }

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

  const sorts: Sorts<ApiKeyRecord, NonNullable<KeyFilter['sort']>> = {
    createdAt: { by: apiKeys.createdAt, type: 'number', valueOf: (key) => key.createdAt },
    name: { by: apiKeys.name, type: 'string', valueOf: (key) => key.name },
    // A key never used sorts as the one used longest ago. In the words of the index.
    lastUsedAt: {
      by: sql`case when ${apiKeys.lastUsedAt} is null then 0 else ${apiKeys.lastUsedAt} end`,
      type: 'number',
      valueOf: (key) => key.lastUsedAt ?? 0,
    },
  }

  /** Literally. A range is a look-up where text is ordered by its bytes, as on SQLite; PostgreSQL orders by locale. */
  function begins(start: string): SQL | undefined {
    if (dialect === 'postgres') return eq(sql`substr(${apiKeys.id}, 1, ${start.length})`, start)
    return and(gte(apiKeys.id, start), lt(apiKeys.id, `${start}\u{10ffff}`))
  }

  return {
    async insert(key) {
      await handle.insert(apiKeys).values({ ...key, searchText: searchTextOf(key) })
    },

    async find(id) {
      const [key] = await handle.select(columns).from(apiKeys).where(eq(apiKeys.id, id))
      return key ?? null
    },

    async findMany(ids) {
      const found: ApiKeyRecord[] = []
      for (const some of chunksOf([...new Set(ids)], IDS_PER_STATEMENT)) {
        found.push(
          ...(await handle
            .select(columns)
            .from(apiKeys)
            .where(inArray(apiKeys.id, [...some]))),
        )
      }
      return found
    },

    findByIdStart(start, limit) {
      return handle.select(columns).from(apiKeys).where(begins(start)).orderBy(asc(apiKeys.id)).limit(limit)
    },

    count: createKeyCount(database, (now) => hasStatus('active', now)),

    async countByOrganization(organizationIds) {
      if (organizationIds.length === 0) return new Map()
      const rows = await handle
        .select({ id: apiKeys.organizationId, count: sql`count(*)`.mapWith(Number) })
        .from(apiKeys)
        .where(and(inArray(apiKeys.organizationId, [...organizationIds]), unrevoked))
        .groupBy(apiKeys.organizationId)
      return new Map(rows.flatMap(({ id, count }) => (id === null ? [] : [[id, count] as const])))
    },

    list(filter, page, now) {
      return readPage(page, sortedBy(sorts, filter, apiKeys.id), ({ after, orderBy, limit }) =>
        handle
          .select(columns)
          .from(apiKeys)
          .where(and(matches(filter, now), after))
          .orderBy(...orderBy)
          .limit(limit),
      )
    },

    async revoke(id, revocation) {
      const [revoked] = await recordingChanges(
        database,
        (tx) =>
          tx
            .update(apiKeys)
            .set(revokedBy(revocation))
            .where(and(eq(apiKeys.id, id), unrevoked))
            .returning(columns),
        { at: revocation.at, kind: 'key', subject: id },
      )
      return revoked ?? null
    },

    async countSelected(selection) {
      const [row] = await handle
        .select({ count: sql`count(*)`.mapWith(Number) })
        .from(apiKeys)
        .where(isSelected(selection))
      return row?.count ?? 0
    },

    revokeSelected(selection, revocation) {
      const { id, organizationId } = apiKeys
      return recordingChanges(
        database,
        (tx) =>
          tx.update(apiKeys).set(revokedBy(revocation)).where(isSelected(selection)).returning({ id, organizationId }),
        { at: revocation.at, kind: 'key', subject: EVERY },
      )
    },

    async rehash(id, fromPepper, hash, pepper, lookup) {
      const rehashed = await handle
        .update(apiKeys)
        .set({ hash, pepper, ...(lookup === undefined ? {} : { lookup }) })
        .where(and(eq(apiKeys.id, id), eq(apiKeys.pepper, fromPepper)))
        .returning({ id: apiKeys.id })
      return rehashed.length > 0
    },

    async countUnknownPeppers(known) {
      const lost = and(notInArray(apiKeys.pepper, [...known]), notLike(apiKeys.pepper, 'import:%'))
      const usable = and(unrevoked, unexpired(clock()), lost)
      const [row] = await handle
        .select({ count: sql`count(*)`.mapWith(Number) })
        .from(apiKeys)
        .where(usable)
      return row?.count ?? 0
    },

    async foreignPeppers() {
      // Not by `is not null`, for which SQLite looks at every key; its index begins with those that have none.
      const usable = and(gt(apiKeys.lookup, ''), unrevoked, unexpired(clock()))
      const rows = await handle.selectDistinct({ pepper: apiKeys.pepper }).from(apiKeys).where(usable)
      return rows.map(({ pepper }) => pepper)
    },

    async claimExpiryWarnings(now, until, limit) {
      const due = and(
        unrevoked,
        eq(apiKeys.enabled, true),
        gt(apiKeys.expiresAt, now),
        lte(apiKeys.expiresAt, until),
        isNull(apiKeys.expiryWarnedAt),
      )
      const next = handle
        .select({ id: apiKeys.id })
        .from(apiKeys)
        .where(due)
        .orderBy(asc(apiKeys.expiresAt))
        .limit(limit)
      // Asked again of the row itself: of two processes that chose the same keys, the later one finds them told of.
      return handle
        .update(apiKeys)
        .set({ expiryWarnedAt: now })
        .where(and(inArray(apiKeys.id, next), due))
        .returning(columns)
    },

    ...createKeyLookUps(database),
    ...createCreditVerbs(database),
    ...createKeyChanges(database),
  }
}
