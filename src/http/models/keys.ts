/** What the endpoints of API keys take. */
import { Type } from '@sinclair/typebox'
import { t } from 'elysia'
import type { Metadata } from '../../keys/metadata.ts'
import { keyStatus } from './key-views.ts'
import {
  environment,
  id,
  monthlyQuota,
  order,
  organizationId,
  page,
  permissions,
  rateLimit,
  reason,
  SORT,
  strict,
  timestamp,
  userId,
} from './shared.ts'

export const KeyId = id('Id of the key.', 'key_4dTyWz8Qm1nBvK3c')

const credits = (description: string) =>
  strict(
    {
      remaining: Type.Integer({
        minimum: 0,
        maximum: 1_000_000_000,
        description: 'Uses left, after which it is refused.',
        examples: [100],
      }),
      refill: t.Optional(
        strict(
          {
            amount: Type.Integer({
              minimum: 1,
              maximum: 1_000_000_000,
              description: 'Up to how many uses it is refilled.',
              examples: [100],
            }),
            every: t.String({ maxLength: 32, description: 'How often: a duration.', examples: ['1d'] }),
          },
          { description: 'How uses come back; not at all unless given.', examples: [{ amount: 100, every: '1d' }] },
        ),
      ),
    },
    { description, examples: [{ remaining: 100, refill: { amount: 100, every: '1d' } }] },
  )

const remark = (description: string) => t.String({ maxLength: 1000, description, examples: ['Owned by the data team'] })

const newKey = {
  name: t.String({
    minLength: 1,
    maxLength: 255,
    description: 'What people call it; need not be unique.',
    examples: ['Nightly import'],
  }),
  organizationId: t.Optional(
    organizationId('Organization it belongs to; unless given your own, else that of its user.'),
  ),
  userId: t.Optional(
    userId('User it acts for, and never may do more than; nobody unless given, or you where you reach only your own.'),
  ),
  permissions: t.Optional(
    permissions('What it may do at most; unless given `apiKeys.defaultPermissions`, as far as you may.'),
  ),
  environment: t.Optional(environment('`live` unless given. Routes for live keys refuse a test key.')),
  expiresAt: t.Optional(
    timestamp('When it ends, RFC 3339; unless given never, or when its organization demands. Or use `expiresInDays`.'),
  ),
  // TypeBox's own: Elysia's takes text for numbers.
  expiresInDays: t.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 36_525,
      description: 'In how many days it ends; not together with `expiresAt`.',
      examples: [90],
    }),
  ),
  ipAllowlist: t.Optional(
    t.Array(t.String({ minLength: 1, maxLength: 64 }), {
      maxItems: 100,
      description: 'Addresses and CIDR ranges it may be used from; anywhere when empty.',
      examples: [['203.0.113.0/24']],
    }),
  ),
  rateLimit: t.Optional(rateLimit('Its own rate; unless given its organization’s, else the usual one.')),
  monthlyQuota: t.Optional(monthlyQuota('Requests in a calendar month (UTC); no bound unless given.')),
  credits: t.Optional(credits('How many uses it has; not limited unless given.')),
  description: t.Optional(remark('A remark for people.')),
  // Checked by the service: of what Elysia takes for a record it makes a copy, of an array one without members.
  metadata: t.Optional(
    t.Unsafe<Metadata>(
      t.Any({
        'x-machine-auth-type': 'object',
        description: 'A JSON object of at most 4 KB.',
        examples: [{ team: 'data' }],
      }),
    ),
  ),
}

export const CreateKey = strict(newKey, {
  examples: [{ name: 'Nightly import', permissions: [], expiresInDays: 90 }],
})

const HASH = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'

export const ImportKey = strict(
  {
    ...newKey,
    permissions: t.Optional(permissions('What it may do at most; nothing unless given.')),
    hash: t.String({
      minLength: 1,
      maxLength: 1024,
      description: 'As it was stored where the key was made.',
      examples: [HASH],
    }),
    hashKind: t.String({
      minLength: 1,
      maxLength: 32,
      description: 'One of `apiKeys.importKinds`.',
      examples: ['sha256'],
    }),
    prefix: t.Optional(
      t.String({
        minLength: 1,
        maxLength: 64,
        description: 'The part of the key that may be shown; some kinds find it by that.',
        examples: ['bk_9f8'],
      }),
    ),
    createdAt: t.Optional(timestamp('When it was made there, RFC 3339, not in the future; now unless given.')),
  },
  { examples: [{ name: 'Billing', hash: HASH, hashKind: 'sha256', permissions: [] }] },
)

/** What null does to a member of a key. */
const nullTakesAway = (description: string) => ({ description: `${description} Null takes it away.` })

export const ChangeKey = strict(
  {
    name: t.Optional(newKey.name),
    description: t.Optional(t.Nullable(remark('A remark for people.'), nullTakesAway('A remark for people.'))),
    permissions: t.Optional(permissions('What it may do at most from now on.')),
    ipAllowlist: newKey.ipAllowlist,
    rateLimit: t.Optional(t.Nullable(rateLimit('Its own rate.'), nullTakesAway('Its own rate.'))),
    monthlyQuota: t.Optional(
      t.Nullable(monthlyQuota('Requests in a month.'), nullTakesAway('Requests in a calendar month (UTC).')),
    ),
    credits: t.Optional(t.Nullable(credits('How many uses it has.'), nullTakesAway('How many uses it has.'))),
    expiresAt: t.Optional(t.Nullable(timestamp('RFC 3339.'), nullTakesAway('When it ends, RFC 3339.'))),
    // Checked by the service, as that of a new key.
    metadata: t.Optional(
      t.Unsafe<Metadata | null>(
        t.Any({
          'x-machine-auth-type': ['object', 'null'],
          ...nullTakesAway('A JSON object of at most 4 KB.'),
          examples: [{ team: 'data' }],
        }),
      ),
    ),
    enabled: t.Optional(
      Type.Boolean({ description: 'A disabled key is refused until it is enabled again.', examples: [false] }),
    ),
  },
  { examples: [{ name: 'Nightly export', rateLimit: { limit: 600, window: '1m' } }] },
)

export const RotateKey = t.Nullable(
  strict(
    {
      gracePeriod: t.Optional(
        t.String({
          maxLength: 32,
          description:
            'How long the old key works on, at most `90d`; `0s` revokes it at once. `1h` unless given, `0s` with credits.',
          examples: ['24h'],
        }),
      ),
    },
    { examples: [{ gracePeriod: '24h' }] },
  ),
)

export const LockDownKeys = strict(
  {
    organizationId: t.Optional(organizationId('Only keys of this organization.')),
    userId: t.Optional(userId('Only keys of this user.')),
    createdBefore: t.Optional(timestamp('RFC 3339: only keys made before that moment.')),
    reason: reason('Why, kept with each key and in the audit log.', 'Leaked backup'),
    dryRun: t.Optional(Type.Boolean({ description: 'Counts only, revokes nothing.', examples: [true] })),
  },
  {
    description: 'Which keys: all conditions that are given must hold, and at least one must be given.',
    examples: [{ createdBefore: '2030-01-31T00:00:00Z', reason: 'Leaked backup', dryRun: true }],
  },
)

export const ListKeysQuery = strict({
  organizationId: t.Optional(organizationId('Only keys of this organization.')),
  status: t.Optional(keyStatus('Only keys of this status.')),
  environment: t.Optional(environment('Only keys of this environment.')),
  q: t.Optional(
    t.String({
      maxLength: 255,
      description: 'Part of the name or description, taken literally, in upper or lower case.',
      examples: ['import'],
    }),
  ),
  ...page,
  // Without bounds here: Elysia would name no member in its refusal. The service has them.
  sort: t.Optional(
    t.Union([t.Literal('createdAt'), t.Literal('name'), t.Literal('lastUsedAt')], { description: SORT }),
  ),
  order,
})

export const RevokeKey = t.Nullable(
  strict(
    { reason: reason('Why, kept with the key and in the audit log.', 'Leaked in a log') },
    { examples: [{ reason: 'Leaked in a log' }] },
  ),
)

export const VerifyKey = strict(
  {
    key: t.String({ description: 'The key as it was presented.', examples: ['mac_live_4dTyWz8Qm1nBvK3c'] }),
    permissions: t.Optional(permissions('All of them must be granted to the key.')),
    environment: t.Optional(environment('Which the key must be for; either unless given.')),
    ip: t.Optional(
      t.String({
        maxLength: 64,
        description:
          'Address the key was presented from, which one with an allow-list needs; with platform reach, wrong keys count against it.',
        examples: ['203.0.113.5'],
      }),
    ),
    consume: t.Optional(
      Type.Boolean({ description: 'Counts one use for its rate, quotas and credits.', examples: [true] }),
    ),
  },
  { examples: [{ key: 'mac_live_4dTyWz8Qm1nBvK3c', permissions: [] }] },
)
