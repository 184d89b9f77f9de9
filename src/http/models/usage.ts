/** What the endpoints of usage take and answer. */
import { Type } from '@sinclair/typebox'
import { t } from 'elysia'
import { MOST_USES, type UsageReport } from '../../recording/usage/report.ts'
import type { ReportedUse } from '../../recording/usage/reported-use.ts'
import type { KeyUsage, UsagePoint } from '../../recording/usage/views.ts'
import { id, moment, strict, timestamp } from './shared.ts'

const bound = (description: string) =>
  t.Optional(t.String({ maxLength: 40, description, examples: ['2030-01-01T00:00:00Z'] }))

export const KeyUsageQuery = strict({
  // Read by the service, which tells a wrong one by its name.
  from: bound('From this moment on, RFC 3339; a day before `to` unless given, or 30 days by the day.'),
  to: bound('Before this moment, RFC 3339; now unless given.'),
  bucket: t.Optional(
    t.Union([t.Literal('hour'), t.Literal('day')], {
      description: 'What the series counts by: at most 31 days of hours, or 731 days. `hour` unless given.',
    }),
  ),
})

const count = (description: string) => Type.Integer({ description })

/** Points of a series in an answer. */
export const series = (description: string) =>
  t.Unsafe<readonly UsagePoint[]>(
    t.Array(
      t.Object({
        start: moment('When it begins, RFC 3339 in UTC.'),
        total: count('Requests.'),
        errors: count('Of them, answered with status 400 and above.'),
      }),
      { description },
    ),
  )

/** Whether an answer holds all that was counted. */
export const complete = t.Boolean({
  description:
    'False when what this process counted could not all be written before: then requests of late may be missing.',
})

const latency = (description: string) => t.Nullable(t.Number({ description, examples: [1.25] }), { description })

export const KeyUsageModel = t.Unsafe<KeyUsage>(
  t.Object(
    {
      keyId: t.String({ description: 'Id of the key.' }),
      bucket: t.Union([t.Literal('hour'), t.Literal('day')], { description: 'What the series counts by.' }),
      from: moment('Where the first bucket begins, RFC 3339 in UTC.'),
      to: moment('Where the last one ends.'),
      total: count('Requests, refused ones too.'),
      errors: count('Of them, answered with status 400 and above.'),
      byStatus: t.Record(t.String(), Type.Integer(), {
        description: 'Requests by the status they were answered with.',
      }),
      byEndpoint: t.Record(t.String(), Type.Integer(), {
        description:
          'Requests by method and the route’s pattern, the 200 most used; `GET (none)` are those that no route was found for.',
      }),
      latency: t.Object(
        {
          mean: latency('The mean.'),
          p50: latency('Half of the requests took no longer.'),
          p90: latency('Nine of ten took no longer.'),
          p99: latency('99 of 100 took no longer.'),
        },
        {
          description:
            'How long they took, ms; null without any. Percentiles are read off a histogram that ends at 1000 ms.',
        },
      ),
      series: series('Every bucket in order, also those without requests.'),
      complete,
    },
    {
      description: 'What the requests of one key came to.',
      examples: [
        {
          keyId: 'key_4dTyWz8Qm1nBvK3c',
          bucket: 'day',
          from: '2030-01-01T00:00:00.000Z',
          to: '2030-01-03T00:00:00.000Z',
          total: 42,
          errors: 2,
          byStatus: { '200': 40, '403': 2 },
          byEndpoint: { 'GET /posts/:id': 30, 'GET /posts': 12 },
          latency: { mean: 1.21, p50: 0.9, p90: 2.3, p99: 8.75 },
          series: [
            { start: '2030-01-01T00:00:00.000Z', total: 42, errors: 2 },
            { start: '2030-01-02T00:00:00.000Z', total: 0, errors: 0 },
          ],
          complete: true,
        },
      ],
    },
  ),
)

const USE: ReportedUse = {
  id: 'req-7f3a',
  keyId: 'key_4dTyWz8Qm1nBvK3c',
  endpoint: '/reports/:id',
  method: 'GET',
  status: 200,
  latencyMs: 12.5,
  at: '2030-01-01T00:00:00Z',
}

const Use = strict({
  id: t.String({
    description: 'Your name for it: with `keyId` it counts once. 1 to 128 characters.',
    examples: [USE.id],
  }),
  keyId: id('Id of the key, which is within your reach.', USE.keyId),
  endpoint: t.String({
    description:
      'The route’s pattern, and no path with an id; 1 to 256 characters, the first a `/`. Values of a query are left out. At most 200 of a key in a day.',
    examples: [USE.endpoint],
  }),
  method: t.String({ description: 'The HTTP method, in upper or lower case.', examples: [USE.method] }),
  status: Type.Integer({ description: 'The status it was answered with, 100 to 599.', examples: [USE.status] }),
  latencyMs: Type.Number({ description: 'How long it took, 0 to 86,400,000 ms.', examples: [USE.latencyMs] }),
  at: timestamp('When, RFC 3339: within the last 30 days, and at most 5 minutes ahead.'),
})

// Each use is checked by the service, so that a wrong one is rejected alone.
export const ReportUsage = t.Unsafe<readonly ReportedUse[]>(
  t.Any({
    'x-machine-auth-type': 'array',
    items: Use,
    minItems: 1,
    maxItems: MOST_USES,
    description: 'Uses of keys elsewhere, in at most 512 KiB.',
    examples: [[USE]],
  }),
)

export const UsageReportModel = t.Unsafe<UsageReport>(
  t.Object(
    {
      accepted: count('Uses that were counted.'),
      duplicates: count('Uses that were counted before, or are twice in the list.'),
      rejected: t.Array(
        t.Object({
          index: count('Its place in the list, from 0 on.'),
          reason: t.String({ description: 'What is wrong with it, in a sentence.' }),
        }),
        { description: 'Uses that were not counted. Sending them again as they are changes nothing.' },
      ),
    },
    {
      description: 'What a report came to.',
      examples: [{ accepted: 2, duplicates: 1, rejected: [{ index: 1, reason: 'status is missing.' }] }],
    },
  ),
)
