import { and, type Column, eq, gt, lt, type SQL, sql } from 'drizzle-orm'
import { MachineAuthError } from '../../errors.ts'
import type { BlockStore } from '../ports/blocks.ts'
import { recordingChanges } from './changes.ts'
import { type Database, once } from './database.ts'
import { excluded } from './excluded.ts'
import { newestFirst, readPage } from './paging.ts'

/** The new value where `condition` holds, else the one that is there. */
function newIf(condition: SQL, column: Column): SQL {
  return sql`case when ${condition} then ${excluded(column)} else ${column} end`
}

export function createBlockStore(database: Database): BlockStore {
  const { handle, tables, clock } = database
  const { blocks } = tables

  const hasEnded = sql`${blocks.expiresAt} <= ${excluded(blocks.createdAt)}`
  const yields = sql`(${hasEnded} or ${blocks.expiresAt} < ${excluded(blocks.expiresAt)})`
  const merged = {
    id: newIf(hasEnded, blocks.id),
    createdAt: newIf(hasEnded, blocks.createdAt),
    kind: newIf(yields, blocks.kind),
    reason: newIf(yields, blocks.reason),
    createdBy: newIf(yields, blocks.createdBy),
    expiresAt: newIf(yields, blocks.expiresAt),
  }

  const byId = once(() =>
    handle
      .select()
      .from(blocks)
      .where(eq(blocks.id, sql.placeholder('id')))
      .prepare(),
  )
  const active = once(() =>
    handle
      .select()
      .from(blocks)
      .where(gt(blocks.expiresAt, sql.placeholder('now')))
      .prepare(),
  )

  return {
    async put(block) {
      const [standing] = await recordingChanges(
        database,
        (tx) =>
          tx
            .insert(blocks)
            .values(block)
            .onConflictDoUpdate({ target: [blocks.subject, blocks.scope, blocks.path], set: merged })
            .returning(),
        ({ id }) => ({ at: block.createdAt, kind: 'block', subject: id }),
      )
      if (standing === undefined) throw new MachineAuthError('internal_error', { detail: 'A block was not stored.' })
      return standing
    },

    async find(id) {
      const [block] = await byId().execute({ id })
      return block ?? null
    },

    async delete(id) {
      const [lifted] = await recordingChanges(
        database,
        (tx) => tx.delete(blocks).where(eq(blocks.id, id)).returning(),
        { at: clock(), kind: 'block', subject: id },
      )
      return lifted ?? null
    },

    async listActive(now) {
      return active().execute({ now })
    },

    list(page, now) {
      return readPage(page, newestFirst(blocks), ({ after, orderBy, limit }) =>
        handle
          .select()
          .from(blocks)
          .where(and(gt(blocks.expiresAt, now), after))
          .orderBy(...orderBy)
          .limit(limit),
      )
    },

    async purge(before) {
      // No change is recorded: a block that has ended refuses nobody, so nobody has to forget it.
      const purged = await handle.delete(blocks).where(lt(blocks.expiresAt, before)).returning({ id: blocks.id })
      return purged.length
    },
  }
}
