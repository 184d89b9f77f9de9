import { and, eq, getTableColumns, gt, isNull, or, sql } from 'drizzle-orm'
import { MachineAuthError } from '../../errors.ts'
import type { KeyPatch, KeyStore } from '../ports/keys.ts'
import type { ApiKeyRecord } from '../records.ts'
import { recordChange } from './changes.ts'
import type { Database } from './database.ts'
import { rowsOf } from './transaction.ts'

/** What `q` is looked for in. The separator keeps a match from reaching over from name to description. */
export function searchTextOf({ name, description }: Pick<ApiKeyRecord, 'name' | 'description'>): string {
  return `${name}\u001f${description ?? ''}`.toLowerCase()
}

/** What a key's successor inherits and somebody may change; uses left come and go by themselves. */
const INHERITED = ['name', 'description', 'permissions', 'ipAllowlist', 'rateLimit', 'monthlyQuota', 'metadata']
  .concat(['creditsRefillAmount', 'creditsRefillEvery', 'expiresAt'])
  // `concat` forgets that these are names of members.
  .map((member) => member as keyof ApiKeyRecord)

/** What decides who may change a key, and how: all but its use and its hash. */
const JUDGED = [...INHERITED, 'enabled', 'environment', 'organizationId', 'userId'] as readonly (keyof ApiKeyRecord)[]

function requireUnchanged(
  known: ApiKeyRecord,
  found: ApiKeyRecord,
  members: readonly (keyof ApiKeyRecord)[] = INHERITED,
): void {
  if (members.every((member) => Bun.deepEquals(known[member], found[member]))) return
  throw new MachineAuthError('conflict', { detail: 'The key was changed or rotated at this moment: look at it again.' })
}

function isLonger({ expiresAt: given }: KeyPatch, { expiresAt: found }: ApiKeyRecord): boolean {
  return given !== undefined && (given ?? Number.POSITIVE_INFINITY) > (found ?? Number.POSITIVE_INFINITY)
}

function hasSuccessor(id: string): MachineAuthError {
  return new MachineAuthError('conflict', {
    detail: `The key was rotated and ends as it was told then: use its successor ${id}.`,
  })
}

/** The verbs of `KeyStore` that change a key or put another in its place. */
export function createKeyChanges(database: Database): Pick<KeyStore, 'update' | 'rotate'> {
  const { handle, tables, transaction } = database
  const { apiKeys, quotas } = tables
  const { searchText, creditsVersion, ...columns } = getTableColumns(apiKeys)
  const unrevoked = isNull(apiKeys.revokedAt)

  return {
    async update(id, patch, now, known) {
      const given: KeyPatch = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined))
      if (Object.keys(given).length === 0) {
        const [key] = await handle
          .select(columns)
          .from(apiKeys)
          .where(and(eq(apiKeys.id, id), unrevoked))
        return key ?? null
      }
      const isRenewed = 'credits' in given
      return transaction(function* (tx) {
        if (known !== undefined || given.expiresAt !== undefined) {
          // Writes nothing, but holds the row until the transaction ends.
          const holding = tx
            .update(apiKeys)
            .set({ id })
            .where(and(eq(apiKeys.id, id), unrevoked))
          const [found] = yield* rowsOf(holding.returning(columns))
          if (found === undefined) return null
          if (known !== undefined) requireUnchanged(known, found, JUDGED)
          if (isLonger(given, found)) {
            const successors = tx.select({ id: apiKeys.id }).from(apiKeys).where(eq(apiKeys.rotatedFrom, id))
            const [successor] = yield* rowsOf(successors)
            if (successor !== undefined) throw hasSuccessor(successor.id)
          }
        }
        const [updated] = yield* rowsOf(
          tx
            .update(apiKeys)
            .set(isRenewed ? { ...given, creditsVersion: sql`${creditsVersion} + 1` } : given)
            .where(and(eq(apiKeys.id, id), unrevoked))
            .returning(columns),
        )
        if (updated === undefined) return null
        if ('name' in given || 'description' in given) {
          // From the row as it is now: another caller may have changed the other half of it.
          yield tx
            .update(apiKeys)
            .set({ searchText: searchTextOf(updated) })
            .where(eq(apiKeys.id, id))
        }
        yield* recordChange(database, tx, { at: now, kind: 'key', subject: id })
        return updated
      })
    },

    rotate(successor, { old, at, oldExpiresAt, reason, by, quota }) {
      const id = successor.rotatedFrom ?? ''
      const end =
        oldExpiresAt === null
          ? { revokedAt: at, revokedReason: reason, revokedBy: by }
          : {
              // Whoever rotates it knows that it ends.
              expiryWarnedAt: at,
              expiresAt: sql<number>`case when ${apiKeys.expiresAt} < ${oldExpiresAt} then ${apiKeys.expiresAt} else ${oldExpiresAt} end`,
            }
      return transaction(function* (tx) {
        const usable = and(
          eq(apiKeys.id, id),
          unrevoked,
          eq(apiKeys.enabled, true),
          or(isNull(apiKeys.expiresAt), gt(apiKeys.expiresAt, at)),
        )
        // Writes nothing, but holds the row until the transaction ends.
        const [found] = yield* rowsOf(tx.update(apiKeys).set({ enabled: true }).where(usable).returning(columns))
        if (found === undefined) return null
        requireUnchanged(old, found)
        yield tx.update(apiKeys).set(end).where(eq(apiKeys.id, id))
        // Two keys with the same uses left would be twice as many.
        const { credits, creditsRefilledAt } = oldExpiresAt === null ? found : successor
        const stored: ApiKeyRecord = { ...successor, credits, creditsRefilledAt }
        yield tx.insert(apiKeys).values({ ...stored, searchText: searchTextOf(stored) })
        const [used] = yield* rowsOf(
          tx
            .select({ used: quotas.used })
            .from(quotas)
            .where(and(eq(quotas.subject, quota.from), eq(quotas.period, quota.period))),
        )
        if (used !== undefined) {
          yield tx.insert(quotas).values({ subject: quota.to, period: quota.period, used: used.used })
        }
        yield* recordChange(database, tx, { at, kind: 'key', subject: id })
        return stored
      })
    },
  }
}
