/**
 * The tables on SQLite: name them in an app's own `drizzle.config.ts` to let its migrations create them.
 *
 * Times are epoch milliseconds. There are no foreign keys: user and organization ids may name rows of an app's own
 * store, and deleting one must never take a credential's history with it. `schema.pins.ts` holds the row types of
 * both dialects to `records.ts`.
 */
import { sql } from 'drizzle-orm'
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import type {
  AuditMarkRecord,
  AuditRecord,
  BlockRecord,
  ChangeKind,
  Environment,
  OrganizationRecord,
  RateLimitSetting,
  SigningAlgorithm,
  UsagePeriod,
  UserRecord,
} from '../records.ts'

const names = (column: string) => text(column, { mode: 'json' }).$type<readonly string[]>().notNull()
const json = <T>(column: string) => text(column, { mode: 'json' }).$type<T>()
type JsonObject = Readonly<Record<string, unknown>>

/** Never used is as long ago as can be. Without a comma: drizzle-kit would take it for two columns on SQLite. In brackets for PostgreSQL. */
const lastUse = sql`(case when last_used_at is null then 0 else last_used_at end)`

export const organizations = sqliteTable(
  'machine_auth_organizations',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    status: text('status').$type<OrganizationRecord['status']>().notNull(),
    rateLimit: json<RateLimitSetting>('rate_limit'),
    monthlyQuota: integer('monthly_quota'),
    maxPermissions: json<readonly string[]>('max_permissions'),
    maxKeyLifetime: integer('max_key_lifetime'),
    createdAt: integer('created_at').notNull(),
  },
  (t) => [
    uniqueIndex('machine_auth_organizations_name_unique').on(t.name),
    index('machine_auth_organizations_created_idx').on(t.createdAt, t.id),
  ],
)

export const users = sqliteTable(
  'machine_auth_users',
  {
    id: text('id').primaryKey(),
    email: text('email').notNull(),
    passwordHash: text('password_hash'),
    organizationId: text('organization_id'),
    roles: names('roles'),
    status: text('status').$type<UserRecord['status']>().notNull(),
    tokensNotBefore: integer('tokens_not_before').notNull(),
    createdAt: integer('created_at').notNull(),
  },
  (t) => [
    uniqueIndex('machine_auth_users_email_unique').on(t.email),
    index('machine_auth_users_organization_idx').on(t.organizationId, t.createdAt, t.id),
    index('machine_auth_users_created_idx').on(t.createdAt, t.id),
  ],
)

export const apiKeys = sqliteTable(
  'machine_auth_api_keys',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    prefix: text('prefix').notNull(),
    environment: text('environment').$type<Environment>().notNull(),
    hash: text('hash').notNull(),
    pepper: text('pepper').notNull(),
    organizationId: text('organization_id'),
    userId: text('user_id'),
    permissions: names('permissions'),
    ipAllowlist: names('ip_allowlist'),
    rateLimit: json<RateLimitSetting>('rate_limit'),
    monthlyQuota: integer('monthly_quota'),
    credits: integer('credits'),
    creditsRefillAmount: integer('credits_refill_amount'),
    creditsRefillEvery: integer('credits_refill_every'),
    creditsRefilledAt: integer('credits_refilled_at'),
    /** How many times `credits` was set to another number: what was claimed of one is not given back to the next. */
    creditsVersion: integer('credits_version').notNull().default(0),
    enabled: integer('enabled', { mode: 'boolean' }).notNull(),
    expiresAt: integer('expires_at'),
    lastUsedAt: integer('last_used_at'),
    createdAt: integer('created_at').notNull(),
    createdBy: text('created_by').notNull(),
    revokedAt: integer('revoked_at'),
    revokedReason: text('revoked_reason'),
    revokedBy: text('revoked_by'),
    rotatedFrom: text('rotated_from'),
    expiryWarnedAt: integer('expiry_warned_at'),
    lookup: text('lookup'),
    description: text('description'),
    metadata: json<JsonObject>('metadata'),
    /** Name and description in lower case, kept by `searchTextOf`: SQL's own `lower` differs by dialect and locale. */
    searchText: text('search_text').notNull(),
  },
  (t) => [
    index('machine_auth_api_keys_created_idx').on(t.createdAt, t.id),
    index('machine_auth_api_keys_organization_idx').on(t.organizationId, t.createdAt, t.id),
    index('machine_auth_api_keys_user_idx').on(t.userId, t.createdAt, t.id),
    index('machine_auth_api_keys_name_idx').on(t.name, t.id),
    index('machine_auth_api_keys_organization_name_idx').on(t.organizationId, t.name, t.id),
    // What `lastUsedAt` sorts by, in the same words: else the index is of no use to it.
    index('machine_auth_api_keys_used_idx').on(lastUse, t.id),
    index('machine_auth_api_keys_organization_used_idx').on(t.organizationId, lastUse, t.id),
    // For counting, of which no row is read: SQLite asks for the second column although it is null in all of them.
    index('machine_auth_api_keys_unrevoked_idx').on(t.organizationId, t.revokedAt).where(sql`revoked_at is null`),
    index('machine_auth_api_keys_expires_idx').on(t.expiresAt),
    // A key has one successor: of racing rotations one inserts it.
    uniqueIndex('machine_auth_api_keys_rotated_unique').on(t.rotatedFrom),
    uniqueIndex('machine_auth_api_keys_lookup_unique').on(t.lookup),
  ],
)

export const signingKeys = sqliteTable(
  'machine_auth_signing_keys',
  {
    kid: text('kid').primaryKey(),
    algorithm: text('algorithm').$type<SigningAlgorithm>().notNull(),
    publicJwk: json<JsonObject>('public_jwk'),
    encryptedPrivateJwk: text('encrypted_private_jwk').notNull(),
    encryptionKey: text('encryption_key').notNull(),
    createdAt: integer('created_at').notNull(),
    retiredAt: integer('retired_at'),
  },
  (t) => [
    // Of racing processes, this lets one insert the current key.
    uniqueIndex('machine_auth_signing_keys_current_unique')
      .on(t.algorithm, t.encryptionKey)
      .where(sql`retired_at is null`),
  ],
)

export const refreshFamilies = sqliteTable(
  'machine_auth_refresh_families',
  {
    id: text('id').primaryKey(),
    userId: text('user_id'),
    clientId: text('client_id'),
    permissions: names('permissions'),
    nonce: text('nonce').notNull(),
    secretFingerprint: text('secret_fingerprint').notNull(),
    sequence: integer('sequence').notNull(),
    rotatedAt: integer('rotated_at').notNull(),
    expiresAt: integer('expires_at').notNull(),
    createdAt: integer('created_at').notNull(),
    revokedAt: integer('revoked_at'),
    revokedReason: text('revoked_reason'),
  },
  (t) => [
    index('machine_auth_refresh_families_user_idx').on(t.userId),
    index('machine_auth_refresh_families_expires_idx').on(t.expiresAt),
  ],
)

export const bearerTokens = sqliteTable(
  'machine_auth_bearer_tokens',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    hash: text('hash').notNull(),
    pepper: text('pepper').notNull(),
    userId: text('user_id'),
    organizationId: text('organization_id'),
    permissions: names('permissions'),
    expiresAt: integer('expires_at'),
    createdAt: integer('created_at').notNull(),
    revokedAt: integer('revoked_at'),
    revokedReason: text('revoked_reason'),
  },
  (t) => [
    index('machine_auth_bearer_tokens_created_idx').on(t.createdAt, t.id),
    index('machine_auth_bearer_tokens_organization_idx').on(t.organizationId),
    index('machine_auth_bearer_tokens_user_idx').on(t.userId),
  ],
)

export const sessions = sqliteTable(
  'machine_auth_sessions',
  {
    id: text('id').primaryKey(),
    hash: text('hash').notNull(),
    userId: text('user_id').notNull(),
    createdAt: integer('created_at').notNull(),
    lastSeenAt: integer('last_seen_at').notNull(),
    expiresAt: integer('expires_at').notNull(),
    address: text('address'),
    userAgent: text('user_agent'),
  },
  (t) => [
    uniqueIndex('machine_auth_sessions_hash_unique').on(t.hash),
    index('machine_auth_sessions_user_idx').on(t.userId),
    index('machine_auth_sessions_expires_idx').on(t.expiresAt),
  ],
)

export const roles = sqliteTable('machine_auth_roles', {
  name: text('name').primaryKey(),
  permissions: names('permissions'),
  inherits: names('inherits'),
})

export const permissions = sqliteTable('machine_auth_permissions', {
  name: text('name').primaryKey(),
  module: text('module'),
  label: text('label').notNull(),
  createdAt: integer('created_at').notNull(),
})

export const audit = sqliteTable(
  'machine_auth_audit',
  {
    id: text('id').primaryKey(),
    at: integer('at').notNull(),
    action: text('action').notNull(),
    actor: text('actor').notNull(),
    subject: text('subject').notNull(),
    organizationId: text('organization_id'),
    address: text('address'),
    requestId: text('request_id'),
    details: json<AuditRecord['details']>('details').notNull(),
    /** Null until the event is sealed. */
    sequence: integer('sequence'),
    mac: text('mac'),
    macKey: text('mac_key'),
  },
  (t) => [
    index('machine_auth_audit_at_idx').on(t.at, t.id),
    index('machine_auth_audit_action_idx').on(t.action, t.at, t.id),
    index('machine_auth_audit_subject_idx').on(t.subject, t.at, t.id),
    index('machine_auth_audit_organization_idx').on(t.organizationId, t.at, t.id),
    index('machine_auth_audit_actor_idx').on(t.actor, t.at, t.id),
    uniqueIndex('machine_auth_audit_sequence_unique').on(t.sequence).where(sql`sequence is not null`),
    index('machine_auth_audit_unsealed_idx').on(t.at, t.id).where(sql`sequence is null`),
  ],
)

export const auditMarks = sqliteTable('machine_auth_audit_marks', {
  name: text('name').$type<AuditMarkRecord['name']>().primaryKey(),
  sequence: integer('sequence').notNull(),
  at: integer('at').notNull(),
  mac: text('mac').notNull(),
  macKey: text('mac_key').notNull(),
})

export const idempotency = sqliteTable(
  'machine_auth_idempotency',
  {
    principal: text('principal').notNull(),
    endpoint: text('endpoint').notNull(),
    key: text('key').notNull(),
    fingerprint: text('fingerprint').notNull(),
    answer: json<JsonObject>('answer'),
    createdAt: integer('created_at').notNull(),
    expiresAt: integer('expires_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.principal, t.endpoint, t.key] }),
    index('machine_auth_idempotency_expires_idx').on(t.expiresAt),
  ],
)

export const blocks = sqliteTable(
  'machine_auth_blocks',
  {
    id: text('id').primaryKey(),
    kind: text('kind').$type<BlockRecord['kind']>().notNull(),
    subject: text('subject').notNull(),
    scope: text('scope').$type<BlockRecord['scope']>().notNull(),
    // Empty instead of null for a global block: no two nulls are equal, so they would not be unique.
    path: text('path').notNull(),
    reason: text('reason'),
    createdBy: text('created_by').notNull(),
    createdAt: integer('created_at').notNull(),
    expiresAt: integer('expires_at').notNull(),
  },
  (t) => [
    uniqueIndex('machine_auth_blocks_subject_unique').on(t.subject, t.scope, t.path),
    index('machine_auth_blocks_expires_idx').on(t.expiresAt),
    index('machine_auth_blocks_created_idx').on(t.createdAt, t.id),
  ],
)

export const quotas = sqliteTable(
  'machine_auth_quotas',
  {
    subject: text('subject').notNull(),
    period: text('period').notNull(),
    used: integer('used').notNull(),
  },
  (t) => [primaryKey({ columns: [t.subject, t.period] })],
)

export const loginAddresses = sqliteTable(
  'machine_auth_login_addresses',
  {
    account: text('account').notNull(),
    address: text('address').notNull(),
    lastAt: integer('last_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.account, t.address] }),
    index('machine_auth_login_addresses_last_idx').on(t.account, t.lastAt),
  ],
)

export const changes = sqliteTable(
  'machine_auth_changes',
  {
    // Autoincrement, so that a pruned log never gives a number out twice.
    sequence: integer('sequence').primaryKey({ autoIncrement: true }),
    at: integer('at').notNull(),
    kind: text('kind').$type<ChangeKind>().notNull(),
    subject: text('subject').notNull(),
  },
  (t) => [index('machine_auth_changes_at_idx').on(t.at)],
)

export const usage = sqliteTable(
  'machine_auth_usage',
  {
    keyId: text('key_id').notNull(),
    period: text('period').$type<UsagePeriod>().notNull(),
    start: integer('start').notNull(),
    organizationId: text('organization_id').notNull(),
    method: text('method').notNull(),
    route: text('route').notNull(),
    status: integer('status').notNull(),
    requests: integer('requests').notNull(),
    duration: integer('duration').notNull(),
    latency0: integer('latency_0').notNull(),
    latency1: integer('latency_1').notNull(),
    latency2: integer('latency_2').notNull(),
    latency3: integer('latency_3').notNull(),
    latency4: integer('latency_4').notNull(),
    latency5: integer('latency_5').notNull(),
    latency6: integer('latency_6').notNull(),
    latency7: integer('latency_7').notNull(),
    latency8: integer('latency_8').notNull(),
    latency9: integer('latency_9').notNull(),
    latency10: integer('latency_10').notNull(),
    latency11: integer('latency_11').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.keyId, t.period, t.start, t.organizationId, t.method, t.route, t.status] }),
    index('machine_auth_usage_start_idx').on(t.period, t.start),
  ],
)

export const usageCheckpoints = sqliteTable(
  'machine_auth_usage_checkpoints',
  {
    journal: text('journal').primaryKey(),
    position: integer('position').notNull(),
    target: integer('target').notNull(),
    written: integer('written').notNull(),
    updatedAt: integer('updated_at').notNull(),
  },
  (t) => [index('machine_auth_usage_checkpoints_updated_idx').on(t.updatedAt)],
)

export const usageReceipts = sqliteTable(
  'machine_auth_usage_receipts',
  {
    keyId: text('key_id').notNull(),
    id: text('id').notNull(),
    at: integer('at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.keyId, t.id] }), index('machine_auth_usage_receipts_at_idx').on(t.at)],
)

export const requestLog = sqliteTable(
  'machine_auth_request_log',
  {
    id: text('id').primaryKey(),
    at: integer('at').notNull(),
    requestId: text('request_id').notNull(),
    method: text('method').notNull(),
    path: text('path').notNull(),
    route: text('route'),
    status: integer('status').notNull(),
    duration: integer('duration').notNull(),
    address: text('address'),
    credential: text('credential'),
    keyId: text('key_id'),
    userId: text('user_id'),
    organizationId: text('organization_id'),
    code: text('code'),
    query: text('query'),
    requestHeaders: json<Readonly<Record<string, string>>>('request_headers'),
    requestBody: text('request_body'),
    responseHeaders: json<Readonly<Record<string, string>>>('response_headers'),
    responseBody: text('response_body'),
  },
  (t) => [
    index('machine_auth_request_log_at_idx').on(t.at, t.id),
    index('machine_auth_request_log_key_idx').on(t.keyId, t.at, t.id),
    index('machine_auth_request_log_organization_idx').on(t.organizationId, t.at, t.id),
    index('machine_auth_request_log_user_idx').on(t.userId, t.at, t.id).where(sql`user_id is not null`),
    index('machine_auth_request_log_request_idx').on(t.requestId, t.at, t.id),
  ],
)
