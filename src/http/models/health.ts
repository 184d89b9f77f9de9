/** What the health endpoints answer. */
import { t } from 'elysia'

export const Liveness = t.Object(
  { status: t.Literal('live', { description: 'The process answers.' }) },
  { description: 'That the process answers.', examples: [{ status: 'live' }] },
)

const part = (description: string) =>
  t.Optional(
    t.Object(
      {
        status: t.Union([t.Literal('up'), t.Literal('degraded')], {
          description: 'Requests are answered all the same.',
        }),
      },
      { description },
    ),
  )

const components = t.Object(
  {
    database: t.Object(
      {
        status: t.Union([t.Literal('up'), t.Literal('down')], { description: '`up` when it answered in a second.' }),
        latencyMs: t.Nullable(t.Number({ description: 'How long it took to answer, ms; null when it did not.' })),
      },
      { description: 'Asked at most once in a second.' },
    ),
    usage: part('`degraded` while what requests came to cannot be written; missing where usage is not counted.'),
    requestLog: part('`degraded` while the log cannot be written; missing where none is kept.'),
    changes: part('`degraded` while it cannot be read what other processes revoke.'),
    redis: part('`degraded` while Redis is away; missing where there is none.'),
  },
  { description: 'How each part is.' },
)

const example = {
  database: { status: 'up', latencyMs: 0.214 },
  usage: { status: 'up' },
  changes: { status: 'up' },
}

export const Ready = t.Object(
  { status: t.Literal('ready', { description: 'Requests may be sent here.' }), components },
  { description: 'That requests may be sent here.', examples: [{ status: 'ready', components: example }] },
)

export const NotReady = t.Object(
  {
    status: t.Union([t.Literal('starting'), t.Literal('draining'), t.Literal('unavailable')], {
      description: '`starting` or `draining`; `unavailable` without a database, or when the start failed.',
    }),
    components,
  },
  { description: 'Why requests should go elsewhere.', examples: [{ status: 'draining', components: example }] },
)
