/** Telling that keys expire soon, once of each. */
import { SYSTEM } from '../authorization/actor.ts'
import { toTimestamp } from '../lib/timestamp.ts'
import type { ExpiringKey } from '../options/types.ts'
import type { AuditLog } from '../recording/audit/audit.ts'
import type { KeyStore } from '../storage/ports/keys.ts'
import type { ApiKeyRecord } from '../storage/records.ts'

export interface ExpiryWarningsOptions {
  readonly keys: Pick<KeyStore, 'claimExpiryWarnings'>
  /** ms before its expiry that a key is told of; 0 for never. */
  readonly ahead: number
  readonly audit: Pick<AuditLog, 'record'>
  /** The app's own way of telling people; it may fail, or never answer. */
  readonly onExpiring: ((key: ExpiringKey) => void | Promise<void>) | undefined
  /** ms that it is waited for. */
  readonly patience?: number
  readonly warn: (message: string) => void
}

const AT_ONCE = 100
const PATIENCE = 10_000

/** Rejects when the app does, or is late: its mail server must not keep a process from ending. */
async function tellApp({ onExpiring, patience = PATIENCE }: ExpiryWarningsOptions, key: ExpiringKey): Promise<void> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error('no answer')), patience)
  await Promise.race([Promise.resolve(key).then(onExpiring), late.promise]).finally(() => clearTimeout(timer))
}

/** Nobody is told of a claimed key a second time: what fails with one must not keep the others from being told. */
async function tellOf(options: ExpiryWarningsOptions, record: ApiKeyRecord, now: number): Promise<void> {
  const { audit, warn } = options
  const { id, name, prefix, organizationId, userId } = record
  // Only keys that expire are claimed.
  const expiresAt = toTimestamp(record.expiresAt ?? now)
  const key: ExpiringKey = Object.freeze({ id, name, prefix, organizationId, userId, expiresAt })
  await audit
    .record({ action: 'key.expiring', actor: SYSTEM, subject: id, organizationId, details: { expiresAt } })
    .catch(() => warn(`the audit log could not be told that ${id} expires soon`))
  await tellApp(options, key).catch(() => warn(`onExpiring failed for ${id}`))
}

/**
 * Tells of every key that expires soon and was not told of, in the audit log and to the app. Of several processes one
 * tells of each.
 *
 * @param now epoch ms
 */
export async function warnOfExpiry(options: ExpiryWarningsOptions, now: number): Promise<void> {
  const { keys, ahead } = options
  if (ahead === 0) return
  for (let told = AT_ONCE; told === AT_ONCE; ) {
    const expiring = await keys.claimExpiryWarnings(now, now + ahead, AT_ONCE)
    told = expiring.length
    await Promise.all(expiring.map((record) => tellOf(options, record, now)))
  }
}
