/** What the endpoints of sessions answer. */
import type { Static } from '@sinclair/typebox'
import { t } from 'elysia'

export const SessionView = t.Object(
  {
    id: t.String(),
    userId: t.String(),
    createdAt: t.String(),
    lastSeenAt: t.String(),
    expiresAt: t.String(),
    address: t.Nullable(t.String()),
    userAgent: t.Nullable(t.String()),
    current: t.Boolean({ description: 'Whether this request came with it.' }),
  },
  {
    examples: [
      {
        id: 'sess_9hQm2LxVbT0sWcPa',
        userId: 'user_4dTyWz8Qm1nBvK3c',
        createdAt: '2030-01-01T00:00:00.000Z',
        lastSeenAt: '2030-01-01T08:30:00.000Z',
        expiresAt: '2030-01-08T00:00:00.000Z',
        address: '203.0.113.5',
        userAgent: 'Mozilla/5.0',
        current: true,
      },
    ],
  },
)

export const SessionList = t.Object({
  items: t.Unsafe<readonly Static<typeof SessionView>[]>(t.Array(SessionView)),
  nextCursor: t.Nullable(t.String()),
})
