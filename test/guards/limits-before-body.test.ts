/** A limit counts before the body is read and before any other guard decides, whatever becomes of the request. */
import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import { t as schema } from 'elysia'
import { authorizedResource } from '../../src/index.ts'
import { expectProblem } from '../support/answers.ts'
import { askTimes, from, LIMITED, PROXIED, remainingOf } from '../support/limited.ts'
import { addKey, addPeople, addTokens, createTestApp, type Question } from '../support/test-app.ts'
import { openSocket, sendRaw, unfinishedUpload, upgradeRequest } from './support.ts'

const TWICE = { limit: 2, window: '1m', name: 'twice' } as const
const JSON_TYPE = { 'content-type': 'application/json' }
const body = schema.Object({ subject: schema.String() })
let ran = 0

function reads({ body: read }: { body: unknown }): string {
  ran += 1
  return JSON.stringify(read)
}

function readsRaw({ request }: { request: Request }): Promise<string> {
  ran += 1
  return request.text()
}

const posts = authorizedResource('post', { load: () => ({ by: 'user_bob' }), owner: (post) => post.by })

const t = await createTestApp({ ...PROXIED, jwt: { accessTtl: '1d' } }, (app) =>
  app
    .use(posts)
    .post('/any', reads, { rateLimit: TWICE })
    .post('/schema', reads, { rateLimit: TWICE, body })
    .post('/parse', reads, { rateLimit: TWICE, parse: 'json', body })
    .post('/unread', () => 'ran', { rateLimit: TWICE })
    .guard({ rateLimit: TWICE }, (inner) => inner.post('/guard', reads, { body }))
    .group('/group', { rateLimit: TWICE }, (inner) => inner.post('/x', reads, { body }))
    .post('/query', reads, { rateLimit: TWICE, query: schema.Object({ n: schema.Numeric() }) })
    // The limit is said last, and counts first.
    .post('/key', reads, { apiKey: true, body, rateLimit: TWICE })
    .post('/role', reads, { requireRole: 'admin', body, rateLimit: TWICE })
    .post('/owned', reads, { authorizedPost: true, body, rateLimit: TWICE })
    .guard({ currentUser: true }, (inner) => inner.post('/guarded', reads, { body, rateLimit: TWICE }))
    .guard({ rateLimit: TWICE }, (inner) => inner.post('/limited/guarded', reads, { body, currentUser: true }))
    .post('/raw', readsRaw, { rateLimit: TWICE })
    .post('/raw/key', readsRaw, { apiKey: true, rateLimit: TWICE })
    .post('/raw/none', readsRaw, { rateLimit: TWICE, parse: 'none' })
    .guard({ rateLimit: TWICE }, (inner) =>
      inner.mount('/raw/mounted', async (request) => new Response(await request.text())),
    )
    .ws('/ws/limited', { rateLimit: TWICE, open: (ws) => void ws.send('open'), message: () => undefined })
    .ws('/ws/user', {
      currentUser: true,
      rateLimit: TWICE,
      open: (ws) => void ws.send(ws.data.currentUser.id),
      message: () => undefined,
    }),
)
afterAll(t.close)
afterEach(() => {
  // Everybody starts anew.
  t.time.now += 60_000
  ran = 0
})
const { alice, bob } = await addPeople(t)
const key = await addKey(t)
const [ofAlice, ofBob] = [(await addTokens(t, alice.id)).headers, (await addTokens(t, bob.id)).headers]

const READING = ['/any', '/schema', '/parse', '/guard', '/group/x'] as const
const GUARDED = ['/key', '/role', '/owned', '/guarded', '/limited/guarded', '/raw/key'] as const

describe('an upload that never ends', () => {
  const send = (path: string, headers: Readonly<Record<string, string>> = {}) =>
    sendRaw(t.origin, unfinishedUpload('POST', path, { ...JSON_TYPE, ...headers }), 1000)

  test.each([...READING, '/unread', '/raw', '/raw/none', '/raw/mounted'])('is refused at once: %s', async (path) => {
    await askTimes(t, 2, path, { raw: '{' })
    ran = 0
    const answer = await send(path)
    expect(answer?.status).toBe(429)
    expect(answer?.text).toContain('"code":"rate_limited"')
    expect(answer?.text.toLowerCase()).toContain('retry-after: 60')
    expect(ran).toBe(0)
  })

  test.each([...READING])('counts when its headers have come: %s', async (path) => {
    expect(await sendRaw(t.origin, unfinishedUpload('POST', path, JSON_TYPE), 50)).toBeNull()
    expect(remainingOf(await t.ask(path, { body: { subject: 'x' } }))).toEqual({ twice: 0 })
  })

  test.each([...GUARDED])('is refused for its limit, not for its credential: %s', async (path) => {
    await askTimes(t, 2, path, { raw: '{' })
    expect((await send(path))?.text).toContain('"code":"rate_limited"')
    expect((await send(path, { 'x-api-key': 'wrong' }))?.text).toContain('"code":"rate_limited"')
  })
})

describe('a request counts that', () => {
  test.each<[name: string, path: string, question: Question, said: string]>([
    ['has malformed JSON', '/any', { raw: '{' }, '400 request_malformed'],
    ['has malformed JSON, where a schema is', '/schema', { raw: '{' }, '400 request_malformed'],
    ['has malformed JSON, where a parser is named', '/parse', { raw: '{' }, '400 request_malformed'],
    ['has malformed JSON, in a guard', '/guard', { raw: '{' }, '400 request_malformed'],
    ['has malformed JSON, in a group', '/group/x', { raw: '{' }, '400 request_malformed'],
    ['has a body of another shape', '/schema', { body: { x: 1 } }, '422 validation_failed'],
    ['has a query of another shape', '/query?n=x', { body: {} }, '422 validation_failed'],
    [
      'has a broken form',
      '/any',
      { raw: 'x', headers: { 'content-type': 'multipart/form-data' } },
      '400 request_malformed',
    ],
    ['lacks a credential', '/key', { body: {} }, '401 credential_missing'],
    ['has a wrong one', '/key', { body: {}, headers: { 'x-api-key': 'x' } }, '401 api_key_invalid'],
    ['has two of a kind', '/key', { body: {}, headers: { 'x-api-key': 'a,b' } }, '400 request_malformed'],
    ['lacks a role', '/role', { body: {}, headers: ofBob }, '403 role_required'],
    ['is about somebody else’s', '/owned', { body: {}, headers: ofAlice }, '403 not_owner'],
    ['a guard around it refuses', '/guarded', { body: {} }, '401 credential_missing'],
    ['a guard within it refuses', '/limited/guarded', { body: {} }, '401 credential_missing'],
  ])('%s', async (_, path, question, said) => {
    expect(await askTimes(t, 4, path, question)).toEqual([said, said, LIMITED, LIMITED])
    expect(ran).toBe(0)
  })
})

describe('a route that reads the request itself', () => {
  test.each(['/raw', '/raw/none', '/raw/mounted'])('%s gets its body untouched, and is limited', async (path) => {
    for (const raw of ['{ "a" : 1', 'second']) {
      expect((await t.ask(path, { raw, headers: JSON_TYPE })).text).toBe(raw)
    }
    const refused = await t.ask(path, { raw: 'third', headers: JSON_TYPE })
    expectProblem(refused, 'rate_limited', ['retryAfter'])
  })

  test('gets it behind another guard too', async () => {
    const raw = '{ "a" : 1'
    expect((await t.ask('/raw/key', { raw, headers: { ...JSON_TYPE, ...key.headers } })).text).toBe(raw)
    expect(await askTimes(t, 2, '/raw/key', { raw })).toEqual(['401 credential_missing', LIMITED])
  })
})

describe('a body that is let in', () => {
  test.each([...READING])('is read and checked: %s', async (path) => {
    const answer = await t.ask(path, { body: { subject: 'x' } })
    expect([answer.said, answer.text, ran]).toEqual(['200', '{"subject":"x"}', 1])
    expect(remainingOf(answer)).toEqual({ twice: 1 })
  })
})

describe('the upgrade of a WebSocket', () => {
  test('counts once', async () => {
    const connect = () => openSocket(t.origin, '/ws/limited')
    expect([await connect(), await connect(), await connect()]).toEqual(['open', 'open', null])
  })

  test('counts once where a user is asked for, too', async () => {
    const connect = () => openSocket(t.origin, '/ws/user', ofBob)
    expect([await connect(), await connect(), await connect()]).toEqual(['user_bob', 'user_bob', null])
  })

  test('is answered with status, code and headers when it is refused', async () => {
    const upgrade = () => sendRaw(t.origin, upgradeRequest('/ws/limited'))
    expect([(await upgrade())?.status, (await upgrade())?.status]).toEqual([101, 101])
    const refused = await upgrade()
    expect(refused?.status).toBe(429)
    expect(refused?.text).toContain('"code":"rate_limited"')
    expect(refused?.text.toLowerCase()).toMatch(/retry-after: 60\r\n/)
    expect(refused?.text.toLowerCase()).toMatch(/ratelimit: "twice";r=0;t=60\r\n/)
  })

  test('counts when a guard refuses it', async () => {
    const upgrade = () => sendRaw(t.origin, upgradeRequest('/ws/user'))
    expect([(await upgrade())?.status, (await upgrade())?.status, (await upgrade())?.status]).toEqual([401, 401, 429])
    expect(await openSocket(t.origin, '/ws/user', { ...ofBob, ...from('10.3.0.1') })).toBe('user_bob')
  })

  test('of 30 at once lets in as many as are left', async () => {
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => sendRaw(t.origin, upgradeRequest('/ws/limited'))),
    )
    expect(answers.filter((answer) => answer?.status === 101)).toHaveLength(2)
    expect(answers.filter((answer) => answer?.status === 429)).toHaveLength(28)
  })
})

test('a parser of the app’s own does not see the body of someone who is refused', async () => {
  const seen: string[] = []
  await using app = await createTestApp({}, (inner) =>
    inner
      .onParse({ as: 'global' }, async ({ request }) => {
        seen.push(await request.text())
        return { subject: 'parsed' }
      })
      .post('/x', reads, { body, rateLimit: { limit: 1, window: '1m' } }),
  )
  expect(await askTimes(app, 3, '/x', { body: {} })).toEqual(['200', LIMITED, LIMITED])
  expect(seen).toEqual(['{}'])
})
