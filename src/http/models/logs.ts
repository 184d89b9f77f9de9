/** What `/logs` takes and answers. */
import { Type } from '@sinclair/typebox'
import { t } from 'elysia'
import type { RequestLogEntry } from '../../options/recording-types.ts'
import { id, moment, nextCursor, orderedPageQuery, organizationId, strict, userId } from './shared.ts'

const bound = (description: string) =>
  t.Optional(t.String({ maxLength: 40, description, examples: ['2030-01-01T00:00:00Z'] }))

export const ListLogsQuery = strict({
  requestId: t.Optional(id('Only the request of this `X-Request-Id`.', '0b6f2c7e-3c0e-4a52-9d0e-5f6a1f3b8c11')),
  keyId: t.Optional(id('Only requests by this API key.', 'key_7Yc1DgXf8Hq2LmVs')),
  userId: t.Optional(userId('Only requests of this user.')),
  organizationId: t.Optional(organizationId('Only requests of this organization.')),
  method: t.Optional(t.String({ maxLength: 32, description: 'Only this method, in either case.', examples: ['GET'] })),
  route: t.Optional(
    t.String({ maxLength: 2048, description: 'Only this route, by its pattern.', examples: ['/posts/:id'] }),
  ),
  // Read by the service, which tells a wrong one by its name.
  status: t.Optional(t.Integer({ description: 'Only this status, 100 to 599.', examples: [500] })),
  from: bound('Only requests answered from this moment on, RFC 3339.'),
  to: bound('Only requests answered before this moment, RFC 3339.'),
  ...orderedPageQuery('at'),
})

const MODE = 'Null in mode `metadata_only`.'
const text = (description: string) => t.Nullable(t.String({ description }))
const headers = (description: string) => t.Nullable(t.Record(t.String(), t.String(), { description }))

const RequestLogModel = t.Unsafe<RequestLogEntry>(
  t.Object(
    {
      id: t.String({ description: 'Id of the entry.' }),
      at: moment('When it was answered, RFC 3339 in UTC.'),
      latencyMs: t.Number({ description: 'How long its answer took, in milliseconds.' }),
      requestId: t.String({ description: 'Its `X-Request-Id`.' }),
      method: t.String({ description: 'Its method.' }),
      path: t.String({ description: 'Its path, without the query and without what looks like a token.' }),
      route: text('Pattern of the route that answered it; null where none was found.'),
      status: Type.Integer({ description: 'Status of the answer.' }),
      address: text('Address it came from; null where that is unknown.'),
      credential: text(
        'Kind of the credential that was accepted: `apiKey`, `jwt`, `bearer`, `session`, `master` (`api_key` and `master_key` in metrics); null where there was none, or a wrong one.',
      ),
      keyId: text('Id of the API key; null for none.'),
      userId: text('Id of the user; null for none.'),
      organizationId: text('Organization of key or user; null for none.'),
      code: text('Code of the problem it was answered with; null for none.'),
      query: text(`Its query. ${MODE}`),
      requestHeaders: headers(`Its headers. ${MODE}`),
      requestBody: text(`Its body, or in brackets why it is missing. ${MODE}`),
      responseHeaders: headers(`Headers of the answer. ${MODE}`),
      responseBody: text(`Body of the answer, or in brackets why it is missing. ${MODE}`),
    },
    {
      description: 'A request that was logged.',
      examples: [
        {
          id: 'log_9hQm2LxVbT0sWcPa',
          at: '2030-01-01T00:00:00.000Z',
          latencyMs: 1.25,
          requestId: '0b6f2c7e-3c0e-4a52-9d0e-5f6a1f3b8c11',
          method: 'GET',
          path: '/posts/42',
          route: '/posts/:id',
          status: 403,
          address: '203.0.113.5',
          credential: 'apiKey',
          keyId: 'key_7Yc1DgXf8Hq2LmVs',
          userId: null,
          organizationId: 'org_Zk3v9QpLx7Tn2RbW',
          code: 'permission_required',
          query: null,
          requestHeaders: null,
          requestBody: null,
          responseHeaders: null,
          responseBody: null,
        },
      ],
    },
  ),
)

export const RequestLogList = t.Object(
  {
    items: t.Unsafe<readonly RequestLogEntry[]>(
      t.Array(RequestLogModel, { description: 'Requests, newest first unless asked for otherwise.' }),
    ),
    nextCursor,
  },
  { description: 'A page of the request log.' },
)
