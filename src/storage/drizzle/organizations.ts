import { eq } from 'drizzle-orm'
import type { OrganizationOrder, OrganizationPatch, OrganizationStore } from '../ports/accounts.ts'
import type { OrganizationRecord } from '../records.ts'
import { recordingChanges } from './changes.ts'
import type { Database } from './database.ts'
import { readPage, type Sorts, sortedBy } from './paging.ts'

export function createOrganizationStore(database: Database): OrganizationStore {
  const { handle, tables } = database
  const { organizations } = tables

  const sorts: Sorts<OrganizationRecord, NonNullable<OrganizationOrder['sort']>> = {
    createdAt: { by: organizations.createdAt, type: 'number', valueOf: ({ createdAt }) => createdAt },
    name: { by: organizations.name, type: 'string', valueOf: ({ name }) => name },
  }

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

    list(order, page) {
      return readPage(page, sortedBy(sorts, order, organizations.id), ({ after, orderBy, limit }) =>
        handle
          .select()
          .from(organizations)
          .where(after)
          .orderBy(...orderBy)
          .limit(limit),
      )
    },

    async update(id, patch, now) {
      const given: OrganizationPatch = Object.fromEntries(
        Object.entries(patch).filter(([, value]) => value !== undefined),
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
