import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Example, findPrinted, request, START_TIMEOUT, startExample } from './support.ts'
import { openSocket, requestUpgrade } from './websocket-client.ts'

const PASSWORD = 'correct horse battery staple'

let example: Example
let alice: { readonly 'x-api-key': string }
let dashboard: { readonly 'x-api-key': string }

beforeAll(async () => {
  example = await startExample('examples/websocket.ts', { env: { DEMO_PASSWORD: PASSWORD } })
  alice = { 'x-api-key': findPrinted(example, /alice@example\.com.* X-API-Key: (\S+)/) }
  dashboard = { 'x-api-key': findPrinted(example, /dashboard: X-API-Key: (\S+)/) }
}, START_TIMEOUT)
afterAll(() => example[Symbol.asyncDispose]())

test('the room is heard by all who are in it', async () => {
  const url = `${example.origin}/room`
  using first = await openSocket(url, alice)
  using second = await openSocket(url, alice)
  expect(await first.next()).toBe('alice@example.com came in')
  second.send('hello')
  const line = 'alice@example.com: hello'
  expect([await first.next(), await second.next()]).toEqual([line, line])
})

test('the feed takes a machine without a user', async () => {
  using feed = await openSocket(`${example.origin}/feed`, dashboard)
  expect(JSON.parse(await feed.next())).toEqual({ hello: expect.stringMatching(/^key_/) })
})

test('who may not come in gets an answer and no socket', async () => {
  const room = `${example.origin}/room`
  expect(await requestUpgrade(room, {})).toEqual({ status: 401, code: 'credential_missing' })
  expect(await requestUpgrade(room, dashboard)).toEqual({ status: 403, code: 'user_required' })
  // Alice has the permission by her role; her key was given none.
  expect(await requestUpgrade(`${example.origin}/feed`, alice)).toEqual({ status: 403, code: 'permission_required' })
})

test.each([
  ['https://evil.example', 403, 'csrf_rejected'],
  ['https://chat.example.com', 101, null],
])('the cookie opens the room from a page of %s: %d', async (origin, status, code) => {
  const body = { email: 'alice@example.com', password: PASSWORD }
  const opened = await request(example.origin, 'POST /auth/sessions', { body })
  const [cookie = ''] = (opened.headers.get('set-cookie') ?? '').split(';')
  expect(await requestUpgrade(`${example.origin}/room`, { cookie, origin })).toEqual({ status, code })
})
