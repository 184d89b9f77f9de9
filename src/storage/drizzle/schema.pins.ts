/** Compile-time pins: the row types of both dialects are those of `records.ts`, column for column. */
import type {
  ApiKeyRecord,
  AuditMarkRecord,
  AuditRecord,
  BearerTokenRecord,
  BlockRecord,
  ChangeRecord,
  IdempotencyRecord,
  LoginAddressRecord,
  OrganizationRecord,
  PermissionRecord,
  QuotaRecord,
  RefreshFamilyRecord,
  RequestLogRecord,
  RoleRecord,
  SessionRecord,
  SigningKeyRecord,
  UsageCheckpointRecord,
  UsageReceiptRecord,
  UsageRecord,
  UserRecord,
} from '../records.ts'
import type * as postgres from './schema.postgres.ts'
import type * as sqlite from './schema.sqlite.ts'

/** What each table stores: its record, and what only the database needs. */
export interface Rows {
  readonly organizations: OrganizationRecord
  readonly users: UserRecord
  readonly apiKeys: ApiKeyRecord & { readonly searchText: string; readonly creditsVersion: number }
  readonly signingKeys: SigningKeyRecord
  readonly refreshFamilies: RefreshFamilyRecord
  readonly bearerTokens: BearerTokenRecord
  readonly sessions: SessionRecord
  readonly roles: RoleRecord
  readonly permissions: PermissionRecord
  readonly audit: AuditRecord
  readonly auditMarks: AuditMarkRecord
  readonly idempotency: IdempotencyRecord
  readonly blocks: BlockRecord
  readonly quotas: QuotaRecord
  readonly loginAddresses: LoginAddressRecord
  readonly changes: ChangeRecord
  readonly usage: UsageRecord
  readonly usageCheckpoints: UsageCheckpointRecord
  readonly usageReceipts: UsageReceiptRecord
  readonly requestLog: RequestLogRecord
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }
type Equals<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type AllTrue<T extends Record<string, true>> = T

interface Schema {
  readonly [name: string]: { readonly $inferSelect: unknown }
}
type Selected<S extends Schema> = { [K in keyof S]: Writable<S[K]['$inferSelect']> }
type Expected = { [K in keyof Rows]: Writable<Rows[K]> }
type PinnedRows<S extends { [K in keyof Rows]: { readonly $inferSelect: unknown } }> = {
  [K in keyof Rows]: Equals<Selected<S>[K], Expected[K]>
}

export type Pins = [
  AllTrue<PinnedRows<typeof sqlite>>,
  AllTrue<PinnedRows<typeof postgres>>,
  AllTrue<{ sqlite: Equals<keyof typeof sqlite, keyof Rows>; postgres: Equals<keyof typeof postgres, keyof Rows> }>,
]
