/** Verifies API keys that were made elsewhere. */
import { createSemaphore, SemaphoreFullError } from '../../lib/concurrency.ts'
import type { HashKind } from '../../options/hash-kind.ts'
import type { KeyStore } from '../../storage/ports/keys.ts'
import type { ApiKeyRecord, ApiKeyWithOwner } from '../../storage/records.ts'
import { INVALID, stateRefusal, toFound, UNVERIFIABLE, withinLifetime } from '../api-key.ts'
import type { CredentialKind, Found } from '../authenticator.ts'
import type { SecretHasher } from '../hasher.ts'
import { type ApiKeyPrincipal, type Refusal, refusal } from '../principal.ts'
import { slotOfDigest } from '../slots.ts'
import { adoptedLookup, type ForeignTexts, importPepper } from './foreign-texts.ts'

/** Slow verifications at once, in the whole process: as many as there are threads for them. */
const MOST_SLOW = 4
const MOST_SLOW_WAITING = 64

/** For whom there is no room in the line. */
const BUSY = refusal('locked_out', { retryAfter: 1, retryable: true })

export interface ForeignKeyKindOptions {
  readonly texts: ForeignTexts
  readonly kinds: readonly HashKind[]
  readonly keys: KeyStore
  readonly hasher: SecretHasher
  /** Makes the principal as for keys of ours. */
  readonly principalOf: CredentialKind<ApiKeyWithOwner, ApiKeyPrincipal>['principalOf']
}

export function createForeignKeyKind(options: ForeignKeyKindOptions): CredentialKind<ApiKeyWithOwner, ApiKeyPrincipal> {
  const { texts, keys, hasher, principalOf } = options
  const kinds = new Map(options.kinds.map((kind) => [importPepper(kind.name), kind]))
  const slow = createSemaphore(MOST_SLOW, MOST_SLOW_WAITING)

  async function isRight(text: string, key: ApiKeyRecord): Promise<boolean> {
    const kind = kinds.get(key.pepper)
    if (kind === undefined) return hasher.matches(text, key)
    return kind.isSlow ? slow.run(async () => kind.verify(text, key.hash)) : kind.verify(text, key.hash)
  }

  /** From now on it is found and verified as ours are; of racing callers one writes, and all are right. */
  async function adopt(text: string, { id, pepper }: ApiKeyRecord): Promise<void> {
    const ours = hasher.hash(text)
    await keys.rehash(id, pepper, ours.hash, ours.pepper, adoptedLookup(ours.hash))
  }

  async function verify(text: string, now: number): Promise<Found<ApiKeyWithOwner> | Refusal> {
    const found = await keys.findByLookup(texts.lookupsOf(text))
    // Nothing slow for a text that nothing is found by: that a visible prefix exists is no secret.
    if (found === null) return texts.isSecretDoubted ? UNVERIFIABLE : INVALID
    if (!(await isRight(text, found.key))) return INVALID
    // Before its state is looked at: a key that is refused must not cost a slow hash each time.
    if (!hasher.isCurrent(found.key) && !texts.isSecretDoubted) await adopt(text, found.key)
    const bounded = withinLifetime(found)
    return stateRefusal(bounded, now) ?? toFound(bounded)
  }

  return {
    // No part of a foreign text is known to be no secret.
    slotOf: slotOfDigest,
    refuseMalformed: (text) => (texts.claims(text) ? undefined : INVALID),
    principalOf,
    async lookup(text, now) {
      try {
        return await verify(text, now)
      } catch (error) {
        if (error instanceof SemaphoreFullError) return BUSY
        throw error
      }
    },
  }
}
