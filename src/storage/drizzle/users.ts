import { and, eq, getTableColumns, isNull, type SQL, sql } from 'drizzle-orm'
import type { UserFilter, UserPatch, UserState, UserStore } from '../ports/accounts.ts'
import type { UserRecord } from '../records.ts'
import { recordingChanges } from './changes.ts'
import { type Database, once } from './database.ts'
import { createJoinedSelect } from './joined-rows.ts'
import { readPage, type Sorts, sortedBy } from './paging.ts'
import { textParameter } from './parameters.ts'

export function createUserStore(database: Database): UserStore {
  const { handle, tables, dialect } = database
  const { users, organizations } = tables

  const byId = once(() =>
    handle
      .select()
      .from(users)
      .where(eq(users.id, sql.placeholder('id')))
      .prepare(),
  )
  const byEmail = once(() =>
    handle
      .select()
      .from(users)
      .where(eq(users.email, sql.placeholder('email')))
      .prepare(),
  )
  const columns = { user: getTableColumns(users), organization: getTableColumns(organizations) }
  const withOrganization = createJoinedSelect(database, columns, () =>
    handle
      .select(columns)
      .from(users)
      .leftJoin(organizations, eq(organizations.id, users.organizationId))
      .where(eq(users.id, textParameter('id')))
      .prepare(),
  )

  const upgrade = once(() =>
    handle
      .update(users)
      .set({ passwordHash: sql`${sql.placeholder('to')}` })
      .where(and(eq(users.id, sql.placeholder('id')), eq(users.passwordHash, sql.placeholder('from'))))
      .returning({ id: users.id })
      .prepare(),
  )

  const sorts: Sorts<UserRecord, NonNullable<UserFilter['sort']>> = {
    createdAt: { by: users.createdAt, type: 'number', valueOf: ({ createdAt }) => createdAt },
    email: { by: users.email, type: 'string', valueOf: ({ email }) => email },
  }

  function isStill({ roles, organizationId, status }: UserState): SQL | undefined {
    return and(
      // Text on SQLite: in one form, whoever wrote it.
      dialect === 'sqlite' ? sql`json(${users.roles}) = ${JSON.stringify(roles)}` : eq(users.roles, roles),
      organizationId === null ? isNull(users.organizationId) : eq(users.organizationId, organizationId),
      eq(users.status, status),
    )
  }

  return {
    async insert(user) {
      await handle.insert(users).values(user)
    },

    async find(id) {
      const [user] = await byId().execute({ id })
      return user ?? null
    },

    async findByEmail(email) {
      const [user] = await byEmail().execute({ email })
      return user ?? null
    },

    async findWithOrganization(id) {
      const [found] = await withOrganization({ id })
      return found ?? null
    },

    list({ organizationId, ...order }, page) {
      const inOrganization = organizationId === undefined ? undefined : eq(users.organizationId, organizationId)
      return readPage(page, sortedBy(sorts, order, users.id), ({ after, orderBy, limit }) =>
        handle
          .select()
          .from(users)
          .where(and(inOrganization, after))
          .orderBy(...orderBy)
          .limit(limit),
      )
    },

    async update(id, patch, now, expected) {
      const given: UserPatch = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined))
      if (Object.keys(given).length === 0) return this.find(id)
      const [user] = await recordingChanges(
        database,
        (tx) =>
          tx
            .update(users)
            .set(given)
            .where(and(eq(users.id, id), expected === undefined ? undefined : isStill(expected)))
            .returning(),
        { at: now, kind: 'user', subject: id },
      )
      return user ?? null
    },

    async upgradePasswordHash(id, from, to) {
      const upgraded = await upgrade().execute({ id, from, to })
      return upgraded.length > 0
    },
  }
}
