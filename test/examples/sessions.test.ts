import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Example, findPrinted, request, START_TIMEOUT, startExample } from './support.ts'

let example: Example
beforeAll(async () => {
  example = await startExample('examples/sessions.ts')
}, START_TIMEOUT)
afterAll(() => example[Symbol.asyncDispose]())

/** Logs in as a browser would and answers the `Cookie` header of what follows. */
async function openSession(headers: Readonly<Record<string, string>> = {}) {
  const password = findPrinted(example, /Log in as alice@example\.com with (\S+)/)
  const body = { email: 'alice@example.com', password }
  const opened = await request(example.origin, 'POST /auth/sessions', { body, headers })
  const [cookie = ''] = (opened.headers.get('set-cookie') ?? '').split(';')
  return { opened, cookie }
}

test('shows the page to everybody and the rest to nobody', async () => {
  expect((await request(example.origin, 'GET /')).text).toContain('<button>Log in</button>')
  for (const target of ['GET /profile', 'GET /notes', 'POST /notes']) {
    const { status, body } = await request(example.origin, target)
    expect([target, status, body.code]).toEqual([target, 401, 'credential_missing'])
  }
})

test('sets a cookie that no script can read, and knows its user by it', async () => {
  const { opened, cookie } = await openSession()
  expect(opened.status).toBe(201)
  expect(opened.headers.get('set-cookie')).toMatch(
    /^session_id=[A-Za-z0-9]+; Max-Age=604800; Path=\/; HttpOnly; SameSite=Lax$/,
  )
  const profile = await request(example.origin, 'GET /profile', { headers: { cookie } })
  expect(profile.body).toEqual({ email: 'alice@example.com', until: opened.body.expiresAt })
  const note = await request(example.origin, 'POST /notes', { headers: { cookie }, body: { text: 'Milk' } })
  expect([note.status, note.body.text]).toEqual([201, 'Milk'])
  expect((await request(example.origin, 'GET /notes', { headers: { cookie } })).body).toEqual([note.body])
})

test.each([
  ['another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }, 403],
  ['another site of an old browser', { origin: 'https://evil.example' }, 403],
  ['a page of its own', { 'sec-fetch-site': 'same-origin' }, 201],
  ['the trusted origin', { 'sec-fetch-site': 'cross-site', origin: 'https://admin.example.com' }, 201],
])('a note written from %s', async (_, headers, status) => {
  const { cookie } = await openSession()
  const written = await request(example.origin, 'POST /notes', { headers: { cookie, ...headers }, body: { text: 'x' } })
  expect(written.status).toBe(status)
  if (status === 403) expect(written.body.code).toBe('csrf_rejected')
})

test('nobody is logged in from another site either', async () => {
  const { opened } = await openSession({ origin: 'https://evil.example' })
  expect([opened.status, opened.body.code]).toEqual([403, 'csrf_rejected'])
})

test('ends at the logout', async () => {
  const { cookie } = await openSession()
  const ended = await request(example.origin, 'DELETE /auth/sessions/current', { headers: { cookie } })
  expect([ended.status, ended.headers.get('set-cookie')]).toEqual([204, expect.stringContaining('Max-Age=0')])
  const { status, body } = await request(example.origin, 'GET /profile', { headers: { cookie } })
  expect([status, body.code]).toEqual([401, 'session_invalid'])
})
