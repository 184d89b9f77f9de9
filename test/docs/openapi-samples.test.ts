/** The samples of our own endpoints in the document: sent as they are, they work. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { isObject, type JsonObject, type OpenApiDocument, type Operation } from '../../src/docs/openapi.ts'
import { sha256 } from '../../src/index.ts'
import { ALICE, addPeople, asMaster, createTestApp, type TestApp } from '../support/test-app.ts'
import { operationOf } from './openapi-support.ts'

let served: TestApp
let document: OpenApiDocument
/** What stands for the ids and names in paths. */
let ids: Readonly<Record<string, string>>

beforeAll(async () => {
  served = await createTestApp({ docs: { path: '/swagger' }, apiKeys: { importKinds: [sha256()] } })
  const { bob } = await addPeople(served)
  const { core } = served
  const named = async (name: string) => (await core.keys.create({ name })).key.id
  ids = {
    '/auth/keys/{id}': await named('to be changed'),
    '/auth/keys/{id}/rotate': await named('to be rotated'),
    '/auth/keys/{id}/revoke': await named('to be revoked'),
    '/auth/organizations/{id}': (await core.organizations.create({ name: 'Beta' })).id,
    '/auth/users/{id}': bob.id,
  }
  document = (await served.ask('/swagger/json')).json as unknown as OpenApiDocument
})

afterAll(() => served.close())

/** The schema of the body, without the null of one that may be absent. */
function bodySchemaOf(operation: Operation): JsonObject {
  const schema = operation.requestBody?.content?.['application/json']?.schema as JsonObject | undefined
  const variants = schema?.anyOf as readonly JsonObject[] | undefined
  return variants?.[0] ?? schema ?? {}
}

/** What Swagger UI shows: the first example of the whole object. */
function sampleOf(method: string, path: string): unknown {
  return (bodySchemaOf(operationOf(document, method, path)).examples as readonly unknown[] | undefined)?.[0]
}

const HASH = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'

const USE = {
  id: 'req-7f3a',
  keyId: 'key_4dTyWz8Qm1nBvK3c',
  endpoint: '/reports/:id',
  method: 'GET',
  status: 200,
  latencyMs: 12.5,
  at: '2030-01-01T00:00:00Z',
}

const SAMPLES: readonly (readonly [method: string, path: string, sample: object, said: string])[] = [
  ['post', '/auth/sessions', { email: ALICE, password: 'correct horse battery staple' }, '401 login_failed'],
  ['post', '/auth/keys', { name: 'Nightly import', permissions: [], expiresInDays: 90 }, '201'],
  ['post', '/auth/keys/{id}/revoke', { reason: 'Leaked in a log' }, '200'],
  ['post', '/auth/keys/verify', { key: 'mac_live_4dTyWz8Qm1nBvK3c', permissions: [] }, '200'],
  ['post', '/auth/keys/batch/usage', [USE], '202'],
  ['patch', '/auth/keys/{id}', { name: 'Nightly export', rateLimit: { limit: 600, window: '1m' } }, '200'],
  ['post', '/auth/keys/{id}/rotate', { gracePeriod: '24h' }, '201'],
  ['post', '/auth/keys/import', { name: 'Billing', hash: HASH, hashKind: 'sha256', permissions: [] }, '201'],
  [
    'post',
    '/auth/keys/lockdown',
    { createdBefore: '2030-01-31T00:00:00Z', reason: 'Leaked backup', dryRun: true },
    '200',
  ],
  ['post', '/auth/organizations', { name: 'Acme', maxKeyLifetime: '90d' }, '201'],
  ['patch', '/auth/organizations/{id}', { status: 'suspended' }, '200'],
  [
    'post',
    '/auth/users',
    { email: ALICE, password: 'correct horse battery staple', roles: [] },
    // She is one of the people of the test.
    '409 conflict',
  ],
  ['patch', '/auth/users/{id}', { status: 'disabled' }, '200'],
  ['put', '/auth/roles/{name}', { permissions: [] }, '200'],
  ['post', '/auth/permissions/sync', { dryRun: true }, '200'],
  ['post', '/auth/blocks', { subject: '203.0.113.5', duration: '24h', reason: 'Scraping' }, '201'],
  ['post', '/auth/login', { email: ALICE, password: 'correct horse battery staple' }, '401 login_failed'],
  ['post', '/auth/refresh', { refresh_token: 'The refresh token of your pair' }, '401 token_invalid'],
  ['post', '/auth/logout', { refresh_token: 'The refresh token of your pair' }, '204'],
  ['post', '/auth/token/new', { client_id: 'billing', permissions: [] }, '200'],
  ['post', '/auth/token/refresh', { refresh_token: 'The refresh token of your pair' }, '401 token_invalid'],
]

describe('the sample body of', () => {
  test.each(SAMPLES)('%s %s is taken as it is', async (method, path, sample, said) => {
    expect(sampleOf(method, path)).toEqual(sample)
    const place = path.replace('{id}', ids[path] ?? 'none').replace('{name}', 'editor')
    const body = sampleOf(method, path)
    const answer = await served.ask(place, { method: method.toUpperCase(), headers: asMaster, body })
    expect(answer.said).toBe(said)
  })

  test('every endpoint that takes one is in the table', () => {
    const withBody = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.entries(operations).flatMap(([method, { requestBody }]) =>
        path.startsWith('/auth/') && requestBody !== undefined ? [`${method} ${path}`] : [],
      ),
    )
    expect(withBody.sort()).toEqual(SAMPLES.map(([method, path]) => `${method} ${path}`).sort())
  })

  test('a made-up member would be refused', async () => {
    const body = { ...(sampleOf('post', '/auth/keys') as object), additionalProp1: {} }
    expect((await served.ask('/auth/keys', { headers: asMaster, body })).said).toBe('422 validation_failed')
  })
})

describe('a body', () => {
  test.each(SAMPLES)('of %s %s takes no further members, and says so by `false`', (method, path) => {
    const schema = bodySchemaOf(operationOf(document, method, path))
    const { additionalProperties } = isObject(schema.items) ? schema.items : schema
    expect(additionalProperties).toBe(false)
  })

  test('says nowhere that nothing fits in a way that Swagger UI fills in', () => {
    expect(JSON.stringify(document)).not.toContain('"not":{}')
  })

  test('has metadata that is an object, and nothing of how that is written down', () => {
    const { metadata } = bodySchemaOf(operationOf(document, 'post', '/auth/keys')).properties as JsonObject
    const said = { description: 'A JSON object of at most 4 KB.', examples: [{ team: 'data' }] }
    expect(metadata).toEqual({ type: 'object', ...said })
  })
})

describe('the example of a 403', () => {
  test.each([
    ['post', '/auth/login', 'csrf_rejected'],
    ['post', '/auth/sessions', 'csrf_rejected'],
    ['post', '/auth/keys', 'permission_required'],
    ['get', '/auth/keys', 'permission_required'],
    ['get', '/auth/keys/{id}', 'permission_required'],
    ['post', '/auth/keys/verify', 'permission_required'],
    ['patch', '/auth/keys/{id}', 'permission_required'],
    ['post', '/auth/organizations', 'permission_required'],
    ['patch', '/auth/users/{id}', 'permission_required'],
    ['get', '/auth/roles', 'permission_required'],
    ['post', '/auth/permissions/sync', 'permission_required'],
    ['get', '/auth/audit', 'permission_required'],
    ['post', '/auth/token/new', 'ip_not_allowed'],
    ['get', '/auth/sessions', 'user_required'],
    ['get', '/auth/me', 'organization_suspended'],
    ['get', '/admin', 'role_required'],
    ['get', '/posts', 'permission_required'],
    ['get', '/live', 'environment_mismatch'],
  ])('%s %s is %p', (method, path, code) => {
    const { responses } = operationOf(document, method, path)
    expect(responses?.[403]?.content?.['application/problem+json']?.example).toMatchObject({ status: 403, code })
  })
})
