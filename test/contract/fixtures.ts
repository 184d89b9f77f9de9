import type {
  ApiKeyRecord,
  AuditRecord,
  BearerTokenRecord,
  BlockRecord,
  OrganizationRecord,
  RefreshFamilyRecord,
  RequestLogRecord,
  SessionRecord,
  SigningKeyRecord,
  UsageRecord,
  UserRecord,
} from '../../src/storage/records.ts'

/** A moment of no importance, epoch ms. */
export const NOW = 1_800_000_000_000

let counter = 0
const id = (prefix: string) => `${prefix}_${String(++counter).padStart(16, '0')}`

export const anOrganization = (given: Partial<OrganizationRecord> = {}): OrganizationRecord => {
  const made = id('org')
  return {
    id: made,
    name: `Organization ${made}`,
    status: 'active',
    rateLimit: null,
    monthlyQuota: null,
    maxPermissions: null,
    maxKeyLifetime: null,
    createdAt: NOW,
    ...given,
  }
}

export const aUser = (given: Partial<UserRecord> = {}): UserRecord => {
  const made = id('user')
  return {
    id: made,
    email: `${made}@example.com`,
    passwordHash: '$argon2id$old',
    organizationId: null,
    roles: ['user'],
    status: 'active',
    tokensNotBefore: 0,
    createdAt: NOW,
    ...given,
  }
}

export const aKey = (given: Partial<ApiKeyRecord> = {}): ApiKeyRecord => {
  const made = id('key')
  return {
    id: made,
    name: 'Deploy',
    prefix: `mac_live_${made}`,
    environment: 'live',
    hash: `hash-of-${made}`,
    pepper: 'pepper-1',
    organizationId: null,
    userId: null,
    permissions: ['users.view', 'posts.*'],
    ipAllowlist: ['10.0.0.0/8', '::1'],
    rateLimit: { limit: 60, window: '1m' },
    monthlyQuota: 1000,
    credits: null,
    creditsRefillAmount: null,
    creditsRefillEvery: null,
    creditsRefilledAt: null,
    enabled: true,
    expiresAt: null,
    lastUsedAt: null,
    createdAt: NOW,
    createdBy: 'system',
    revokedAt: null,
    revokedReason: null,
    revokedBy: null,
    rotatedFrom: null,
    expiryWarnedAt: null,
    lookup: null,
    description: null,
    metadata: { team: 'é🔑', nested: { list: [1, null, "it's"] } },
    ...given,
  }
}

export const aToken = (given: Partial<BearerTokenRecord> = {}): BearerTokenRecord => {
  const made = id('tok')
  return {
    id: made,
    name: 'Reader',
    hash: `hash-of-${made}`,
    pepper: 'pepper-1',
    userId: null,
    organizationId: null,
    permissions: ['posts.view'],
    expiresAt: NOW + 1000,
    createdAt: NOW,
    revokedAt: null,
    revokedReason: null,
    ...given,
  }
}

export const aFamily = (given: Partial<RefreshFamilyRecord> = {}): RefreshFamilyRecord => ({
  id: id('rt'),
  userId: null,
  clientId: 'client-1',
  permissions: ['posts.view'],
  nonce: 'nonce',
  secretFingerprint: 'secret-1',
  sequence: 0,
  rotatedAt: NOW,
  expiresAt: NOW + 1000,
  createdAt: NOW,
  revokedAt: null,
  revokedReason: null,
  ...given,
})

export const aSession = (given: Partial<SessionRecord> = {}): SessionRecord => {
  const made = id('sess')
  return {
    id: made,
    hash: `hash-of-${made}`,
    userId: 'user_1',
    createdAt: NOW,
    lastSeenAt: NOW,
    expiresAt: NOW + 1000,
    address: '2001:db8::1',
    userAgent: 'curl/8',
    ...given,
  }
}

export const aSigningKey = (given: Partial<SigningKeyRecord> = {}): SigningKeyRecord => ({
  kid: id('kid'),
  algorithm: 'EdDSA',
  publicJwk: { kty: 'OKP', crv: 'Ed25519', x: 'x' },
  encryptedPrivateJwk: 'sealed',
  encryptionKey: 'secret-1',
  createdAt: NOW,
  retiredAt: null,
  ...given,
})

export const aBlock = (given: Partial<BlockRecord> = {}): BlockRecord => {
  const made = id('blk')
  return {
    id: made,
    kind: 'manual',
    subject: `ip:${made}`,
    scope: 'global',
    path: '',
    reason: "it's noisy",
    createdBy: 'user_admin',
    createdAt: NOW,
    expiresAt: NOW + 1000,
    ...given,
  }
}

export const anEvent = (given: Partial<AuditRecord> = {}): AuditRecord => ({
  id: id('evt'),
  at: NOW,
  action: 'key.created',
  actor: 'system',
  subject: 'key_1',
  organizationId: null,
  address: null,
  requestId: null,
  details: { reason: "it's", list: ['a'] },
  sequence: null,
  mac: null,
  macKey: null,
  ...given,
})

/** A request of 2 ms, counted in its hour. */
export const aUsage = (given: Partial<UsageRecord> = {}): UsageRecord => ({
  keyId: 'key_1',
  period: 'hour',
  start: NOW,
  organizationId: '',
  method: 'GET',
  route: '/api/data',
  status: 200,
  requests: 1,
  duration: 2000,
  latency0: 0,
  latency1: 0,
  latency2: 1,
  latency3: 0,
  latency4: 0,
  latency5: 0,
  latency6: 0,
  latency7: 0,
  latency8: 0,
  latency9: 0,
  latency10: 0,
  latency11: 0,
  ...given,
})

export const anEntry = (given: Partial<RequestLogRecord> = {}): RequestLogRecord => {
  const made = id('log')
  return {
    id: made,
    at: NOW,
    requestId: `request of ${made}`,
    method: 'GET',
    path: '/api/data/7',
    route: '/api/data/:id',
    status: 200,
    duration: 2000,
    address: '2001:db8::1',
    credential: 'apiKey',
    keyId: 'key_1',
    userId: null,
    organizationId: null,
    code: null,
    query: 'q=1',
    requestHeaders: { accept: '*/*' },
    requestBody: null,
    responseHeaders: { 'content-type': 'application/json' },
    responseBody: '{"said":"it\'s"}',
    ...given,
  }
}
