import { afterAll, describe, expect, test } from 'bun:test'
import { expectInvalidAt, expectProblem, KEY_VIEW, listAt, membersOf } from '../support/answers.ts'
import { addKey, asMaster, createTestApp } from '../support/test-app.ts'

const t = await createTestApp()
afterAll(t.close)

const revoke = (id: string, body?: unknown) =>
  t.ask(`/auth/keys/${id}/revoke`, { method: 'POST', headers: asMaster, body })
const remove = (id: string) => t.ask(`/auth/keys/${id}`, { method: 'DELETE', headers: asMaster })

describe('POST /keys/:id/revoke', () => {
  test('ends a key in use with the next request, and says why to whoever holds it', async () => {
    const key = await addKey(t)
    expect((await t.ask('/key', { headers: key.headers })).status).toBe(200)
    const answer = await revoke(key.id, { reason: 'Leaked in a log' })
    expect(answer.status).toBe(200)
    expect(membersOf(answer.json)).toEqual(KEY_VIEW)
    expect(answer.json).toMatchObject({
      id: key.id,
      status: 'revoked',
      revokedAt: new Date(t.time.now).toISOString(),
      revokedReason: 'Leaked in a log',
    })
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expectProblem(await t.ask('/key', { headers: key.headers }), 'api_key_revoked')
  })

  test.each([[undefined], [{}], [null]])('takes %p for no reason', async (body) => {
    const key = await addKey(t)
    expect((await revoke(key.id, body)).json).toMatchObject({ status: 'revoked', revokedReason: null })
  })

  test('revoking again changes nothing', async () => {
    const key = await addKey(t)
    const first = await revoke(key.id, { reason: 'first' })
    t.time.now += 1000
    expect((await revoke(key.id, { reason: 'second' })).json).toEqual(first.json)
    expect((await remove(key.id)).json).toEqual(first.json)
  })

  test.each([
    ['a number', { reason: 1 }, ['reason']],
    ['501 characters', { reason: 'x'.repeat(501) }, ['reason']],
    ['a control character', { reason: 'a\u0007' }, ['reason']],
    ['an unknown member', { reason: 'ok', at: 1 }, ['at']],
    ['a list', [], ['body']],
    ['text', 'leaked', ['body']],
  ])('%s is refused, and the key goes on', async (_, body, paths) => {
    const key = await addKey(t)
    expectInvalidAt(await revoke(key.id, body), ...paths)
    expect((await t.ask('/key', { headers: key.headers })).status).toBe(200)
  })
})

describe('DELETE /keys/:id', () => {
  test('revokes for good, and keeps the key in the list', async () => {
    const key = await addKey(t)
    const answer = await remove(key.id)
    expect(answer.status).toBe(200)
    expect(membersOf(answer.json)).toEqual(KEY_VIEW)
    expect(answer.json).toMatchObject({ id: key.id, status: 'revoked', revokedReason: null })
    expectProblem(await t.ask('/key', { headers: key.headers }), 'api_key_revoked')
    const listed = await t.ask('/auth/keys?status=revoked', { headers: asMaster })
    expect(listAt(listed.json, 'items').map(({ id }) => id)).toContain(key.id)
  })
})

describe.each([
  ['GET', ''],
  ['DELETE', ''],
  ['POST', '/revoke'],
])('%s /keys/:id%s', (method, suffix) => {
  const ask = (id: string) => t.ask(`/auth/keys/${id}${suffix}`, { method, headers: asMaster })

  test.each(['key_0000000000000000', 'key_x', 'x', '__proto__', 'constructor', 'sess_0000000000000000'])(
    'of %s there is none',
    async (id) => expectProblem(await ask(id), 'not_found'),
  )

  test.each(['%00', '%20', 'a%2Fb', 'a%0D%0Ab', '%ff', 'key_%C3%A9', 'x'.repeat(129), "x'or'1'='1", '%2525'])(
    '%s is no id',
    async (id) => expectInvalidAt(await ask(id), 'id'),
  )
})

test('GET /keys/verify is a key of that id, not the verification', async () => {
  expectProblem(await t.ask('/auth/keys/verify', { headers: asMaster }), 'not_found')
})
