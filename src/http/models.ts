/** What our endpoints take and answer. Unknown members are refused: `additionalProperties: false` alone drops them. */
import { type TObject, type TProperties, Type } from '@sinclair/typebox'
import { t } from 'elysia'
import type { ApiKeyView } from '../authentication/views.ts'
import type { BlockView } from '../blocks/views.ts'
import type { Metadata } from '../keys/metadata.ts'

/** An object that may have these members and no others. */
export function strict<T extends TProperties>(
  properties: T,
  options: { readonly description?: string; readonly examples?: readonly object[] } = {},
) {
  // Typed as a plain object: `Never` for further members is a matter of validation only.
  return t.Object(properties, { ...options, additionalProperties: t.Never() }) as TObject<T>
}

const Timestamp = (description: string) => t.String({ format: 'date-time', description })

export const Id = t.String({ minLength: 1, maxLength: 128, pattern: '^[A-Za-z0-9_.:-]+$' })

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
    { description: 'An API key without its secret.' },
  ),
)

export const Environment = t.Union([t.Literal('live'), t.Literal('test')], {
  description: 'A test key is refused by routes for live keys.',
})

export const Permissions = t.Array(t.String({ minLength: 1, maxLength: 128 }), {
  maxItems: 200,
  description: 'Names of declared permissions, or wildcards such as `users.*`.',
  examples: [['users.view']],
})

const RateLimit = strict(
  {
    limit: Type.Integer({ minimum: 1, maximum: 1_000_000_000 }),
    window: t.String({ maxLength: 32, description: 'A duration.', examples: ['1m'] }),
  },
  { examples: [{ limit: 60, window: '1m' }] },
)

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
  credits: t.Optional(
    strict({
      remaining: Type.Integer({ minimum: 0, maximum: 1_000_000_000 }),
      refill: t.Optional(
        strict({
          amount: Type.Integer({ minimum: 1, maximum: 1_000_000_000 }),
          every: t.String({ maxLength: 32, examples: ['1d'] }),
        }),
      ),
    }),
  ),
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

export const CreatedKey = t.Object({
  key: KeyView,
  // Not in an answer that is repeated for an Idempotency-Key.
  rawKey: t.Optional(t.String({ description: 'The key. It is shown this once and stored nowhere.' })),
})

const page = {
  cursor: t.Optional(t.String()),
  limit: t.Optional(t.Integer({ description: '1 to 100; 50 unless given.' })),
}

export const PageQuery = strict(page)

export const ListKeysQuery = strict({
  organizationId: t.Optional(Id),
  status: t.Optional(KeyStatus),
  environment: t.Optional(Environment),
  q: t.Optional(t.String({ maxLength: 255, description: 'Part of the name or description, taken literally.' })),
  ...page,
  // Without bounds here: Elysia would name no member in its refusal. The service has them.
  sort: t.Optional(t.Union([t.Literal('createdAt'), t.Literal('name'), t.Literal('lastUsedAt')])),
  order: t.Optional(t.Union([t.Literal('asc'), t.Literal('desc')])),
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
      t.String({ maxLength: 64, description: 'Address the key was presented from; wrong keys count against it.' }),
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

export const CreateBlock = strict(
  {
    subject: t.String({
      minLength: 1,
      maxLength: 256,
      description: 'An address or range; the id of a key, user or organization; or `user:42`, `custom:…`.',
      examples: ['203.0.113.5'],
    }),
    // Checked by the service, which takes text and numbers.
    duration: t.Unsafe<string | number>(
      t.Any({
        'x-machine-auth-type': ['string', 'integer'],
        description: 'A duration (`24h`, seconds), or a time of day in UTC at which it ends (`16:00`, `4:00 PM`).',
      }),
    ),
    scope: t.Optional(t.Union([t.Literal('global'), t.Literal('path')])),
    path: t.Optional(
      t.String({ maxLength: 1024, description: 'With scope `path`: what lies below it is blocked too.' }),
    ),
    reason: t.Optional(t.String({ maxLength: 500 })),
  },
  { examples: [{ subject: '203.0.113.5', duration: '24h', reason: 'Scraping' }] },
)

export const BlockModel = t.Unsafe<BlockView>(
  t.Object(
    {
      id: t.String(),
      subject: t.String({ description: 'An address or range, an id, or with its kind before it: `user:42`.' }),
      kind: t.Union([t.Literal('manual'), t.Literal('abuse'), t.Literal('lockout')]),
      scope: t.Union([t.Literal('global'), t.Literal('path')]),
      path: t.Nullable(t.String()),
      reason: t.Nullable(t.String()),
      createdBy: t.String(),
      createdAt: t.String(),
      expiresAt: t.String(),
    },
    {
      examples: [
        {
          id: 'blk_9hQm2LxVbT0sWcPa',
          subject: '203.0.113.5',
          kind: 'manual',
          scope: 'global',
          path: null,
          reason: 'Scraping',
          createdBy: 'user_4dTyWz8Qm1nBvK3c',
          createdAt: '2030-01-01T00:00:00.000Z',
          expiresAt: '2030-01-02T00:00:00.000Z',
        },
      ],
    },
  ),
)

export const BlockList = t.Object({
  items: t.Unsafe<readonly BlockView[]>(t.Array(BlockModel)),
  nextCursor: t.Nullable(t.String()),
})

/** Bytes are checked again before hashing; this only keeps novels out. */
const Password = t.String({ minLength: 1, maxLength: 1024 })

export const Login = strict(
  {
    email: t.String({ minLength: 1, maxLength: 320 }),
    password: Password,
  },
  { examples: [{ email: 'alice@example.com', password: 'correct horse battery staple' }] },
)

/** Of any length: whatever is not one of ours gets the same 401. */
export const RefreshBody = strict(
  { refresh_token: t.String() },
  { examples: [{ refresh_token: 'The refresh token of your pair' }] },
)

export const NewClientToken = t.Nullable(
  strict(
    { client_id: t.Optional(t.String({ minLength: 1, maxLength: 128 })), permissions: t.Optional(Permissions) },
    { examples: [{ client_id: 'billing', permissions: [] }] },
  ),
)

export const TokenResponse = t.Object(
  {
    access_token: t.String(),
    refresh_token: t.String(),
    token_type: t.Literal('Bearer'),
    expires_in: t.Integer({ description: 'Seconds.' }),
    client_id: t.Optional(t.String()),
  },
  { description: 'RFC 6749 section 5.1.' },
)

export const SessionView = t.Object({
  id: t.String({ examples: ['sess_9hQm2LxVbT0sWcPa'] }),
  userId: t.String(),
  createdAt: t.String(),
  lastSeenAt: t.String(),
  expiresAt: t.String(),
  address: t.Nullable(t.String()),
  userAgent: t.Nullable(t.String()),
  current: t.Boolean({ description: 'Whether this request came with it.' }),
})

export const SessionList = t.Object({ items: t.Array(SessionView), nextCursor: t.Nullable(t.String()) })

export const Me = t.Object({
  principal: t.Object({
    kind: t.String({ examples: ['apiKey'] }),
    id: t.String(),
    organizationId: t.Nullable(t.String()),
  }),
  user: t.Optional(
    t.Object({
      id: t.String(),
      email: t.String(),
      roles: t.Array(t.String()),
      permissions: t.Array(t.String()),
      organizationId: t.Nullable(t.String()),
    }),
  ),
  apiKey: t.Optional(KeyView),
  permissions: t.Array(t.String()),
})
