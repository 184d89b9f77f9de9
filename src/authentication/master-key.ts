/** Recognizes the master key. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { PermissionSet } from '../authorization/permission-set.ts'
import type { MasterPrincipal } from './principal.ts'

/** What the master key makes of its bearer. It opens management and `masterKey` guards, nothing else. */
export const MASTER: MasterPrincipal = Object.freeze({
  kind: 'master',
  id: 'master',
  organizationId: null,
  user: null,
  granted: PermissionSet.ALL,
})

/** The header that carries nothing else. */
export const MASTER_KEY_HEADER = 'x-admin-key'

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/**
 * Makes the comparison against every configured master key, in constant time.
 *
 * @param masterKeys newest first; an empty list matches nothing
 */
export function createMasterKeyCheck(masterKeys: readonly string[]): (text: string) => boolean {
  const digests = masterKeys.map(sha256)
  return (text) => {
    const presented = sha256(text)
    let isMatch = false
    // All are compared, so that the time does not tell which one is near.
    for (const digest of digests) isMatch = timingSafeEqual(presented, digest) || isMatch
    return isMatch
  }
}
