import { and, eq, isNull, lt, lte } from 'drizzle-orm'
import type { IdempotencyKey, IdempotencyStore } from '../ports/idempotency.ts'
import type { Database } from './database.ts'
import { excluded } from './excluded.ts'

export function createIdempotencyStore({ handle, tables }: Database): IdempotencyStore {
  const { idempotency } = tables

  const is = ({ principal, endpoint, key }: IdempotencyKey) =>
    and(eq(idempotency.principal, principal), eq(idempotency.endpoint, endpoint), eq(idempotency.key, key))
  const isInFlight = isNull(idempotency.answer)
  const hasExpired = lte(idempotency.expiresAt, excluded(idempotency.createdAt))
  const anew = {
    fingerprint: excluded(idempotency.fingerprint),
    answer: excluded(idempotency.answer),
    createdAt: excluded(idempotency.createdAt),
    expiresAt: excluded(idempotency.expiresAt),
  }

  return {
    async claim(claim) {
      for (;;) {
        const [made] = await handle
          .insert(idempotency)
          .values(claim)
          .onConflictDoUpdate({
            target: [idempotency.principal, idempotency.endpoint, idempotency.key],
            set: anew,
            setWhere: hasExpired,
          })
          .returning({ key: idempotency.key })
        if (made !== undefined) return null
        const [standing] = await handle.select().from(idempotency).where(is(claim))
        if (standing !== undefined) return standing
        // Released or purged between the two statements, so it may be claimed again.
      }
    },

    async complete(key, answer) {
      await handle
        .update(idempotency)
        .set({ answer })
        .where(and(is(key), isInFlight))
    },

    async release(key) {
      await handle.delete(idempotency).where(and(is(key), isInFlight))
    },

    async purge(before) {
      const purged = await handle
        .delete(idempotency)
        .where(lt(idempotency.expiresAt, before))
        .returning({ key: idempotency.key })
      return purged.length
    },
  }
}
