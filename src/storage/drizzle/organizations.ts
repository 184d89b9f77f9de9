import { eq } from 'drizzle-orm'
import type { OrganizationLimits, OrganizationStore } from '../ports/accounts.ts'
import { recordingChanges } from './changes.ts'
import type { Database } from './database.ts'
import { newestFirst, readPage } from './paging.ts'

export function createOrganizationStore(database: Database): OrganizationStore {
  const { handle, tables } = database
  const { organizations } = tables

  return {
    async insert(organization) {
      await handle.insert(organizations).values(organization)
    },

    async find(id) {
      const [organization] = await handle.select().from(organizations).where(eq(organizations.id, id))
      return organization ?? null
    },

    async findByName(name) {
      const [organization] = await handle.select().from(organizations).where(eq(organizations.name, name))
      return organization ?? null
    },

    list(page) {
      return readPage(page, newestFirst(organizations), ({ after, orderBy, limit }) =>
        handle
          .select()
          .from(organizations)
          .where(after)
          .orderBy(...orderBy)
          .limit(limit),
      )
    },

    async setStatus(id, status, now) {
      const [organization] = await recordingChanges(
        database,
        (tx) => tx.update(organizations).set({ status }).where(eq(organizations.id, id)).returning(),
        { at: now, kind: 'organization', subject: id },
      )
      return organization ?? null
    },

    async setLimits(id, limits, now) {
      const given: OrganizationLimits = Object.fromEntries(
        Object.entries(limits).filter(([, value]) => value !== undefined),
      )
      if (Object.keys(given).length === 0) return this.find(id)
      const [organization] = await recordingChanges(
        database,
        (tx) => tx.update(organizations).set(given).where(eq(organizations.id, id)).returning(),
        { at: now, kind: 'organization', subject: id },
      )
      return organization ?? null
    },
  }
}
