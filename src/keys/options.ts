/** What everything that is done with keys needs. */
import type { CredentialOwners } from '../authentication/credential-owner.ts'
import type { SecretHasher } from '../authentication/hasher.ts'
import type { ApiKeyView } from '../authentication/views.ts'
import { toApiKeyView } from '../authentication/views.ts'
import { type Actor, isWithinReach, reachOf } from '../authorization/actor.ts'
import { MachineAuthError } from '../errors.ts'
import type { HashKind } from '../options/hash-kind.ts'
import type { AuditLog } from '../recording/audit/audit.ts'
import type { ApiKeyRecord, ChangeKind, RateLimitSetting } from '../storage/records.ts'
import type { KeyVerifierOptions } from './verification.ts'

export interface KeyServiceOptions extends KeyVerifierOptions {
  /** The first part of every key, such as `mac`. */
  readonly prefix: string
  readonly owners: CredentialOwners
  readonly hasher: SecretHasher
  /** How keys that were made elsewhere may be hashed. */
  readonly importKinds: readonly HashKind[]
  readonly credits: ClaimedCredits
  /** Of keys that name none. */
  readonly defaultPermissions: readonly string[]
  /** Of keys that have no rate of their own, in organizations that have none. */
  readonly defaultRateLimit: RateLimitSetting | false
  readonly invalidate: (kind: ChangeKind, subject: string) => void
  readonly audit: Pick<AuditLog, 'record' | 'refuseOutOfReach'>
}

/** Uses of keys that this process has claimed from storage. */
export interface ClaimedCredits {
  /** Those that storage counts as used although they are still to come. */
  unused(keyId: string): number
  /** Hands out no more of them, when storage was given another number or may have been; `*` for every key. */
  forget(keyId: string): void
}

/**
 * The key of an id.
 *
 * @throws MachineAuthError `not_found`, also for a key out of the actor's reach
 */
export async function requireKey(
  { keys, audit }: Pick<KeyServiceOptions, 'keys' | 'audit'>,
  id: string,
  actor: Actor,
): Promise<ApiKeyRecord> {
  const key = await keys.find(id)
  if (key === null) throw new MachineAuthError('not_found')
  return isWithinReach(reachOf(actor), key) ? key : audit.refuseOutOfReach(actor, id)
}

/** A key as it is shown, with the uses that are claimed from storage and still to come. */
export function viewOf(
  { credits, clock }: Pick<KeyServiceOptions, 'credits' | 'clock'>,
  key: ApiKeyRecord,
): ApiKeyView {
  return toApiKeyView(key, clock(), credits.unused(key.id))
}
