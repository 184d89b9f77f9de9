/** What `/audit` takes and answers. */
import { t } from 'elysia'
import type { AuditView } from '../../recording/reader.ts'
import type { AuditVerification } from '../../recording/report.ts'
import { Id, orderedPageQuery, strict } from './shared.ts'

const moment = (description: string) =>
  t.Optional(t.String({ maxLength: 40, description, examples: ['2030-01-01T00:00:00Z'] }))

export const ListAuditQuery = strict({
  action: t.Optional(t.String({ maxLength: 128, examples: ['key.revoked'] })),
  actor: t.Optional(Id),
  subject: t.Optional(Id),
  organizationId: t.Optional(Id),
  // Read by the service, which tells a wrong one by its name.
  from: moment('RFC 3339, inclusive.'),
  to: moment('RFC 3339, exclusive.'),
  ...orderedPageQuery('createdAt'),
})

const AuditModel = t.Unsafe<AuditView>(
  t.Object(
    {
      id: t.String(),
      sequence: t.Nullable(t.Integer({ description: 'Its place in the log; null until it has one, within a second.' })),
      at: t.String(),
      action: t.String(),
      actor: t.String({ description: 'Id of who did it; `system` for code and command line, `master`, `anonymous`.' }),
      subject: t.String({ description: 'Id of what it was done to.' }),
      organizationId: t.Nullable(t.String({ description: 'Whose administrators may read it.' })),
      address: t.Nullable(t.String()),
      requestId: t.Nullable(t.String()),
      details: t.Record(t.String(), t.Unknown(), { description: 'Before and after, without secrets.' }),
    },
    {
      examples: [
        {
          id: 'evt_9hQm2LxVbT0sWcPa',
          sequence: 42,
          at: '2030-01-01T00:00:00.000Z',
          action: 'key.revoked',
          actor: 'user_4dTyWz8Qm1nBvK3c',
          subject: 'key_7Yc1DgXf8Hq2LmVs',
          organizationId: 'org_Zk3v9QpLx7Tn2RbW',
          address: '203.0.113.5',
          requestId: '0b6f2c7e-3c0e-4a52-9d0e-5f6a1f3b8c11',
          details: { reason: 'Leaked in a log' },
        },
      ],
    },
  ),
)

export const AuditList = t.Object({
  items: t.Unsafe<readonly AuditView[]>(t.Array(AuditModel)),
  nextCursor: t.Nullable(t.String()),
})

export const VerifyAuditQuery = strict({
  // Without bounds here: Elysia would name no member in its refusal. The service has them.
  atLeast: t.Optional(
    t.Integer({ description: 'The place the log must have reached: noted from an earlier `head`.', examples: [42] }),
  ),
  unverifiable: t.Optional(
    t.Integer({ description: 'How many events of a lost secret are accepted; none by default.', examples: [0] }),
  ),
})

const Mark = t.Nullable(t.Object({ sequence: t.Integer(), at: t.String() }))

const Kind = t.Union([
  t.Literal('changed'),
  t.Literal('missing'),
  t.Literal('inserted'),
  t.Literal('unverifiable'),
  t.Literal('head'),
  t.Literal('checkpoint'),
])

export const AuditVerificationModel = t.Unsafe<AuditVerification>(
  t.Object({
    ok: t.Boolean({ description: 'Whether no problem was found.' }),
    checked: t.Integer({ description: 'Events gone through.' }),
    unverifiable: t.Integer({ description: 'Of them, made under a secret that is not given.' }),
    head: Mark,
    checkpoint: Mark,
    problems: t.Array(
      t.Object({
        kind: Kind,
        sequence: t.Optional(t.Integer()),
        id: t.Optional(t.String()),
        detail: t.String(),
      }),
      { description: 'The first 100.' },
    ),
    problemCount: t.Integer(),
  }),
)
