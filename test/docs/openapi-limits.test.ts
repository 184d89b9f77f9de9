/** What the document says of limits. */
import { beforeAll, describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import type { OpenApiDocument } from '../../src/docs/openapi.ts'
import type { RateLimitInput } from '../../src/options/limit-types.ts'
import { addPeople, createTestApp } from '../support/test-app.ts'
import { createDocumented, fetchDocument, operationOf, schemaOf } from './openapi-support.ts'

const MINUTE: RateLimitInput = { limit: 5, window: '1m' }
const X = ['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset']
const IETF = ['RateLimit-Policy', 'RateLimit']

async function describeLimited(rateLimit: RateLimitInput) {
  const app = new Elysia().use(createDocumented()).get('/x', () => 'ok', { rateLimit })
  return operationOf(await fetchDocument(app), 'get', '/x')
}

const SENTENCES: readonly (readonly [rateLimit: RateLimitInput, text: string])[] = [
  [MINUTE, 'At most 5 requests in 1m for each address.'],
  [{ limit: 1, window: 3600 }, 'At most 1 request in 1h for each address.'],
  [{ limit: 5, window: '1m', by: 'apiKey' }, 'At most 5 requests in 1m for each API key, else for each address.'],
  [{ limit: 5, window: '1m', by: 'user' }, 'At most 5 requests in 1m for each user, else for each address.'],
  [
    { limit: 5, window: '1m', by: 'organization' },
    'At most 5 requests in 1m for each organization, else for each address.',
  ],
  [
    { limit: 5, window: '1m', by: ({ route }) => `${route}` },
    'At most 5 requests in 1m for each caller, as the app tells them apart.',
  ],
  [
    { limit: 5, window: '1m', scope: 'global' },
    'At most 5 requests in 1m for each address, together with the other routes of this limit.',
  ],
  [{ limit: 5, window: '1m', strategy: 'sliding-window-counter' }, 'At most about 5 requests in 1m for each address.'],
  [
    { limit: 60, window: '1m', strategy: 'token-bucket', burst: 10 },
    'On average at most 60 requests in 1m, 10 at once, for each address.',
  ],
  [{ limit: 100, window: '1d', cost: 10 }, 'At most 100 units in 1d for each address. A request costs 10 units.'],
  [
    { limit: 100, window: '1d', cost: () => 10 },
    'At most 100 units in 1d for each address. How many units a request costs depends on it.',
  ],
  [
    { limit: 5, window: '1m', lockout: '90 minutes' },
    'At most 5 requests in 1m for each address. Whoever exceeds that is locked out for 90m.',
  ],
  [
    { limit: 5, window: '1m', lockout: '00:00' },
    'At most 5 requests in 1m for each address. Whoever exceeds that is locked out until a set time of day.',
  ],
  [{ concurrent: 2, by: 'user' }, 'At most 2 requests at once for each user, else for each address.'],
  [
    [
      { limit: 2, window: '1s' },
      { limit: 100, window: '1h' },
    ],
    'At most 2 requests in 1s for each address. At most 100 requests in 1h for each address.',
  ],
]

describe('a limit', () => {
  test.each(SENTENCES)('%j is said in words', async (rateLimit, text) => {
    expect((await describeLimited(rateLimit)).description).toBe(text)
  })

  test('comes after what the guards and the route itself say', async () => {
    const app = new Elysia()
      .use(createDocumented())
      .get('/x', () => 'ok', { session: true, rateLimit: MINUTE, detail: { description: 'Mine.' } })
    expect(operationOf(await fetchDocument(app), 'get', '/x').description).toBe(
      'Mine.\n\nRequires a session.\n\nAt most 5 requests in 1m for each address.',
    )
  })

  test('of a group is said of its routes, besides their own, also before a request has been answered', async () => {
    const app = new Elysia()
      .use(createDocumented())
      .guard({ rateLimit: MINUTE }, (group) =>
        group.get('/x', () => 'ok').get('/y', () => 'ok', { rateLimit: { limit: 9, window: '1h' } }),
      )
    const document = await fetchDocument(app)
    expect(operationOf(document, 'get', '/x').description).toBe('At most 5 requests in 1m for each address.')
    expect(operationOf(document, 'get', '/y').description).toBe(
      'At most 9 requests in 1h for each address. At most 5 requests in 1m for each address.',
    )
  })

  test.each([
    ['none', {}, undefined],
    ['public', { public: true }, []],
  ] as const)('leaves a route with guard %s as open as it is', async (_, guard, security) => {
    const app = new Elysia().use(createDocumented()).get('/x', () => 'ok', { ...guard, rateLimit: MINUTE })
    const operation = operationOf(await fetchDocument(app), 'get', '/x')
    expect(operation.security).toEqual(security as never)
    expect(Object.keys(operation.responses ?? {})).toEqual(['200', '429', '503'])
  })
})

describe('the 429', () => {
  test('has the headers that an answer has, and the codes of its status', async () => {
    const operation = await describeLimited(MINUTE)
    const response = operation.responses?.[429]
    expect(Object.keys(response?.headers ?? {})).toEqual(['Retry-After', ...IETF, ...X])
    expect(schemaOf(operation, 429)).toEqual({ $ref: '#/components/schemas/Problem429' })
    expect(response?.content?.['application/problem+json']?.example).toMatchObject({ code: 'rate_limited' })
  })

  test('lists all codes, and when a quota resets', async () => {
    const app = new Elysia().use(createDocumented()).get('/x', () => 'ok', { rateLimit: MINUTE })
    const { Problem, Problem429 } = (await fetchDocument(app)).components.schemas
    expect(JSON.stringify(Problem429)).toContain('["rate_limited","quota_exceeded","locked_out"]')
    expect(Problem).toMatchObject({ properties: { resetsAt: { type: 'string', format: 'date-time' } } })
  })

  test.each([
    ['both', [...IETF, ...X]],
    ['ietf', IETF],
    ['x', X],
    [false, []],
  ] as const)('has no other headers than the option %p says', async (limitHeaders, names) => {
    const app = new Elysia().use(createDocumented({ limitHeaders })).get('/x', () => 'ok', { rateLimit: MINUTE })
    const response = operationOf(await fetchDocument(app), 'get', '/x').responses?.[429]
    expect(Object.keys(response?.headers ?? {})).toEqual(['Retry-After', ...names])
  })

  test('of requests at once has nothing but when to try again', async () => {
    const response = (await describeLimited({ concurrent: 1 })).responses?.[429]
    expect(Object.keys(response?.headers ?? {})).toEqual(['Retry-After'])
  })

  test('of a limit with a lockout is an example of that', async () => {
    const response = (await describeLimited({ limit: 5, window: '1m', lockout: '1h' })).responses?.[429]
    expect(response?.content?.['application/problem+json']?.example).toMatchObject({ code: 'locked_out' })
  })
})

describe('of our own endpoints', () => {
  let document: OpenApiDocument
  beforeAll(async () => {
    await using served = await createTestApp({ docs: { path: '/swagger' } })
    await addPeople(served)
    document = (await served.ask('/swagger/json')).json as unknown as OpenApiDocument
  })

  test.each([
    ['post', '/auth/login', 'locked_out', []],
    ['post', '/auth/sessions', 'locked_out', []],
    ['post', '/auth/token/new', 'locked_out', []],
    ['get', '/master', 'locked_out', []],
    ['get', '/auth/keys', 'rate_limited', [...IETF, ...X]],
    ['post', '/auth/blocks', 'rate_limited', [...IETF, ...X]],
    ['get', '/auth/me', 'rate_limited', [...IETF, ...X]],
    ['get', '/key', 'rate_limited', [...IETF, ...X]],
  ])('%s %s may answer 429 %s', (method, path, code, headers) => {
    const response = operationOf(document, method, path).responses?.[429]
    expect(response?.content?.['application/problem+json']?.example).toMatchObject({ status: 429, code })
    expect(Object.keys(response?.headers ?? {})).toEqual(['Retry-After', ...headers])
  })

  test.each([
    ['post', '/auth/logout'],
    ['delete', '/auth/sessions/current'],
    ['get', '/open'],
  ])('%s %s, where nothing counts, answers none', (method, path) => {
    expect(Object.keys(operationOf(document, method, path).responses ?? {})).not.toContain('429')
  })

  test('all that ask the database may answer 503, by one description', () => {
    const named = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, { responses }]) => [`${method} ${path}`, responses?.[503]] as const),
    )
    const shared = { $ref: '#/components/responses/StorageUnavailable' }
    const others: readonly string[] = named.filter(([, response]) => response?.$ref === undefined).map(([name]) => name)
    expect(named.find(([name]) => name === 'post /auth/login')?.[1]).toEqual(shared)
    expect(named.find(([name]) => name === 'get /key')?.[1]).toEqual(shared)
    const unguarded = ['get /auth/health/live', 'get /auth/health/ready', 'get /.well-known/jwks.json', 'get /open']
    expect(others).toEqual(unguarded)
    expect(document.components.responses?.StorageUnavailable?.headers?.['Retry-After']).toBeDefined()
  })

  test('blocks say what they take', () => {
    const body = operationOf(document, 'post', '/auth/blocks').requestBody?.content?.['application/json']?.schema
    expect(body).toMatchObject({
      required: ['subject', 'duration'],
      properties: {
        duration: { type: ['string', 'integer'] },
        scope: { anyOf: [{ const: 'global' }, { const: 'path' }] },
      },
    })
    expect(Object.keys(operationOf(document, 'delete', '/auth/blocks/{id}').responses ?? {})).toEqual([
      '204',
      '400',
      '401',
      '403',
      '404',
      '429',
      '503',
    ])
  })
})
