/** What the tests of guards share: credentials by name, calls that read the whole answer, and raw sockets. */
import { expect, spyOn } from 'bun:test'
import { connect } from 'node:net'
import { MASTER_KEY } from '../support/guarded-app.ts'

export const VARY = 'Authorization, Cookie, X-API-Key'
export const JSON_TYPE = { 'content-type': 'application/json' }

/** Request headers by what they present. */
export const PRESENT = {
  nothing: {},
  key: { 'x-api-key': 'mac_live_key' },
  'key as Bearer': { authorization: 'Bearer mac_live_key' },
  'key as ApiKey': { authorization: 'ApiKey mac_live_key' },
  'owned key': { 'x-api-key': 'mac_live_owned' },
  'test key': { 'x-api-key': 'mac_test_key' },
  'expired key': { 'x-api-key': 'mac_live_expired' },
  'wrong key': { 'x-api-key': 'mac_live_wrong' },
  'two keys': { 'x-api-key': 'mac_live_key, mac_live_owned' },
  'admin token': { authorization: 'Bearer a.alice.s' },
  'user token': { authorization: 'Bearer a.bob.s' },
  'client token': { authorization: 'Bearer a.client.s' },
  'wrong token': { authorization: 'Bearer a.wrong.s' },
  'opaque nonsense': { authorization: 'Bearer nonsense' },
  'other scheme': { authorization: 'Basic YWxpY2U6c2VjcmV0' },
  'two tokens': { authorization: 'Bearer a.bob.s, Bearer a.alice.s' },
  'admin session': { cookie: 'session_id=alice' },
  'user session': { cookie: 'session_id=bob' },
  'stale session': { cookie: 'session_id=stale' },
  'wrong session': { cookie: 'session_id=wrong' },
  'two sessions': { cookie: 'session_id=alice; session_id=bob' },
  'master key': { 'x-admin-key': MASTER_KEY },
  'master as Bearer': { authorization: `Bearer ${MASTER_KEY}` },
  'wrong master key': { 'x-admin-key': 'wrong' },
} as const satisfies Record<string, Record<string, string>>

export type Presented = keyof typeof PRESENT

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as problem+json; empty for anything else. */
  readonly problem: Readonly<Record<string, unknown>>
}

async function readAnswer(response: Response): Promise<Answer> {
  const { status, headers } = response
  const text = await response.text()
  const isProblem = text !== '' && headers.get('content-type') === 'application/problem+json'
  return { status, headers, text, problem: isProblem ? JSON.parse(text) : {} }
}

/** Asks a listening server. */
export async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  return readAnswer(await fetch(url, { redirect: 'manual', ...init }))
}

/** Asks an app that does not listen. */
export async function handle(
  app: { handle: (request: Request) => Promise<Response> },
  path: string,
  init: RequestInit = {},
): Promise<Answer> {
  return readAnswer(await app.handle(new Request(`http://localhost${path}`, init)))
}

/** `200`, or status and code. */
export function summary({ status, problem }: Answer): string {
  return problem.code === undefined ? String(status) : `${status} ${problem.code}`
}

/** Demands that an answer is a refusal with everything a refusal must carry. */
export function expectRefusal(answer: Answer, status: number, code: string): void {
  expect(summary(answer)).toBe(`${status} ${code}`)
  expect(answer.problem.type).toBe(`urn:machine-auth:error:${code}`)
  expect(answer.problem.status).toBe(status)
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect(answer.problem.requestId).toMatch(/^[A-Za-z0-9._-]{8,128}$/)
  expect(answer.headers.get('x-request-id')).toBe(String(answer.problem.requestId))
}

/**
 * Sends bytes and leaves the connection open, as a client in the middle of an upload does.
 *
 * @param timeout ms to wait for the first bytes of an answer
 * @returns the answer's status and text, or null when none came in time
 */
export function sendRaw(
  origin: string,
  text: string,
  timeout = 1000,
): Promise<{ status: number; text: string } | null> {
  const { hostname, port } = new URL(origin)
  const { promise, resolve } = Promise.withResolvers<{ status: number; text: string } | null>()
  const socket = connect(Number(port), hostname, () => socket.write(text))
  const timer = setTimeout(() => resolve(null), timeout)
  socket.on('data', (data) => {
    const answer = data.toString()
    resolve({ status: Number(answer.split(' ')[1]), text: answer })
  })
  socket.on('error', () => resolve(null))
  socket.on('close', () => resolve(null))
  return promise.finally(() => {
    clearTimeout(timer)
    socket.destroy()
  })
}

/** The head of an upload of 100 MB of which only a few bytes ever come. */
export function unfinishedUpload(method: string, path: string, headers: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries({ Host: 'localhost', 'Content-Length': '100000000', ...headers })
  return `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n{"a":`
}

/** Collects what is written to the error log while `run` runs, instead of printing it. */
export async function withLog<T>(run: () => Promise<T>): Promise<{ result: T; log: readonly string[] }> {
  const log: string[] = []
  const spy = spyOn(console, 'error').mockImplementation((line: unknown) => {
    log.push(String(line))
  })
  try {
    return { result: await run(), log }
  } finally {
    spy.mockRestore()
  }
}

/** Opens a WebSocket and answers its first message, or null when the upgrade is refused. */
export function openSocket(
  origin: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<string | null> {
  const { promise, resolve } = Promise.withResolvers<string | null>()
  // Bun's client takes headers, which the DOM's type does not know.
  const socket = new WebSocket(`${origin.replace('http', 'ws')}${path}`, { headers } as unknown as string[])
  socket.onmessage = (event) => resolve(String(event.data))
  socket.onerror = () => resolve(null)
  socket.onclose = () => resolve(null)
  return promise.finally(() => socket.close())
}

/** The head of a WebSocket's upgrade, for tests that must see the answer's status. */
export function upgradeRequest(path: string, headers: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries({
    Host: 'localhost',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
    ...headers,
  })
  return `GET ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
}
