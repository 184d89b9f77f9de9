import { and, asc, eq, getTableColumns, gt, gte, lt, lte, sql } from 'drizzle-orm'
import { MachineAuthError } from '../../errors.ts'
import type { AuditSeal, AuditStore } from '../ports/audit.ts'
import type { AuditMarkRecord, AuditRecord } from '../records.ts'
import { type Database, once } from './database.ts'
import { excluded } from './excluded.ts'
import type { Handle } from './handle.ts'
import { type Keyset, readPage } from './paging.ts'
import { rowsOf, stepOf } from './transaction.ts'

const isOneRow = (rows: unknown) => Array.isArray(rows) && rows.length === 1

function parseDetails(stored: unknown): AuditRecord['details'] {
  let value = stored
  try {
    if (typeof stored === 'string') value = JSON.parse(stored)
  } catch {
    // Not JSON any more.
  }
  return typeof value === 'object' && value !== null ? { ...value } : { unreadable: String(value) }
}

export function createAuditStore({ dialect, handle, tables, transaction }: Database): AuditStore {
  const { audit, auditMarks } = tables
  const newestFirst: Keyset<AuditRecord> = {
    name: 'at',
    order: 'desc',
    by: audit.at,
    type: 'number',
    id: audit.id,
    valueOf: (event) => event.at,
    idOf: (event) => event.id,
  }
  const placeholder = sql.placeholder
  // As text: what PostgreSQL's `jsonb` sends is an expression, which no prepared statement takes for a value.
  const jsonText = placeholder('details')
  const details = dialect === 'postgres' ? sql`${jsonText}::text::jsonb` : sql`${jsonText}`
  // Whatever somebody made of a row is answered, so that it can be told from what was written.
  const columns = { ...getTableColumns(audit), details: sql`${audit.details}`.mapWith(parseDetails) }
  const isUnsealed = sql`${audit.sequence} is null`
  const newMark = {
    sequence: excluded(auditMarks.sequence),
    at: excluded(auditMarks.at),
    mac: excluded(auditMarks.mac),
    macKey: excluded(auditMarks.macKey),
  }

  const append = once(() =>
    handle
      .insert(audit)
      .values({
        id: placeholder('id'),
        at: placeholder('at'),
        action: placeholder('action'),
        actor: placeholder('actor'),
        subject: placeholder('subject'),
        organizationId: placeholder('organizationId'),
        address: placeholder('address'),
        requestId: placeholder('requestId'),
        details,
        sequence: placeholder('sequence'),
        mac: placeholder('mac'),
        macKey: placeholder('macKey'),
      })
      .prepare(),
  )

  /** Moves the head if it still stands at `from`: of racing callers the row lets one through. */
  function moveHead(tx: Handle, from: number | null, head: AuditMarkRecord) {
    const moved = { name: auditMarks.name }
    if (from === null) return tx.insert(auditMarks).values(head).onConflictDoNothing().returning(moved)
    return tx
      .update(auditMarks)
      .set(head)
      .where(and(eq(auditMarks.name, 'head'), eq(auditMarks.sequence, from)))
      .returning(moved)
  }

  /** Prepared once for all events of a transaction: putting the statement together takes longer than running it. */
  function preparePlacing(tx: Handle) {
    const statement = tx
      .update(audit)
      .set({
        sequence: sql`${placeholder('sequence')}`,
        mac: sql`${placeholder('mac')}`,
        macKey: sql`${placeholder('macKey')}`,
      })
      // The sign keeps SQLite from looking for it among all that have no place.
      .where(and(eq(audit.id, placeholder('id')), isUnsealed))
      .returning({ id: audit.id })
      .prepare()
    return (seal: AuditSeal) => stepOf(statement, { ...seal })
  }

  return {
    async append(event) {
      await append().execute({ ...event, details: JSON.stringify(event.details) })
    },

    list({ action, actor, subject, organizationId, from, to }, page) {
      const conditions = [
        action === undefined ? undefined : eq(audit.action, action),
        actor === undefined ? undefined : eq(audit.actor, actor),
        subject === undefined ? undefined : eq(audit.subject, subject),
        organizationId === undefined ? undefined : eq(audit.organizationId, organizationId),
        from === undefined ? undefined : gte(audit.at, from),
        to === undefined ? undefined : lt(audit.at, to),
      ]
      return readPage(page, newestFirst, ({ after, orderBy, limit }) =>
        handle
          .select(columns)
          .from(audit)
          .where(and(...conditions, after))
          .orderBy(...orderBy)
          .limit(limit),
      )
    },

    listUnsealed(limit, after = { at: Number.MIN_SAFE_INTEGER, id: '' }) {
      const isLater = sql`(${audit.at}, ${audit.id}) > (${after.at}, ${after.id})`
      return handle
        .select(columns)
        .from(audit)
        .where(and(isUnsealed, isLater))
        .orderBy(asc(audit.at), asc(audit.id))
        .limit(limit)
    },

    listSealed(afterSequence, limit) {
      return handle
        .select(columns)
        .from(audit)
        .where(gt(audit.sequence, afterSequence))
        .orderBy(asc(audit.sequence))
        .limit(limit)
    },

    async findMark(name) {
      const [mark] = await handle.select().from(auditMarks).where(eq(auditMarks.name, name))
      return mark ?? null
    },

    seal(from, seals, head) {
      return transaction(function* (tx) {
        const moved = yield* rowsOf(moveHead(tx, from, head))
        if (moved.length === 0) return false
        const place = preparePlacing(tx)
        for (const each of seals) {
          // Undone as a whole: the place of an event that is gone would be a gap.
          if (!isOneRow(yield* place(each))) {
            throw new MachineAuthError('internal_error', { detail: 'Events of the audit log cannot be sealed.' })
          }
        }
        return true
      })
    },

    async replaceMark(from, to) {
      const replaced = { name: auditMarks.name }
      if (from === null) {
        return isOneRow(await handle.insert(auditMarks).values(to).onConflictDoNothing().returning(replaced))
      }
      const isAsRead = and(
        eq(auditMarks.name, from.name),
        eq(auditMarks.sequence, from.sequence),
        eq(auditMarks.mac, from.mac),
        eq(auditMarks.macKey, from.macKey),
      )
      return isOneRow(await handle.update(auditMarks).set(to).where(isAsRead).returning(replaced))
    },

    purge(checkpoint) {
      return transaction(function* (tx) {
        const moved = yield* rowsOf(
          tx
            .insert(auditMarks)
            .values(checkpoint)
            .onConflictDoUpdate({
              target: auditMarks.name,
              set: newMark,
              setWhere: lt(auditMarks.sequence, excluded(auditMarks.sequence)),
            })
            .returning({ name: auditMarks.name }),
        )
        if (moved.length === 0) return 0
        const purged = yield* rowsOf(
          tx.delete(audit).where(lte(audit.sequence, checkpoint.sequence)).returning({ id: audit.id }),
        )
        return purged.length
      })
    },
  }
}
