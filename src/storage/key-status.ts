import type { KeyStatus } from './ports/keys.ts'
import type { ApiKeyRecord } from './records.ts'

/**
 * The one state a key is shown in: the most final that holds, as `KeyFilter.status` selects it.
 *
 * @param now epoch ms; a key is expired from `expiresAt` on
 */
export function keyStatus(key: Pick<ApiKeyRecord, 'revokedAt' | 'expiresAt' | 'enabled'>, now: number): KeyStatus {
  if (key.revokedAt !== null) return 'revoked'
  if (key.expiresAt !== null && key.expiresAt <= now) return 'expired'
  return key.enabled ? 'active' : 'disabled'
}
