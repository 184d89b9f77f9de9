/**
 * What is stored, independent of any database. Times are epoch milliseconds.
 * No record holds a raw credential: hashes and encrypted keys only.
 */

export type Environment = 'live' | 'test'

export interface RateLimitSetting {
  readonly limit: number
  /** A duration text such as `'1m'`. */
  readonly window: string
}

export interface OrganizationRecord {
  readonly id: string
  readonly name: string
  readonly status: 'active' | 'suspended'
  /** What all its credentials together may do. */
  readonly rateLimit: RateLimitSetting | null
  readonly monthlyQuota: number | null
  /** What its keys may have at most, in the stored form of grants; null for no bound. */
  readonly maxPermissions: readonly string[] | null
  /** ms that a key of it lives at most, from its creation on; null for no bound. */
  readonly maxKeyLifetime: number | null
  readonly createdAt: number
}

export interface UserRecord {
  readonly id: string
  /** Lower case, trimmed: the form that is unique. */
  readonly email: string
  /** argon2id or bcrypt in its standard text form; null for a user who cannot log in by password. */
  readonly passwordHash: string | null
  readonly organizationId: string | null
  readonly roles: readonly string[]
  readonly status: 'active' | 'disabled'
  /** Access tokens issued before this moment are refused (password change, disabling). */
  readonly tokensNotBefore: number
  readonly createdAt: number
}

export interface ApiKeyRecord {
  /** `key_` and 16 base62 characters. */
  readonly id: string
  readonly name: string
  /** The part shown afterwards: `<prefix>_<environment>_<id>`. */
  readonly prefix: string
  readonly environment: Environment
  /** HMAC-SHA-256 of the key text under the pepper, base64url. */
  readonly hash: string
  /** Fingerprint of the pepper that made `hash`. */
  readonly pepper: string
  readonly organizationId: string | null
  readonly userId: string | null
  readonly permissions: readonly string[]
  readonly ipAllowlist: readonly string[]
  readonly rateLimit: RateLimitSetting | null
  readonly monthlyQuota: number | null
  /** Uses left; null when it is not limited by uses. */
  readonly credits: number | null
  /** What `credits` is raised to when a refill is due; null together with `creditsRefillEvery` when there is none. */
  readonly creditsRefillAmount: number | null
  /** ms from one refill to the next. */
  readonly creditsRefillEvery: number | null
  /** The moment the current refill period began. */
  readonly creditsRefilledAt: number | null
  readonly enabled: boolean
  readonly expiresAt: number | null
  readonly lastUsedAt: number | null
  readonly createdAt: number
  /** Id of the principal that made it, or `system`. */
  readonly createdBy: string
  readonly revokedAt: number | null
  readonly revokedReason: string | null
  readonly revokedBy: string | null
  /** The key it replaces; no two have the same. */
  readonly rotatedFrom: string | null
  /** When its coming expiry was told of; null until then, and again when it is given another expiry. */
  readonly expiryWarnedAt: number | null
  /** What a key of a foreign text is found by; null for a key whose text names its id. */
  readonly lookup: string | null
  readonly description: string | null
  readonly metadata: Readonly<Record<string, unknown>> | null
}

/** A key with everything that decides whether it may be used, read in one statement. */
export interface ApiKeyWithOwner {
  readonly key: ApiKeyRecord
  readonly user: UserRecord | null
  readonly organization: OrganizationRecord | null
}

export type SigningAlgorithm = 'EdDSA' | 'ES256' | 'HS256'

export interface SigningKeyRecord {
  readonly kid: string
  readonly algorithm: SigningAlgorithm
  /** The public JWK; null for a shared secret (HS256), which has no public half. */
  readonly publicJwk: Readonly<Record<string, unknown>> | null
  /** The private JWK, AES-256-GCM encrypted under a key derived from `secret`, base64url. */
  readonly encryptedPrivateJwk: string
  /** Fingerprint of the encryption key. */
  readonly encryptionKey: string
  readonly createdAt: number
  /** From then on it no longer signs; it verifies until the last token it signed has expired. */
  readonly retiredAt: number | null
}

export interface RefreshFamilyRecord {
  /** `rt_` and 16 base62 characters. */
  readonly id: string
  /** Exactly one of `userId` and `clientId` is set. */
  readonly userId: string | null
  readonly clientId: string | null
  /** What a client principal may do; empty for users, whose permissions are looked up live. */
  readonly permissions: readonly string[]
  /** 32 random bytes, base64url: with `secret` and the sequence they make each refresh token. */
  readonly nonce: string
  /** Fingerprint of the secret that makes this family's tokens. */
  readonly secretFingerprint: string
  /** Number of the newest token; every smaller one is spent. */
  readonly sequence: number
  /** When the newest token replaced its predecessor. */
  readonly rotatedAt: number
  readonly expiresAt: number
  readonly createdAt: number
  readonly revokedAt: number | null
  readonly revokedReason: string | null
}

export interface RefreshFamilyWithUser {
  readonly family: RefreshFamilyRecord
  readonly user: UserRecord | null
  readonly organization: OrganizationRecord | null
}

export interface BearerTokenRecord {
  /** `tok_` and 16 base62 characters. */
  readonly id: string
  readonly name: string
  /** HMAC-SHA-256 of the token text under the pepper, base64url. */
  readonly hash: string
  readonly pepper: string
  readonly userId: string | null
  readonly organizationId: string | null
  readonly permissions: readonly string[]
  readonly expiresAt: number | null
  readonly createdAt: number
  readonly revokedAt: number | null
  readonly revokedReason: string | null
}

export interface BearerTokenWithOwner {
  readonly token: BearerTokenRecord
  readonly user: UserRecord | null
  readonly organization: OrganizationRecord | null
}

export interface SessionRecord {
  /** `sess_` and 16 base62 characters: names the session, does not open it. */
  readonly id: string
  /** SHA-256 of the cookie value, base64url. */
  readonly hash: string
  readonly userId: string
  readonly createdAt: number
  readonly lastSeenAt: number
  readonly expiresAt: number
  readonly address: string | null
  readonly userAgent: string | null
}

export interface SessionWithUser {
  readonly session: SessionRecord
  readonly user: UserRecord | null
  readonly organization: OrganizationRecord | null
}

export interface RoleRecord {
  readonly name: string
  readonly permissions: readonly string[]
  readonly inherits: readonly string[]
}

/** A permission of the registry, as it was last synchronized from code. */
export interface PermissionRecord {
  readonly name: string
  /** Null for one that belongs to no module. */
  readonly module: string | null
  /** What people call it. */
  readonly label: string
  readonly createdAt: number
}

export interface AuditRecord {
  /** `evt_` and 16 base62 characters. */
  readonly id: string
  readonly at: number
  /** A verb in dotted form: `key.created`, `refresh.reused`. */
  readonly action: string
  /** Id of the principal, `system`, or `anonymous`. */
  readonly actor: string
  /** Id of what it was done to. */
  readonly subject: string
  /** Whose administrators may read it; null for the platform's alone. */
  readonly organizationId: string | null
  /** Where the request came from; null where nobody can tell, and for code. */
  readonly address: string | null
  readonly requestId: string | null
  readonly details: Readonly<Record<string, unknown>>
  /** Its place in the log, from 1 on without gaps; null until it is sealed. */
  readonly sequence: number | null
  /** HMAC-SHA-256 of all above, base64url; null in rows of a version that had none. */
  readonly mac: string | null
  /** Fingerprint of the key that made `mac`. */
  readonly macKey: string | null
}

/** How far the audit log goes: its newest sealed event, or the newest of those that were deleted for their age. */
export interface AuditMarkRecord {
  readonly name: 'head' | 'checkpoint'
  readonly sequence: number
  readonly at: number
  /** HMAC-SHA-256 of all above, base64url. */
  readonly mac: string
  readonly macKey: string
}

/** A create that came with an `Idempotency-Key`. */
export interface IdempotencyRecord {
  readonly principal: string
  readonly endpoint: string
  readonly key: string
  /** Keyed hash of the body. */
  readonly fingerprint: string
  /** What was answered, without the secret; null while it is in flight. */
  readonly answer: Readonly<Record<string, unknown>> | null
  readonly createdAt: number
  /** From then on the key may be used anew. */
  readonly expiresAt: number
}

/** Somebody or something that is refused for a while, everywhere or on one path. */
export interface BlockRecord {
  /** `blk_` and 16 base62 characters. */
  readonly id: string
  readonly kind: 'manual' | 'abuse' | 'lockout'
  /** Who is blocked, in its canonical text: with `scope` and `path` it is unique. */
  readonly subject: string
  readonly scope: 'global' | 'path'
  /** Empty for a global block. */
  readonly path: string
  readonly reason: string | null
  /** Id of the principal that made it, or `system`. */
  readonly createdBy: string
  readonly createdAt: number
  /** From then on it blocks nobody. */
  readonly expiresAt: number
}

/** What a subject has used in one period. */
export interface QuotaRecord {
  readonly subject: string
  /** Such as `2030-01`: text that sorts as time does. */
  readonly period: string
  readonly used: number
}

/** An address from which an account has logged in. */
export interface LoginAddressRecord {
  readonly account: string
  readonly address: string
  readonly lastAt: number
}

/** What a change concerns: other processes forget what they cached about it, or read a block anew. */
export type ChangeKind =
  | 'key'
  | 'user'
  | 'organization'
  | 'family'
  | 'token'
  | 'session'
  | 'role'
  | 'block'
  | 'signing_key'

export interface ChangeRecord {
  readonly sequence: number
  readonly at: number
  readonly kind: ChangeKind
  readonly subject: string
}

/** How long a rollup's counters reach: a minute and the total are of all requests together. */
export type UsagePeriod = 'minute' | 'hour' | 'day' | 'total'

/**
 * How many requests took up to each bound of `lib/latency.ts`, and in the last one how many took longer. Columns, so
 * that racing processes add to them in one statement.
 */
export interface LatencyCounts {
  readonly latency0: number
  readonly latency1: number
  readonly latency2: number
  readonly latency3: number
  readonly latency4: number
  readonly latency5: number
  readonly latency6: number
  readonly latency7: number
  readonly latency8: number
  readonly latency9: number
  readonly latency10: number
  readonly latency11: number
}

/** Requests that are counted together. */
export interface UsageRecord extends LatencyCounts {
  /** Of the key they came by; empty for none, `*` where all requests are counted together. */
  readonly keyId: string
  readonly period: UsagePeriod
  /** Epoch ms at which the period begins; 0 for the total. */
  readonly start: number
  /** Empty for none, and where all are counted together; so are method and route. */
  readonly organizationId: string
  readonly method: string
  /** The route's pattern; empty where no route was found. */
  readonly route: string
  readonly status: number
  readonly requests: number
  /** µs that they took together. */
  readonly duration: number
}

/** How far the events of one journal are counted. */
export interface UsageCheckpointRecord {
  readonly journal: string
  /** All before it is counted. */
  readonly position: number
  /** What is being counted reaches up to here; `position` when nothing is. */
  readonly target: number
  /** How many of the rows that lie between the two are written. */
  readonly written: number
  readonly updatedAt: number
}

/** An event that somebody else reported, so that it counts once. */
export interface UsageReceiptRecord {
  readonly keyId: string
  /** As the reporter named it. */
  readonly id: string
  /** When it happened. */
  readonly at: number
}

/** A request that was logged. What its mode leaves out is null. */
export interface RequestLogRecord {
  /** `log_` and 16 base62 characters, the first eight of its time: ids grow with it. */
  readonly id: string
  readonly at: number
  readonly requestId: string
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** The route's pattern; null where no route was found. */
  readonly route: string | null
  readonly status: number
  /** µs */
  readonly duration: number
  readonly address: string | null
  /** The kind of credential that spoke for it: `apiKey`, `jwt`, `bearer`, `session`, `master`. */
  readonly credential: string | null
  readonly keyId: string | null
  readonly userId: string | null
  readonly organizationId: string | null
  /** The code of the problem it was answered with. */
  readonly code: string | null
  readonly query: string | null
  readonly requestHeaders: Readonly<Record<string, string>> | null
  readonly requestBody: string | null
  readonly responseHeaders: Readonly<Record<string, string>> | null
  readonly responseBody: string | null
}
