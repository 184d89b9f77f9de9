/**
 * The storage the core needs, as atomic verbs. Each comment states what holds when calls race.
 *
 * Every verb that takes something away (revokes, disables, suspends, deletes) also records a change in the
 * same transaction, so that no process can see the one without the other (see `ChangeStore`).
 * Any verb may reject with `MachineAuthError('storage_unavailable')`.
 */

import type { OrganizationStore, RoleStore, UserStore } from './ports/accounts.ts'
import type { AuditStore } from './ports/audit.ts'
import type { BlockStore } from './ports/blocks.ts'
import type { ChangeStore } from './ports/changes.ts'
import type { IdempotencyStore } from './ports/idempotency.ts'
import type { KeyStore } from './ports/keys.ts'
import type { PermissionStore } from './ports/permissions.ts'
import type { QuotaStore } from './ports/quotas.ts'
import type { RequestLogStore } from './ports/request-log.ts'
import type { LoginAddressStore, SessionStore } from './ports/sessions.ts'
import type { BearerTokenStore, RefreshFamilyStore, SigningKeyStore } from './ports/tokens.ts'
import type { UsageStore } from './ports/usage.ts'

export interface Storage {
  /** For messages alone. */
  readonly dialect: 'sqlite' | 'postgres' | 'custom'
  readonly keys: KeyStore
  readonly organizations: OrganizationStore
  readonly users: UserStore
  readonly signingKeys: SigningKeyStore
  readonly refreshFamilies: RefreshFamilyStore
  readonly bearerTokens: BearerTokenStore
  readonly sessions: SessionStore
  readonly roles: RoleStore
  readonly permissions: PermissionStore
  readonly audit: AuditStore
  readonly idempotency: IdempotencyStore
  readonly blocks: BlockStore
  readonly quotas: QuotaStore
  readonly loginAddresses: LoginAddressStore
  readonly changes: ChangeStore
  readonly usage: UsageStore
  readonly requestLog: RequestLogStore
  /** One trivial statement; rejects when the database does not answer. */
  ping(): Promise<void>
  /** Closes what it opened; leaves an app's own database alone. */
  close(): Promise<void>
}
