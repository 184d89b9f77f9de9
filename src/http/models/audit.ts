/** What `/audit` takes and answers. */
import { Type } from '@sinclair/typebox'
import { t } from 'elysia'
import type { AuditView } from '../../recording/audit/reader.ts'
import type { AuditVerification } from '../../recording/audit/report.ts'
import { id, moment, nextCursor, orderedPageQuery, organizationId, strict } from './shared.ts'

const bound = (description: string) =>
  t.Optional(t.String({ maxLength: 40, description, examples: ['2030-01-01T00:00:00Z'] }))

export const ListAuditQuery = strict({
  action: t.Optional(
    t.String({ maxLength: 128, description: 'The whole name of an action.', examples: ['key.revoked'] }),
  ),
  actor: t.Optional(
    id('Id of who did it; `system` for code and command line, `master`, `anonymous`.', 'user_4dTyWz8Qm1nBvK3c'),
  ),
  subject: t.Optional(id('Id of what it was done to.', 'key_7Yc1DgXf8Hq2LmVs')),
  organizationId: t.Optional(organizationId('Only events of this organization.')),
  // Read by the service, which tells a wrong one by its name.
  from: bound('Only events from this moment on, RFC 3339.'),
  to: bound('Only events before this moment, RFC 3339.'),
  ...orderedPageQuery('createdAt'),
})

const AuditModel = t.Unsafe<AuditView>(
  t.Object(
    {
      id: t.String({ description: 'Id of the event.' }),
      sequence: t.Nullable(
        Type.Integer({ description: 'Its place in the log; null until it has one, within a second.' }),
      ),
      at: moment('When it happened, RFC 3339 in UTC.'),
      action: t.String({ description: 'What was done.' }),
      actor: t.String({ description: 'Id of who did it; `system` for code and command line, `master`, `anonymous`.' }),
      subject: t.String({ description: 'Id of what it was done to.' }),
      organizationId: t.Nullable(
        t.String({ description: 'Whose administrators may read it; null for the platform’s alone.' }),
      ),
      address: t.Nullable(t.String({ description: 'Address the request came from; null where there was none.' })),
      requestId: t.Nullable(t.String({ description: 'The request’s `X-Request-Id`; null where there was none.' })),
      details: t.Record(t.String(), t.Unknown(), { description: 'Before and after, without secrets.' }),
    },
    {
      description: 'An event of the audit log.',
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

export const AuditList = t.Object(
  {
    items: t.Unsafe<readonly AuditView[]>(
      t.Array(AuditModel, { description: 'Events, newest first unless asked for otherwise.' }),
    ),
    nextCursor,
  },
  { description: 'A page of events.' },
)

export const VerifyAuditQuery = strict({
  // Without bounds here: Elysia would name no member in its refusal. The service has them.
  atLeast: t.Optional(
    t.Integer({ description: 'The place the log must have reached: noted from an earlier `head`.', examples: [42] }),
  ),
  unverifiable: t.Optional(
    t.Integer({ description: 'How many events of a lost secret are accepted; none by default.', examples: [0] }),
  ),
})

const mark = (description: string) =>
  t.Nullable(
    t.Object({
      sequence: Type.Integer({ description: 'Its place in the log.', examples: [42] }),
      at: moment('When it happened, RFC 3339 in UTC.'),
    }),
    { description },
  )

const Kind = t.Union(
  [
    t.Literal('changed'),
    t.Literal('missing'),
    t.Literal('inserted'),
    t.Literal('unverifiable'),
    t.Literal('head'),
    t.Literal('checkpoint'),
  ],
  { description: 'What is wrong: with an event, or with the marks `head` and `checkpoint`.' },
)

export const AuditVerificationModel = t.Unsafe<AuditVerification>(
  t.Object(
    {
      ok: t.Boolean({ description: 'Whether no problem was found.' }),
      checked: Type.Integer({ description: 'Events gone through.' }),
      unverifiable: Type.Integer({ description: 'Of them, made under a secret that is not given.' }),
      head: mark('The newest event; null when it cannot be trusted. Note its place elsewhere, for `atLeast`.'),
      checkpoint: mark('The newest of the events that were deleted for their age; null for none that can be trusted.'),
      problems: t.Array(
        t.Object({
          kind: Kind,
          sequence: t.Optional(Type.Integer({ description: 'Place of the event in the log.' })),
          id: t.Optional(t.String({ description: 'Id of the event.' })),
          detail: t.String({ description: 'The problem in a sentence.' }),
        }),
        { description: 'The first 100.' },
      ),
      problemCount: Type.Integer({ description: 'How many problems there are, those not listed too.' }),
    },
    {
      description: 'What a verification of the audit log found.',
      examples: [
        {
          ok: true,
          checked: 42,
          unverifiable: 0,
          head: { sequence: 42, at: '2030-01-01T00:00:00.000Z' },
          checkpoint: null,
          problems: [],
          problemCount: 0,
        },
      ],
    },
  ),
)
