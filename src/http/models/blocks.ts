/** What the endpoints of blocks take and answer. */
import { t } from 'elysia'
import type { BlockView } from '../../blocks/views.ts'
import { id, moment, nextCursor, orderedPageQuery, reason, strict } from './shared.ts'

export const BlockId = id('Id of the block.', 'blk_9hQm2LxVbT0sWcPa')

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
        examples: ['24h'],
      }),
    ),
    scope: t.Optional(
      t.Union([t.Literal('global'), t.Literal('path')], {
        description: '`global` blocks everywhere, `path` only at and below `path`; `global` unless given.',
        examples: ['global'],
      }),
    ),
    path: t.Optional(
      t.String({
        maxLength: 1024,
        description: 'With scope `path` only: a path or the pattern of a route. What lies below it is blocked too.',
        examples: ['/withdraw'],
      }),
    ),
    reason: reason('Why, for those who read the list of blocks.', 'Scraping'),
  },
  { examples: [{ subject: '203.0.113.5', duration: '24h', reason: 'Scraping' }] },
)

export const BlockModel = t.Unsafe<BlockView>(
  t.Object(
    {
      id: t.String({ description: 'Id of the block.' }),
      subject: t.String({ description: 'An address or range, an id, or with its kind before it: `user:42`.' }),
      kind: t.Union([t.Literal('manual'), t.Literal('abuse'), t.Literal('lockout')], {
        description:
          '`manual`: somebody’s decision; `abuse`: too many wrong credentials; `lockout`: a limit was exceeded.',
      }),
      scope: t.Union([t.Literal('global'), t.Literal('path')], {
        description: '`global`: everywhere; `path`: at and below `path` only.',
      }),
      path: t.Nullable(t.String({ description: 'With scope `path`, else null.' })),
      reason: t.Nullable(t.String({ description: 'Why; null if nobody said.' })),
      createdBy: t.String({ description: 'Id of who made it; `system` for one that was made automatically.' }),
      createdAt: moment('When it was made, RFC 3339 in UTC.'),
      expiresAt: moment('When it ends, RFC 3339 in UTC.'),
    },
    {
      description: 'A block that is in force.',
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

export const BlockList = t.Object(
  {
    items: t.Unsafe<readonly BlockView[]>(
      t.Array(BlockModel, { description: 'Blocks, newest first unless asked for otherwise.' }),
    ),
    nextCursor,
  },
  { description: 'A page of blocks that are in force.' },
)
