/** What the endpoints of sessions answer. */
import type { Static } from '@sinclair/typebox'
import { t } from 'elysia'

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

export const SessionList = t.Object({
  items: t.Unsafe<readonly Static<typeof SessionView>[]>(t.Array(SessionView)),
  nextCursor: t.Nullable(t.String()),
})
