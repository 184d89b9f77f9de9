import { describe, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { type ReportedUse, readReportedUse } from '../../../src/recording/usage/reported-use.ts'

const NOW = Date.UTC(2030, 0, 31)
const USE: ReportedUse = {
  id: 'req-1',
  keyId: 'key_1',
  endpoint: '/reports/:id',
  method: 'GET',
  status: 200,
  latencyMs: 12.5,
  at: '2030-01-30T12:00:00Z',
}

const read = (given: unknown) => readReportedUse(given, NOW)
const reasonOf = (given: unknown) => {
  const outcome = read(given)
  return outcome.kind === 'refused' ? outcome.reason : null
}

test('a use is read into what is counted', () => {
  const { latencyMs: _, ...same } = USE
  expect(read(USE)).toEqual({
    kind: 'use',
    use: { ...same, duration: 12_500, at: Date.UTC(2030, 0, 30, 12) },
  })
})

/** Of the shape of a key, and no key of anybody. */
const RAW = `mac_live_${'Zk3v9QpLx7Tn2RbW'}_${'Zk3v9QpLx7'.repeat(4)}`

test.each([
  ['id', RAW],
  ['id', `retry of ${RAW}`],
  ['id', RAW.replaceAll('_', '%5F')],
  ['endpoint', `/hook/${RAW}`],
  ['endpoint', `/hook/${RAW.replaceAll('_', '%5f')}`],
])('a credential in %s is refused, and not repeated: %s', (member, value) => {
  const reason = reasonOf({ ...USE, [member]: value })
  expect(reason).toStartWith(`${member} has what looks like a credential: `)
  expect(reason).not.toContain('Zk3v9QpLx7')
})

describe('it may have', () => {
  test.each<[name: string, more: Partial<ReportedUse>, read: object]>([
    ['a method in lower case', { method: 'patch' }, { method: 'PATCH' }],
    ['values of a query, which are left out', { endpoint: '/a?token=s3cret&x=/b?c=d' }, { endpoint: '/a' }],
    ['a query with a slash', { endpoint: '/x/a?b/c=s3cret' }, { endpoint: '/x/a' }],
    ['a query without a value', { endpoint: `/v1?${RAW}` }, { endpoint: '/v1' }],
    ['a query behind an optional parameter', { endpoint: `/v1/:id??${RAW}` }, { endpoint: '/v1/:id' }],
    ['a query behind what is no parameter', { endpoint: `/v1?/${RAW}` }, { endpoint: '/v1' }],
    ['a fragment', { endpoint: '/x#access_token=abc' }, { endpoint: '/x' }],
    ['an id that is a UUID', { id: '0b6f2c7e-3c0e-4a52-9d0e-5f6a1f3b8c11' }, {}],
    [
      'an optional parameter, which is no query',
      { endpoint: '/posts/:id?/:more?' },
      { endpoint: '/posts/:id?/:more?' },
    ],
    ['the longest names', { id: 'x'.repeat(128), endpoint: `/${'y'.repeat(255)}` }, { id: 'x'.repeat(128) }],
    ...[
      ...['/v1/orders/:orderId', '/2030/01', '/errors/4040', '/oauth2/s3', '/reports-by-2030/{id}', '/a/*'],
      ...['/internationalization', '/0123456789abcde', '/deadbeefdeadbeefdead', '/GET.users.v2', '/users/me/2fa'],
    ].map((endpoint): [string, Partial<ReportedUse>, object] => [endpoint, { endpoint }, { endpoint }]),
    ['another script', { id: '字', endpoint: '/söhne' }, { id: '字', endpoint: '/söhne' }],
    ['no latency to speak of', { latencyMs: 0 }, { duration: 0 }],
    ['a day of it', { latencyMs: 86_400_000 }, { duration: 86_400_000_000 }],
    ['parts of microseconds', { latencyMs: 0.0004 }, { duration: 0 }],
    ['the outermost statuses', { status: 599 }, { status: 599 }],
    ['an age of 30 days', { at: '2030-01-01T00:00:00Z' }, { at: NOW - 30 * 86_400_000 }],
    ['a clock that is five minutes ahead', { at: '2030-01-31T00:05:00Z' }, { at: NOW + 300_000 }],
    ['an offset', { at: '2030-01-31T02:00:00+02:00' }, { at: NOW }],
  ])('%s', (_, more, expected) => {
    expect(read({ ...USE, ...more })).toMatchObject({ kind: 'use', use: expected })
  })
})

const TEXT = (member: string, most: number) => `${member} must be 1 to ${most} characters without control characters.`
const PATH = 'endpoint must begin with / and be 1 to 256 characters without control characters.'
const STATUS = 'status must be a whole number from 100 to 599.'
const LATENCY = 'latencyMs must be a number from 0 to 86400000.'
const METHOD = 'method must be one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE, CONNECT.'
const MOMENT = "at must be a moment in RFC 3339, such as '2030-01-31T12:00:00Z'."

describe('it is refused for', () => {
  test.each<[name: string, given: unknown, reason: string]>([
    ...[null, undefined, 1, 'x', true, [], [USE]].map((given): [string, unknown, string] => [
      `being ${JSON.stringify(given)}`,
      given,
      'a use must be an object.',
    ]),
    ...[
      ...['/orders/12345', '/12345', '/orders/8127381/items', '/orders/12345?a=b', '/o/507f1f77bcf86cd799439011'],
      ...['/o/1B4E28BA-2fa1-11d2-883f-0016d3cca427', '/o/01ARZ3NDEKTSV4RRFFQ69G5FAV', '/o/V1StGXR8Z5jdHi6BmyT2'],
    ].map((endpoint): [string, unknown, string] => [
      `the id in ${endpoint}`,
      { ...USE, endpoint },
      "endpoint has what looks like an id: report the route's pattern, such as /orders/:id, and no path with an id.",
    ]),
    ['another member', { ...USE, organizationId: 'org_1' }, 'organizationId is no member of a use.'],
    ['a member of no name', { ...USE, [`"'<${'x'.repeat(99)}`]: 1 }, 'a member is none of a use.'],
    ['a member that objects have', { ...USE, hasOwnProperty: 1 }, 'hasOwnProperty is no member of a use.'],
    ...Object.keys(USE).map((member): [string, unknown, string] => {
      const { [member as keyof ReportedUse]: _, ...others } = USE
      return [`a missing ${member}`, others, `${member} is missing.`]
    }),
    ['an empty id', { ...USE, id: '' }, TEXT('id', 128)],
    ['a long id', { ...USE, id: 'x'.repeat(129) }, TEXT('id', 128)],
    ['a number for an id', { ...USE, id: 1 }, TEXT('id', 128)],
    ['a control in an id', { ...USE, id: 'a\0b' }, TEXT('id', 128)],
    ['half a character', { ...USE, id: '\ud800' }, TEXT('id', 128)],
    ['a list for a key', { ...USE, keyId: ['key_1'] }, TEXT('keyId', 128)],
    ['an endpoint of two lines', { ...USE, endpoint: '/a\n/b' }, PATH],
    ['a long endpoint', { ...USE, endpoint: `/${'x'.repeat(256)}` }, PATH],
    ['an empty endpoint', { ...USE, endpoint: '' }, PATH],
    ['an endpoint that is no path', { ...USE, endpoint: 'reports.list' }, PATH],
    ['a whole URL', { ...USE, endpoint: 'https://example.com/reports' }, PATH],
    ['a list for an endpoint', { ...USE, endpoint: ['/'] }, PATH],
    ['an endpoint that is a query', { ...USE, endpoint: '?a=b' }, PATH],
    ['a method of its own', { ...USE, method: 'FETCH' }, METHOD],
    ['a method that objects have', { ...USE, method: 'constructor' }, METHOD],
    ['a status below', { ...USE, status: 99 }, STATUS],
    ['a status above', { ...USE, status: 600 }, STATUS],
    ['half a status', { ...USE, status: 200.5 }, STATUS],
    ['a status in words', { ...USE, status: '200' }, STATUS],
    ['less than no time', { ...USE, latencyMs: -0.1 }, LATENCY],
    ['more than a day', { ...USE, latencyMs: 86_400_000.1 }, LATENCY],
    ['no number', { ...USE, latencyMs: Number.NaN }, LATENCY],
    ['a latency in words', { ...USE, latencyMs: '1' }, LATENCY],
    ['a day without a time', { ...USE, at: '2030-01-30' }, MOMENT],
    ['epoch milliseconds', { ...USE, at: NOW }, MOMENT],
    ['the 30th of February', { ...USE, at: '2030-02-30T00:00:00Z' }, MOMENT],
    ['more than 30 days', { ...USE, at: '2029-12-31T23:59:59.999Z' }, 'at must be of the last 30 days.'],
    ['the future', { ...USE, at: '2030-01-31T00:05:00.001Z' }, 'at must be at most 5 minutes ahead.'],
  ])('%s', (_, given, reason) => {
    expect(reasonOf(given)).toBe(reason)
  })
})

test('whatever is sent, nothing is thrown, and no value is repeated', () => {
  const marked = fc.oneof(
    fc.string({ minLength: 200 }).map((text) => `MARK${text}`),
    fc.jsonValue().map((value) => ({ MARK: value })),
    fc.constantFrom('MARK\0', -1, null, true),
  )
  const member = fc.constantFrom(...Object.keys(USE), 'x', 'MARK ')
  fc.assert(
    fc.property(member, marked, (name, value) => {
      expect(reasonOf({ ...USE, [name]: value }) ?? '').not.toContain('MARK')
    }),
  )
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(read(value).kind).toBe('refused')
    }),
  )
})
