/** What the endpoints of sessions take and answer. */
import type { Static } from '@sinclair/typebox'
import { t } from 'elysia'
import { id, moment, nextCursor } from './shared.ts'

export const SessionId = id('Id of the session, as the list has it; not the cookie.', 'sess_9hQm2LxVbT0sWcPa')

export const SessionView = t.Object(
  {
    id: t.String({ description: 'Id of the session; it does not open it.' }),
    userId: t.String({ description: 'Whose it is.' }),
    createdAt: moment('When he logged in, RFC 3339 in UTC.'),
    lastSeenAt: moment('When it was last used, RFC 3339 in UTC.'),
    expiresAt: moment('When it ends, RFC 3339 in UTC.'),
    address: t.Nullable(t.String({ description: 'Address of the login; null if not known.' })),
    userAgent: t.Nullable(t.String({ description: 'Browser of the login, as it calls itself; null if it did not.' })),
    current: t.Boolean({ description: 'Whether this request came with it.' }),
  },
  {
    description: 'A login by cookie.',
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

export const SessionList = t.Object(
  {
    items: t.Unsafe<readonly Static<typeof SessionView>[]>(
      t.Array(SessionView, { description: 'Sessions that have not ended, newest first.' }),
    ),
    nextCursor,
  },
  { description: 'A page of sessions.' },
)
