/** What the endpoints of API keys take and answer. */
import { Type } from '@sinclair/typebox'
import { t } from 'elysia'
import type { ApiKeyView } from '../../authentication/views.ts'
import type { Metadata } from '../../keys/metadata.ts'
import { Environment, Id, order, Permissions, page, RateLimit, strict, Timestamp } from './shared.ts'

const KeyStatus = t.Union([t.Literal('active'), t.Literal('disabled'), t.Literal('revoked'), t.Literal('expired')])

// Typed as the services type it, whose lists are read-only.
export const KeyView = t.Unsafe<ApiKeyView>(
  t.Object(
    {
      id: t.String({ examples: ['key_4dTyWz8Qm1nBvK3c'] }),
      name: t.String(),
      prefix: t.String({ description: 'The part that may be shown.', examples: ['mac_live_4dTyWz8Qm1nBvK3c'] }),
      environment: t.Union([t.Literal('live'), t.Literal('test')]),
      organizationId: t.Nullable(t.String()),
      userId: t.Nullable(t.String()),
      permissions: t.Array(t.String()),
      ipAllowlist: t.Array(t.String()),
      rateLimit: t.Nullable(t.Object({ limit: t.Integer(), window: t.String({ examples: ['1m'] }) })),
      monthlyQuota: t.Nullable(t.Integer()),
      status: KeyStatus,
      credits: t.Nullable(
        t.Object({
          remaining: t.Integer(),
          refill: t.Optional(t.Object({ amount: t.Integer(), every: t.String({ examples: ['1d'] }) })),
        }),
        { description: 'Uses left; null when they are not limited.' },
      ),
      expiresAt: t.Nullable(t.String()),
      lastUsedAt: t.Nullable(t.String()),
      createdAt: t.String(),
      revokedAt: t.Nullable(t.String()),
      revokedReason: t.Nullable(t.String()),
      rotatedFrom: t.Nullable(t.String()),
      description: t.Nullable(t.String()),
      metadata: t.Nullable(t.Record(t.String(), t.Unknown())),
    },
    {
      description: 'An API key without its secret.',
      examples: [
        {
          id: 'key_4dTyWz8Qm1nBvK3c',
          name: 'Nightly import',
          prefix: 'mac_live_4dTyWz8Qm1nBvK3c',
          environment: 'live',
          organizationId: 'org_7Kd0aQmXz3LpVn2R',
          userId: null,
          permissions: ['users.view'],
          ipAllowlist: ['203.0.113.0/24'],
          rateLimit: { limit: 100, window: '1m' },
          monthlyQuota: 100_000,
          status: 'active',
          credits: null,
          expiresAt: '2030-04-01T00:00:00.000Z',
          lastUsedAt: null,
          createdAt: '2030-01-01T00:00:00.000Z',
          revokedAt: null,
          revokedReason: null,
          rotatedFrom: null,
          description: null,
          metadata: null,
        },
      ],
    },
  ),
)

const Credits = strict({
  remaining: Type.Integer({ minimum: 0, maximum: 1_000_000_000 }),
  refill: t.Optional(
    strict({
      amount: Type.Integer({ minimum: 1, maximum: 1_000_000_000 }),
      every: t.String({ maxLength: 32, examples: ['1d'] }),
    }),
  ),
})

const newKey = {
  name: t.String({ minLength: 1, maxLength: 255, examples: ['Nightly import'] }),
  organizationId: t.Optional(Id),
  userId: t.Optional(Id),
  permissions: t.Optional(Permissions),
  environment: t.Optional(Environment),
  expiresAt: t.Optional(Timestamp('RFC 3339; not together with `expiresInDays`.')),
  // TypeBox's own: Elysia's takes text for numbers.
  expiresInDays: t.Optional(Type.Integer({ minimum: 1, maximum: 36_525, examples: [90] })),
  ipAllowlist: t.Optional(
    t.Array(t.String({ minLength: 1, maxLength: 64 }), {
      maxItems: 100,
      description: 'Addresses and CIDR ranges it may be used from.',
      examples: [['203.0.113.0/24']],
    }),
  ),
  rateLimit: t.Optional(RateLimit),
  monthlyQuota: t.Optional(
    Type.Integer({ minimum: 1, maximum: 1_000_000_000, description: 'Requests in a calendar month (UTC).' }),
  ),
  credits: t.Optional(Credits),
  description: t.Optional(t.String({ maxLength: 1000 })),
  // Checked by the service: of what Elysia takes for a record it makes a copy, of an array one without members.
  metadata: t.Optional(
    t.Unsafe<Metadata>(t.Any({ 'x-machine-auth-type': 'object', description: 'A JSON object of at most 4 KB.' })),
  ),
}

export const CreateKey = strict(newKey, {
  examples: [{ name: 'Nightly import', permissions: [], expiresInDays: 90 }],
})

export const ImportKey = strict(
  {
    ...newKey,
    hash: t.String({ minLength: 1, maxLength: 1024, description: 'As it was stored where the key was made.' }),
    hashKind: t.String({ minLength: 1, maxLength: 32, description: 'One of `apiKeys.importKinds`.' }),
    prefix: t.Optional(
      t.String({
        minLength: 1,
        maxLength: 64,
        description: 'The part of the key that may be shown.',
        examples: ['bk_9f8'],
      }),
    ),
    createdAt: t.Optional(Timestamp('RFC 3339; now unless given.')),
  },
  {
    examples: [
      {
        name: 'Billing',
        hash: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
        hashKind: 'sha256',
        permissions: [],
      },
    ],
  },
)

const nullable = {
  description: 'Null takes it away.',
}

export const ChangeKey = strict(
  {
    name: t.Optional(newKey.name),
    description: t.Optional(t.Nullable(t.String({ maxLength: 1000 }), nullable)),
    permissions: t.Optional(Permissions),
    ipAllowlist: newKey.ipAllowlist,
    rateLimit: t.Optional(t.Nullable(RateLimit, nullable)),
    monthlyQuota: t.Optional(t.Nullable(Type.Integer({ minimum: 1, maximum: 1_000_000_000 }), nullable)),
    credits: t.Optional(t.Nullable(Credits, nullable)),
    expiresAt: t.Optional(t.Nullable(Timestamp('RFC 3339. Null takes it away.'))),
    // Checked by the service, as that of a new key.
    metadata: t.Optional(
      t.Unsafe<Metadata | null>(
        t.Any({ 'x-machine-auth-type': ['object', 'null'], description: 'A JSON object of at most 4 KB, or null.' }),
      ),
    ),
    enabled: t.Optional(Type.Boolean({ description: 'A disabled key is refused until it is enabled again.' })),
  },
  { examples: [{ name: 'Nightly export', rateLimit: { limit: 600, window: '1m' } }] },
)

export const RotateKey = t.Nullable(
  strict(
    {
      gracePeriod: t.Optional(
        t.String({
          maxLength: 32,
          description: 'How long the old key works on, `1h` unless given; `0s` revokes it at once.',
          examples: ['24h'],
        }),
      ),
    },
    { examples: [{ gracePeriod: '24h' }] },
  ),
)

export const LockDownKeys = strict(
  {
    organizationId: t.Optional(Id),
    userId: t.Optional(Id),
    createdBefore: t.Optional(Timestamp('RFC 3339: keys made before that moment.')),
    reason: t.Optional(t.String({ maxLength: 500 })),
    dryRun: t.Optional(Type.Boolean({ description: 'Counts only.' })),
  },
  { examples: [{ createdBefore: '2030-01-31T00:00:00Z', reason: 'Leaked backup', dryRun: true }] },
)

export const LockdownModel = t.Object({
  count: t.Integer({ description: 'Keys that were revoked, or would be.' }),
  dryRun: t.Boolean(),
})

export const CreatedKey = t.Object({
  key: KeyView,
  // Not in an answer that is repeated for an Idempotency-Key.
  rawKey: t.Optional(t.String({ description: 'The key. It is shown this once and stored nowhere.' })),
})

export const ListKeysQuery = strict({
  organizationId: t.Optional(Id),
  status: t.Optional(KeyStatus),
  environment: t.Optional(Environment),
  q: t.Optional(t.String({ maxLength: 255, description: 'Part of the name or description, taken literally.' })),
  ...page,
  // Without bounds here: Elysia would name no member in its refusal. The service has them.
  sort: t.Optional(t.Union([t.Literal('createdAt'), t.Literal('name'), t.Literal('lastUsedAt')])),
  order,
})

export const KeyList = t.Object({
  items: t.Unsafe<readonly ApiKeyView[]>(t.Array(KeyView)),
  nextCursor: t.Nullable(t.String()),
})

export const RevokeKey = t.Nullable(
  strict({ reason: t.Optional(t.String({ maxLength: 500 })) }, { examples: [{ reason: 'Leaked in a log' }] }),
)

export const VerifyKey = strict(
  {
    key: t.String(),
    permissions: t.Optional(Permissions),
    environment: t.Optional(Environment),
    ip: t.Optional(
      t.String({
        maxLength: 64,
        description: 'Address the key was presented from; with platform reach, wrong keys count against it.',
      }),
    ),
    consume: t.Optional(Type.Boolean({ description: 'Counts one use for its rate, quotas and credits.' })),
  },
  { examples: [{ key: 'mac_live_4dTyWz8Qm1nBvK3c', permissions: [] }] },
)

export const KeyVerification = t.Object({
  valid: t.Boolean(),
  code: t.String({ description: '`valid`, or the code the key would be refused with.' }),
  key: t.Optional(KeyView),
  remaining: t.Optional(
    t.Integer({ description: 'How many more would be let through now, by its own limit and credits; with `consume`.' }),
  ),
})
