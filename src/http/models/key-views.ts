/** What the endpoints of API keys answer. */
import { Type } from '@sinclair/typebox'
import { t } from 'elysia'
import type { ApiKeyView } from '../../authentication/views.ts'
import { moment, nextCursor, shownRateLimit } from './shared.ts'

export const keyStatus = (description: string) =>
  t.Union([t.Literal('active'), t.Literal('disabled'), t.Literal('revoked'), t.Literal('expired')], { description })

// Typed as the services type it, whose lists are read-only.
export const KeyView = t.Unsafe<ApiKeyView>(
  t.Object(
    {
      id: t.String({ description: 'Id of the key.', examples: ['key_4dTyWz8Qm1nBvK3c'] }),
      name: t.String({ description: 'What people call it; need not be unique.' }),
      prefix: t.String({ description: 'The part that may be shown.', examples: ['mac_live_4dTyWz8Qm1nBvK3c'] }),
      environment: t.Union([t.Literal('live'), t.Literal('test')], {
        description: 'Routes for live keys refuse a test key.',
      }),
      organizationId: t.Nullable(t.String({ description: 'Organization it belongs to; null for none.' })),
      userId: t.Nullable(t.String({ description: 'User it acts for, and never may do more than; null for nobody.' })),
      permissions: t.Array(t.String(), { description: 'What it may do at most: names and wildcards.' }),
      ipAllowlist: t.Array(t.String(), { description: 'Where it may be used from; anywhere when empty.' }),
      rateLimit: shownRateLimit('Its own rate; null for its organization’s, or the usual one.'),
      monthlyQuota: t.Nullable(Type.Integer({ description: 'Requests in a calendar month (UTC); null for no bound.' })),
      status: keyStatus('Only an active key is accepted.'),
      credits: t.Nullable(
        t.Object({
          remaining: Type.Integer({ description: 'Uses left.', examples: [100] }),
          refill: t.Optional(
            t.Object(
              {
                amount: Type.Integer({ description: 'Up to how many uses it is refilled.', examples: [100] }),
                every: t.String({ description: 'How often: a duration.', examples: ['1d'] }),
              },
              { description: 'How uses come back; missing when they do not.' },
            ),
          ),
        }),
        { description: 'Uses left; null when they are not limited.' },
      ),
      expiresAt: t.Nullable(moment('When it ends, RFC 3339 in UTC; null for never.')),
      lastUsedAt: t.Nullable(moment('When it was last used, RFC 3339 in UTC; null for never.')),
      createdAt: moment('When it was made, RFC 3339 in UTC.'),
      revokedAt: t.Nullable(moment('When it was revoked, RFC 3339 in UTC; null for one that is not.')),
      revokedReason: t.Nullable(t.String({ description: 'Why it was revoked; null if nobody said.' })),
      rotatedFrom: t.Nullable(t.String({ description: 'Id of the key it replaced by rotation; null for none.' })),
      description: t.Nullable(t.String({ description: 'A remark; null for none.' })),
      metadata: t.Nullable(t.Record(t.String(), t.Unknown(), { description: 'What your app keeps with it.' })),
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

export const KeyList = t.Object(
  {
    items: t.Unsafe<readonly ApiKeyView[]>(
      t.Array(KeyView, { description: 'Keys, newest first unless asked for otherwise.' }),
    ),
    nextCursor,
  },
  { description: 'A page of keys.' },
)

export const CreatedKey = t.Object(
  {
    key: KeyView,
    // Not in an answer that is repeated for an Idempotency-Key.
    rawKey: t.Optional(
      t.String({
        description: 'The key. It is shown this once and stored nowhere.',
        examples: ['mac_live_4dTyWz8Qm1nBvK3c…'],
      }),
    ),
  },
  { description: 'A new key, and this once its secret.' },
)

export const LockdownModel = t.Object(
  {
    count: Type.Integer({ description: 'Keys that were revoked, or would be.' }),
    dryRun: t.Boolean({ description: 'Whether they were only counted.' }),
  },
  { description: 'What a lockdown came to.', examples: [{ count: 12, dryRun: true }] },
)

export const KeyVerification = t.Object(
  {
    valid: t.Boolean({ description: 'Whether the key may do what was asked for.' }),
    code: t.String({ description: '`valid`, or the code the key would be refused with.', examples: ['valid'] }),
    key: t.Optional(KeyView),
    remaining: t.Optional(
      Type.Integer({
        description: 'How many more would be let through now, by its own limit and credits; with `consume`.',
      }),
    ),
  },
  { description: 'What a key is worth. `key` is there whenever its secret was right and it is within your reach.' },
)
