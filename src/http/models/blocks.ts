/** What the endpoints of blocks take and answer. */
import { t } from 'elysia'
import type { BlockView } from '../../blocks/views.ts'
import { orderedPageQuery, strict } from './shared.ts'

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

export const ListBlocksQuery = strict(orderedPageQuery('createdAt'))

export const BlockList = t.Object({
  items: t.Unsafe<readonly BlockView[]>(t.Array(BlockModel)),
  nextCursor: t.Nullable(t.String()),
})
