import { and, eq, lt, sql } from 'drizzle-orm'
import type { QuotaStore } from '../ports/quotas.ts'
import { type Database, once } from './database.ts'
import { excluded } from './excluded.ts'
import { wholeParameter } from './parameters.ts'

export function createQuotaStore({ handle, tables }: Database): QuotaStore {
  const { quotas } = tables
  const sum = sql`${quotas.used} + ${excluded(quotas.used)}`

  const claim = once(() =>
    handle
      .insert(quotas)
      .values({
        subject: sql.placeholder('subject'),
        period: sql.placeholder('period'),
        used: sql.placeholder('amount'),
      })
      .onConflictDoUpdate({
        target: [quotas.subject, quotas.period],
        set: { used: sum },
        setWhere: sql`${sum} <= ${sql.placeholder('limit')}`,
      })
      .returning({ used: quotas.used })
      .prepare(),
  )

  const isOne = and(eq(quotas.subject, sql.placeholder('subject')), eq(quotas.period, sql.placeholder('period')))
  const amount = wholeParameter('amount')
  const giveBack = once(() =>
    handle
      .update(quotas)
      .set({ used: sql`case when ${quotas.used} > ${amount} then ${quotas.used} - ${amount} else 0 end` })
      .where(isOne)
      .prepare(),
  )
  const used = once(() => handle.select({ used: quotas.used }).from(quotas).where(isOne).prepare())

  return {
    async claim({ subject, period, amount, limit }) {
      // More than the limit never fits, whatever was used; so the first claim of a period, an insert, needs no guard.
      if (amount > limit) return null
      const [claimed] = await claim().execute({ subject, period, amount, limit })
      return claimed?.used ?? null
    },

    async giveBack(subject, period, amount) {
      await giveBack().execute({ subject, period, amount })
    },

    async used(subject, period) {
      const [quota] = await used().execute({ subject, period })
      return quota?.used ?? 0
    },

    async purge(beforePeriod) {
      const purged = await handle
        .delete(quotas)
        .where(lt(quotas.period, beforePeriod))
        .returning({ subject: quotas.subject })
      return purged.length
    },
  }
}
