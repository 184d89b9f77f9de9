import { and, desc, eq, isNull } from 'drizzle-orm'
import { MachineAuthError } from '../../errors.ts'
import type { SigningKeyStore } from '../ports/tokens.ts'
import type { SigningKeyRecord } from '../records.ts'
import { type NewChange, recordChange, recordingChanges } from './changes.ts'
import type { Database } from './database.ts'

/** Others must hear of it: they publish and try the keys that they have read. */
function changeTo({ createdAt, kid }: SigningKeyRecord): NewChange {
  return { at: createdAt, kind: 'signing_key', subject: kid }
}

export function createSigningKeyStore(database: Database): SigningKeyStore {
  const { handle, tables, transaction } = database
  const { signingKeys } = tables

  async function findCurrent({ algorithm, encryptionKey }: SigningKeyRecord): Promise<SigningKeyRecord | undefined> {
    const [key] = await handle
      .select()
      .from(signingKeys)
      .where(
        and(
          eq(signingKeys.algorithm, algorithm),
          eq(signingKeys.encryptionKey, encryptionKey),
          isNull(signingKeys.retiredAt),
        ),
      )
    return key
  }

  return {
    async ensureCurrent(candidate) {
      const existing = await findCurrent(candidate)
      if (existing !== undefined) return existing
      // The partial unique index lets one of racing inserts in; the others read what it wrote.
      await recordingChanges(
        database,
        (tx) => tx.insert(signingKeys).values(candidate).onConflictDoNothing().returning({ kid: signingKeys.kid }),
        changeTo(candidate),
      )
      const current = await findCurrent(candidate)
      if (current === undefined) throw new MachineAuthError('internal_error', { detail: 'No signing key is current.' })
      return current
    },

    list() {
      return handle.select().from(signingKeys).orderBy(desc(signingKeys.createdAt), desc(signingKeys.kid))
    },

    rotate(candidate) {
      return transaction(function* (tx) {
        yield tx.update(signingKeys).set({ retiredAt: candidate.createdAt }).where(isNull(signingKeys.retiredAt))
        // Refused by the partial unique index when another rotation has just committed.
        yield tx.insert(signingKeys).values(candidate)
        yield* recordChange(database, tx, changeTo(candidate))
      })
    },
  }
}
