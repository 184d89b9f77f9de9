/** What `/stats` answers. */
import { Type } from '@sinclair/typebox'
import { t } from 'elysia'
import type { UsageStats } from '../../recording/usage/views.ts'
import { strict } from './shared.ts'
import { complete, series } from './usage.ts'

export const StatsQuery = strict({})

const count = (description: string) => Type.Integer({ description })

export const Stats = t.Unsafe<UsageStats>(
  t.Object(
    {
      organizations: count('Organizations.'),
      keys: count('API keys, ended ones too.'),
      activeKeys: count(
        'API keys that are active themselves: neither revoked, expired nor exhausted. Their organizations and users are not looked at.',
      ),
      requests: count('Guarded requests ever since they are counted, refused and reported ones too.'),
      requestsLastHour: count('Of them, in the last hour.'),
      errorRate: t.Number({
        description: 'Which part of the requests of `series` was answered with status 400 and above, 0 to 1.',
      }),
      topKeys: t.Array(
        t.Object({
          id: t.String({ description: 'Id of the key.' }),
          name: t.String({ description: 'What people call it.' }),
          prefix: t.String({ description: 'The part that may be shown.' }),
          organizationId: t.Nullable(t.String({ description: 'Organization it belongs to; null for none.' })),
          requests: count('Its requests.'),
          errors: count('Of them, answered with status 400 and above.'),
        }),
        { description: 'The ten keys with most requests today and yesterday (UTC), the busiest first.' },
      ),
      series: series('The last 24 hours, the one under way included.'),
      complete,
    },
    {
      description: 'The figures of the whole installation.',
      examples: [
        {
          organizations: 2,
          keys: 12,
          activeKeys: 10,
          requests: 120_000,
          requestsLastHour: 950,
          errorRate: 0.0125,
          topKeys: [
            {
              id: 'key_4dTyWz8Qm1nBvK3c',
              name: 'Nightly import',
              prefix: 'mac_live_4dTyWz8Qm1nBvK3c',
              organizationId: null,
              requests: 800,
              errors: 10,
            },
          ],
          series: [{ start: '2030-01-01T00:00:00.000Z', total: 800, errors: 10 }],
          complete: true,
        },
      ],
    },
  ),
)
