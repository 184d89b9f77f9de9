/** What the audit log says of a key that was made. */
import { toTimestampOrNull } from '../lib/timestamp.ts'
import type { ApiKeyRecord } from '../storage/records.ts'

/** The details of `key.created` and `key.imported`. */
export function creationOf(key: ApiKeyRecord): Readonly<Record<string, unknown>> {
  const { organizationId, userId, environment, permissions, rotatedFrom } = key
  return {
    ...{ organizationId, userId, environment, permissions },
    expiresAt: toTimestampOrNull(key.expiresAt),
    ...(rotatedFrom === null ? {} : { rotatedFrom }),
  }
}
