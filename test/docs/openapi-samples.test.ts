/** The samples of our own endpoints in the document: sent as they are, they work. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { JsonObject, OpenApiDocument, Operation } from '../../src/docs/openapi.ts'
import { ALICE, addPeople, asMaster, createTestApp, type TestApp } from '../support/test-app.ts'
import { operationOf } from './openapi-support.ts'

let served: TestApp
let document: OpenApiDocument
let keyId: string

beforeAll(async () => {
  served = await createTestApp({ docs: { path: '/swagger' } })
  await addPeople(served)
  keyId = (await served.core.keys.create({ name: 'to be revoked' })).key.id
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
function sampleOf(path: string): unknown {
  return (bodySchemaOf(operationOf(document, 'post', path)).examples as readonly unknown[] | undefined)?.[0]
}

const SAMPLES: readonly (readonly [path: string, sample: object, said: string])[] = [
  ['/auth/sessions', { email: ALICE, password: 'correct horse battery staple' }, '401 login_failed'],
  ['/auth/keys', { name: 'Nightly import', permissions: [], expiresInDays: 90 }, '201'],
  ['/auth/keys/{id}/revoke', { reason: 'Leaked in a log' }, '200'],
  ['/auth/keys/verify', { key: 'mac_live_4dTyWz8Qm1nBvK3c', permissions: [] }, '200'],
  ['/auth/blocks', { subject: '203.0.113.5', duration: '24h', reason: 'Scraping' }, '201'],
  ['/auth/login', { email: ALICE, password: 'correct horse battery staple' }, '401 login_failed'],
  ['/auth/refresh', { refresh_token: 'The refresh token of your pair' }, '401 token_invalid'],
  ['/auth/logout', { refresh_token: 'The refresh token of your pair' }, '204'],
  ['/auth/token/new', { client_id: 'billing', permissions: [] }, '200'],
  ['/auth/token/refresh', { refresh_token: 'The refresh token of your pair' }, '401 token_invalid'],
]

describe('the sample body of', () => {
  test.each(SAMPLES)('%s is taken as it is', async (path, sample, said) => {
    expect(sampleOf(path)).toEqual(sample)
    const answer = await served.ask(path.replace('{id}', keyId), { headers: asMaster, body: sampleOf(path) })
    expect(answer.said).toBe(said)
  })

  test('every endpoint that takes one is in the table', () => {
    const withBody = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.entries(operations).flatMap(([method, { requestBody }]) =>
        path.startsWith('/auth/') && requestBody !== undefined ? [`${method} ${path}`] : [],
      ),
    )
    expect(withBody.sort()).toEqual(SAMPLES.map(([path]) => `post ${path}`).sort())
  })

  test('a made-up member would be refused', async () => {
    const body = { ...(sampleOf('/auth/keys') as object), additionalProp1: {} }
    expect((await served.ask('/auth/keys', { headers: asMaster, body })).said).toBe('422 validation_failed')
  })
})

describe('a body', () => {
  test.each(SAMPLES)('of %s takes no further members, and says so by `false`', (path) => {
    expect(bodySchemaOf(operationOf(document, 'post', path)).additionalProperties).toBe(false)
  })

  test('says nowhere that nothing fits in a way that Swagger UI fills in', () => {
    expect(JSON.stringify(document)).not.toContain('"not":{}')
  })

  test('has metadata that is an object, and nothing of how that is written down', () => {
    const { metadata } = bodySchemaOf(operationOf(document, 'post', '/auth/keys')).properties as JsonObject
    expect(metadata).toEqual({ type: 'object', description: 'A JSON object of at most 4 KB.' })
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
