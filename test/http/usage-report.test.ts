/** `POST /keys/batch/usage`: what services report that are not Elysia apps. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { sendRaw } from '../guards/support.ts'
import { expectInvalidAt, expectProblem, listAt } from '../support/answers.ts'
import { createDatabaseDirectory, removeDirectory } from '../support/directories.ts'
import { addKey, addTokens, asMaster, createTestApp, type Json, type TestApp } from '../support/test-app.ts'

const PATH = '/auth/keys/batch/usage'
const LIMIT = 512 * 1024
const AT = '2030-01-01T00:00:00Z'
type Headers = Readonly<Record<string, string>>

let t: TestApp
let keyId: string
beforeAll(async () => {
  t = await createTestApp()
  keyId = (await addKey(t)).id
})
afterAll(() => t.close())

let made = 0
function useOf(more: Json = {}): Json {
  made += 1
  return { id: `use-${made}`, keyId, endpoint: '/a', method: 'GET', status: 200, latencyMs: 1.5, at: AT, ...more }
}
const report = (body: unknown, headers: Headers = asMaster) => t.ask(PATH, { headers, body })
const send = (raw: string | ReadableStream<Uint8Array>, type = 'application/json') =>
  t.ask(PATH, { method: 'POST', raw, headers: { ...asMaster, 'content-type': type } })
const totalOf = async (id: string) => (await t.core.usage.ofKey(id)).total
const REJECTED = 'keyId names no key.'

describe('a report', () => {
  test('is accepted, and seen at once', async () => {
    const { id } = await addKey(t)
    const uses = [useOf({ keyId: id }), useOf({ keyId: id, status: 503, method: 'post', endpoint: '/b?token=x' })]
    const answer = await report(uses)
    expect([answer.status, answer.json]).toEqual([202, { accepted: 2, duplicates: 0, rejected: [] }])
    expect(answer.headers.get('cache-control')).toBe('no-store')
    const usage = await t.ask(`/auth/keys/${id}/usage`, { headers: asMaster })
    expect(usage.json).toMatchObject({ total: 2, errors: 1, byEndpoint: { 'GET /a': 1, 'POST /b': 1 } })
    expect((await t.ask(`/auth/keys/${id}`, { headers: asMaster })).json.lastUsedAt).toBe('2030-01-01T00:00:00.000Z')
  })

  test('that is sent again counts nothing anew', async () => {
    const { id } = await addKey(t)
    const uses = [useOf({ keyId: id }), useOf({ keyId: id })]
    await report(uses)
    expect((await report([...uses, useOf({ keyId: id })])).json).toEqual({ accepted: 1, duplicates: 2, rejected: [] })
    expect(await totalOf(id)).toBe(3)
  })

  test('that is sent twenty times at once is counted once', async () => {
    const { id } = await addKey(t)
    const uses = Array.from({ length: 50 }, () => useOf({ keyId: id }))
    const answers = await Promise.all(Array.from({ length: 20 }, () => report(uses)))
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(202))
    const counts = answers.map(({ json }) => [Number(json.accepted), Number(json.duplicates)])
    expect(counts.map(([accepted = 0, duplicates = 0]) => accepted + duplicates)).toEqual(Array(20).fill(50))
    expect(counts.reduce((sum, [accepted = 0]) => sum + accepted, 0)).toBe(50)
    expect(await totalOf(id)).toBe(50)
  })

  test('rejects each wrong use alone, by the name of its member, without its value', async () => {
    const { id } = await addKey(t)
    const answer = await report([
      useOf({ keyId: id }),
      { ...useOf({ keyId: id }), status: 'S3CRET' },
      'S3CRET',
      useOf({ keyId: id, actor: 'S3CRET' }),
      { ...useOf({ keyId: id }), at: 'S3CRET' },
      useOf({ keyId: 'S3CRET' }),
      useOf({ keyId: id }),
    ])
    expect(answer.json).toEqual({
      accepted: 2,
      duplicates: 0,
      rejected: [
        { index: 1, reason: 'status must be a whole number from 100 to 599.' },
        { index: 2, reason: 'a use must be an object.' },
        { index: 3, reason: 'actor is no member of a use.' },
        { index: 4, reason: "at must be a moment in RFC 3339, such as '2030-01-31T12:00:00Z'." },
        { index: 5, reason: REJECTED },
      ],
    })
    expect(answer.text).not.toContain('S3CRET')
    expect(await totalOf(id)).toBe(2)
  })

  test('of nothing but wrong uses counts nothing', async () => {
    expect((await report([{}])).json).toEqual({
      ...{ accepted: 0, duplicates: 0, rejected: [{ index: 0, reason: 'id is missing.' }] },
    })
  })

  test('takes 1,000 uses of half a kilobyte', async () => {
    const { id } = await addKey(t)
    const uses = Array.from({ length: 1000 }, () => useOf({ keyId: id }))
    const text = JSON.stringify(uses.map((use) => ({ ...use, endpoint: `/${'x'.repeat(200)}` })))
    const answer = await send(text.padEnd(LIMIT, ' '))
    expect(answer.json).toEqual({ accepted: 1000, duplicates: 0, rejected: [] })
    expect(await totalOf(id)).toBe(1000)
  })
})

describe('others’ keys', () => {
  test('are rejected like keys that are not there, and it is written down once', async () => {
    const [acme, other] = [
      await t.core.organizations.create({ name: 'A' }),
      await t.core.organizations.create({ name: 'B' }),
    ]
    const keeper = await t.core.users.create({ email: 'k@example.com', roles: ['keeper'], organizationId: acme.id })
    const own = await addKey(t, { organizationId: acme.id })
    const theirs = [await addKey(t, { organizationId: other.id }), await addKey(t)]
    const uses = [...theirs, { id: 'key_none' }, own].map(({ id }) => useOf({ keyId: id }))
    const answer = await report(uses, (await addTokens(t, keeper.id)).headers)
    const rejected = [0, 1, 2].map((index) => ({ index, reason: REJECTED }))
    expect(answer.json).toEqual({ accepted: 1, duplicates: 0, rejected })
    const { items } = await t.core.audit.list({ action: 'cross_tenant_attempt', actor: keeper.id })
    expect(items).toMatchObject([{ subject: theirs[0]?.id, organizationId: acme.id, address: '127.0.0.1' }])
    for (const { id } of theirs) {
      expect([await totalOf(id), (await t.core.keys.find(id)).lastUsedAt]).toEqual([0, null])
    }
  })

  test('a name that another organization used for a use of its key is free', async () => {
    const { id } = await addKey(t)
    const use = useOf()
    await report([use])
    expect((await report([{ ...use, keyId: id }])).json).toMatchObject({ accepted: 1 })
  })

  test('who may only see usage reports none', async () => {
    const viewer = await addKey(t, { permissions: ['machine_auth.usage.view'] })
    const answer = await report([useOf()], viewer.headers)
    expectProblem(answer, 'permission_required', ['required'])
    expect(answer.json.required).toEqual(['machine_auth.usage.create'])
  })
})

describe('a body', () => {
  test.each(['{}', '{"0":{}}', 'null', '"x"', '1', 'true', ''])('%j is no list', async (raw) => {
    expectInvalidAt(await send(raw), 'body')
  })

  test.each(['[', '[{}', '[{},]', "[{'a':1}]", `${'['.repeat(60_000)}`])('%.20j is malformed', async (raw) => {
    expectProblem(await send(raw), 'request_malformed')
  })

  test.each<[name: string, raw: string]>([
    ['no entry', '[]'],
    ['1,001 entries', JSON.stringify(Array(1001).fill(0))],
    ['an entry of 1,001 entries', JSON.stringify([Array(1001).fill(0)])],
    ['33 levels', `${'['.repeat(33)}${']'.repeat(33)}`],
    ['very many levels', '['.repeat(100_000) + ']'.repeat(100_000)],
    ['a name that reaches prototypes', '[{"__proto__":{"admin":true}}]'],
    ['one of these further down', '[{"id":{"a":[{"constructor":1}]}}]'],
  ])('of %s is refused as a whole', async (_, raw) => {
    const before = t.countRows()
    expectInvalidAt(await send(raw), 'body')
    expect({ ...t.countRows(), machine_auth_usage: 0 }).toEqual({ ...before, machine_auth_usage: 0 })
  })

  test('of another type is refused', async () => {
    expectInvalidAt(await send(JSON.stringify([useOf()]), 'text/plain'), 'content-type')
  })

  test('above 512 KiB is too large, said or unsaid, before it comes', async () => {
    expectProblem(await send(`[${' '.repeat(LIMIT)}]`), 'body_too_large')
    const chunk = new Uint8Array(64 * 1024).fill(32)
    const endless = new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(chunk) })
    expectProblem(await send(endless), 'body_too_large')
    const head = `POST ${PATH} HTTP/1.1\r\nHost: localhost\r\nX-Admin-Key: ${asMaster['x-admin-key']}\r\n`
    const answer = await sendRaw(
      t.origin,
      `${head}Content-Type: application/json\r\nContent-Length: 100000000\r\n\r\n[`,
    )
    expect(answer?.status).toBe(413)
  })

  test('is not read for who may not send one', async () => {
    const raw = `[${' '.repeat(LIMIT)}]`
    expectProblem(await t.ask(PATH, { method: 'POST', raw }), 'credential_missing')
  })
})

test('a use that was counted before a restart is a duplicate after it', async () => {
  const directory = createDatabaseDirectory('machine-auth-usage-report')
  const database = `sqlite:${join(directory, 'auth.db')}`
  let id = ''
  for (const expected of [
    { accepted: 1, duplicates: 0 },
    { accepted: 0, duplicates: 1 },
  ]) {
    await using app = await createTestApp({ database })
    if (id === '') id = (await addKey(app)).id
    const answer = await app.ask(PATH, { headers: asMaster, body: [{ ...useOf({ keyId: id }), id: 'the same' }] })
    expect(answer.json).toEqual({ ...expected, rejected: [] })
    const usage = await app.ask(`/auth/keys/${id}/usage`, { headers: asMaster })
    expect([usage.json.total, listAt(usage.json, 'series').length]).toEqual([1, 24])
  }
  removeDirectory(directory)
})
