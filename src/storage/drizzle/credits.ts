import { and, eq, isNotNull, sql } from 'drizzle-orm'
import type { KeyStore } from '../ports/keys.ts'
import { type Database, once } from './database.ts'
import { wholeParameter } from './parameters.ts'

/** The verbs of `KeyStore` that count uses. */
export function createCreditVerbs({ handle, tables }: Database): Pick<KeyStore, 'claimCredits' | 'giveBackCredits'> {
  const { apiKeys } = tables
  const { credits, creditsRefillAmount: refill, creditsRefillEvery: every, creditsRefilledAt: since } = apiKeys
  const { creditsVersion } = apiKeys
  const elapsed = sql`(${wholeParameter('now')} - ${since})`
  // Without a refill one of these is null, and nothing is due.
  const isDue = sql`${every} > 0 and ${refill} is not null and ${elapsed} >= ${every}`
  const available = sql`case when ${isDue} and ${credits} < ${refill} then ${refill} else ${credits} end`

  const claim = once(() =>
    handle
      .update(apiKeys)
      .set({
        credits: sql`${available} - ${wholeParameter('amount')}`,
        creditsRefilledAt: sql`case when ${isDue} then ${since} + ${elapsed} / ${every} * ${every} else ${since} end`,
      })
      .where(and(eq(apiKeys.id, sql.placeholder('id')), sql`${available} >= ${wholeParameter('amount')}`))
      .returning({ left: credits, version: creditsVersion })
      .prepare(),
  )

  const giveBack = once(() =>
    handle
      .update(apiKeys)
      .set({ credits: sql`${credits} + ${wholeParameter('amount')}` })
      .where(
        and(eq(apiKeys.id, sql.placeholder('id')), isNotNull(credits), eq(creditsVersion, sql.placeholder('version'))),
      )
      .prepare(),
  )

  return {
    async claimCredits(id, amount, now) {
      const [claimed] = await claim().execute({ id, amount, now })
      if (claimed === undefined || claimed.left === null) return null
      return { left: claimed.left, version: claimed.version }
    },

    async giveBackCredits(id, amount, version) {
      await giveBack().execute({ id, amount, version })
    },
  }
}
