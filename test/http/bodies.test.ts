/** What the endpoints make of bodies that are none of theirs. */
import { afterAll, describe, expect, test } from 'bun:test'
import { sendRaw } from '../guards/support.ts'
import { expectInvalidAt, expectProblem } from '../support/answers.ts'
import { ALICE, addPeople, asMaster, createTestApp, PASSWORD } from '../support/test-app.ts'

const t = await createTestApp()
await addPeople(t)
const { key } = await t.core.keys.create({ name: 'x' })
afterAll(t.close)

/** Each with a body that it takes. */
const ENDPOINTS = [
  { path: '/auth/login', body: { email: ALICE, password: PASSWORD }, status: 200 },
  { path: '/auth/sessions', body: { email: ALICE, password: PASSWORD }, status: 201 },
  { path: '/auth/refresh', body: { refresh_token: 'x' }, status: 401 },
  { path: '/auth/logout', body: { refresh_token: 'x' }, status: 204 },
  { path: '/auth/token/new', body: { client_id: 'x' }, status: 200 },
  { path: '/auth/token/refresh', body: { refresh_token: 'x' }, status: 401 },
  { path: '/auth/keys', body: { name: 'x' }, status: 201 },
  { path: '/auth/keys/verify', body: { key: 'x' }, status: 200 },
  { path: `/auth/keys/${key.id}/revoke`, body: { reason: 'x' }, status: 200 },
]
const LIMIT = 64 * 1024

describe.each(ENDPOINTS)('POST $path', ({ path, body, status }) => {
  const send = (raw: string | Uint8Array | ReadableStream<Uint8Array>, type = 'application/json') =>
    t.ask(path, { method: 'POST', raw, headers: { ...asMaster, 'content-type': type } })
  const text = JSON.stringify(body)

  test('takes JSON in its spellings', async () => {
    for (const type of ['application/json; charset=utf-8', 'APPLICATION/JSON', 'application/x+json']) {
      expect((await send(` \r\n\t${text} `, type)).status).toBe(status)
    }
  })

  test.each(['{', '{"a":1', "{'a':1}", '{"a":1,}', 'undefined', '{"a":NaN}', '\u0000', '{}{}', '<x/>', '{"a":"\n"}'])(
    '%j is malformed',
    async (raw) => expectProblem(await send(raw), 'request_malformed'),
  )

  test.each(['[]', '[{}]', '"x"', '1', 'true'])('%s is no object', async (raw) => {
    expectInvalidAt(await send(raw), 'body')
  })

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonx',
    'text/json',
    'x',
  ])('the content type %s is refused, whatever is inside', async (type) =>
    expectInvalidAt(await send(text, type), 'content-type'),
  )

  test.each(['__proto__', 'constructor', 'prototype'])('a member named %s is refused, however deep', async (name) => {
    for (const raw of [
      `{"${name}":{}}`,
      `{"metadata":{"a":[{"${name}":1}]}}`,
      text.replace('{', `{"${name}":{"admin":true},`),
    ]) {
      expectInvalidAt(await send(raw), 'body')
    }
    expect(Object.hasOwn(Object.prototype, 'admin')).toBe(false)
  })

  test('is too large above 64 KiB, said or unsaid', async () => {
    expectProblem(await send(`"${'x'.repeat(LIMIT)}"`), 'body_too_large')
    const chunk = new Uint8Array(16 * 1024).fill(32)
    const endless = new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(chunk) })
    expectProblem(await send(endless), 'body_too_large')
    expect((await send(text.padEnd(LIMIT, ' '))).status).toBe(status)
  })

  test('is refused by its announced length, before it comes', async () => {
    const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nX-Admin-Key: ${asMaster['x-admin-key']}\r\n`
    const answer = await sendRaw(
      t.origin,
      `${head}Content-Type: application/json\r\nContent-Length: 100000000\r\n\r\n{`,
    )
    expect(answer?.status).toBe(413)
  })
})

test('the last of two members of one name counts, as everywhere in JavaScript', async () => {
  const raw = `{"email":"nobody@example.com","email":"${ALICE}","password":"${PASSWORD}"}`
  expect((await t.ask('/auth/login', { raw })).status).toBe(200)
})

test('what is refused after the credential was accepted is cached for nobody else', async () => {
  const bodies = { '{': 400, '[]': 422, '{"nothing":1}': 422, [`"${'x'.repeat(LIMIT)}"`]: 413 }
  for (const [raw, status] of Object.entries(bodies)) {
    const ask = (path: string) =>
      t.ask(path, { method: 'POST', raw, headers: { ...asMaster, 'content-type': 'application/json' } })
    const managed = await ask('/auth/keys')
    expect([raw.slice(0, 20), managed.status, managed.headers.get('vary')]).toEqual([
      raw.slice(0, 20),
      status,
      'Authorization, Cookie, X-API-Key',
    ])
    // Where no credential is asked for, none changes the answer.
    const open = await ask('/auth/logout')
    expect([open.status, open.headers.get('vary')]).toEqual([status, null])
  }
})
