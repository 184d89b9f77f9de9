/** Bodies of answers, through an app that listens: which are logged, and that logging them changes nothing of them. */
import { afterAll, describe, expect, spyOn, test } from 'bun:test'
import { connect } from 'node:net'
import { Elysia } from 'elysia'
import { machineAuth } from '../../../src/index.ts'
import { breathe } from '../../../src/lib/breathe.ts'
import type { LoggingOption } from '../../../src/options/recording-types.ts'
import { createTestApp, createTestCore } from '../../support/test-app.ts'

const LARGE = 'x'.repeat(70_000)
const FILE = import.meta.path

class Teapot extends Error {
  toResponse() {
    return Response.json({ teapot: true }, { status: 418 })
  }
}

function createApp(logging: LoggingOption, hasErrorHook: boolean) {
  return createTestApp({ logging }, (app) => {
    if (hasErrorHook) app.onError(() => undefined)
    return app
      .get('/string', () => 'text')
      .get('/object', () => ({ a: 1 }))
      .get('/response', () => new Response('hi'))
      .get('/later', async () => new Response('hi'))
      .get('/json', () => Response.json({ a: 1, password: 'hunter2' }))
      .get('/large', () => new Response(LARGE))
      .get('/empty', () => new Response(null))
      .get('/constant', 'constant')
      .get('/constant-response', new Response('constant'))
      .get('/constant-object', { a: 1 })
      .get('/before', () => 'late', { beforeHandle: () => new Response('early') })
      .get('/status', ({ status }) => status(402, 'pay'))
      .get('/redirect', ({ redirect }) => redirect('/string'))
      .get('/cookie', ({ cookie: { theme } }) => {
        theme?.set({ value: 'dark' })
        return new Response('with a cookie')
      })
      .get('/throws', () => {
        throw new Error('of an app')
      })
      .get('/throws-text', () => {
        throw 'of an app'
      })
      .get('/teapot', () => {
        throw new Teapot()
      })
      .get('/stream', async function* () {
        yield 'a'
        await breathe()
        yield 'b'
      })
      .get('/stream-response', () => new Response(new Blob(['ab']).stream().pipeThrough(new TransformStream())))
      .get('/file', () => new Response(Bun.file(FILE), { headers: { 'content-type': 'text/plain' } }))
      .get('/headers', () => new Response('hi', { headers: { 'x-large': 'x'.repeat(5000) } }))
      .get('/mapped', () => new Response('given'), { mapResponse: () => new Response('mapped') })
      .get('/guarded', () => 'guarded', { apiKey: true })
  })
}

const PROBLEM = expect.stringContaining('"type":"urn:machine-auth:error:')
const BODIES: readonly (readonly [path: string, status: number, body: unknown])[] = [
  ['/string', 200, 'text'],
  ['/object', 200, '{"a":1}'],
  ['/response', 200, 'hi'],
  ['/later', 200, 'hi'],
  ['/json', 200, '{"a":1,"password":"***REDACTED***"}'],
  ['/large', 200, expect.stringMatching(/^\[large, 7\d{4} bytes\]$/)],
  ['/empty', 200, null],
  ['/constant', 200, 'constant'],
  ['/constant-response', 200, 'constant'],
  ['/constant-object', 200, '{"a":1}'],
  ['/before', 200, 'early'],
  ['/status', 402, 'pay'],
  ['/redirect', 302, null],
  ['/cookie', 200, 'with a cookie'],
  ['/throws', 500, PROBLEM],
  ['/throws-text', 500, PROBLEM],
  ['/guarded', 401, PROBLEM],
  ['/nowhere', 404, expect.stringMatching(/not_found/i)],
  // What is not in memory when a handler has answered, and what another hook put in its place.
  ['/stream', 200, '[stream]'],
  ['/stream-response', 200, '[stream]'],
  ['/file', 200, '[stream]'],
  ['/headers', 200, '[not in memory]'],
  ['/mapped', 200, '[stream]'],
  ['/teapot', 418, '[stream]'],
]

/** All that is sent, but for what differs with each answer. */
async function ask(origin: string, path: string, method: string, requestId: string): Promise<string> {
  const { port, hostname } = new URL(origin)
  const chunks: Buffer[] = []
  await new Promise<void>((resolve, reject) => {
    const socket = connect(Number(port), hostname, () =>
      socket.write(
        `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: ${requestId}\r\nConnection: close\r\n\r\n`,
      ),
    )
    socket.on('data', (chunk) => chunks.push(Buffer.from(chunk)))
    socket.on('close', () => resolve())
    socket.on('error', reject)
  })
  return Buffer.concat(chunks)
    .toString()
    .replace(/^Date: .*\r\n/m, '')
}

describe.each([false, true])('the body of an answer, in an app that listens to errors itself: %p', (hasErrorHook) => {
  const console_ = spyOn(console, 'error').mockImplementation(() => undefined)
  const apps = Promise.all([createApp({ mode: 'redacted' }, hasErrorHook), createApp({}, hasErrorHook)])
  afterAll(async () => {
    for (const t of await apps) await t.close()
    console_.mockRestore()
  })

  test.each(BODIES)('%s', async (path, status, responseBody) => {
    const [logged, bare] = await apps
    // Twice: a constant is used again.
    for (const [method, ending, body] of [
      ['GET', 'first', responseBody],
      ['HEAD', 'head', null],
      ['GET', 'again', responseBody],
    ] as const) {
      const requestId = `request${path.replace('/', '-')}-${ending}`
      const sent = await ask(logged.origin, path, method, requestId)
      expect(sent).toBe(await ask(bare.origin, path, method, requestId))
      const { items } = await logged.core.logs.list({ requestId })
      expect(items).toMatchObject([{ path, responseBody: body, ...(method === 'GET' && { status }) }])
    }
  })
})

test.each([
  { mode: 'metadata_only', status: 401, said: '' },
  { mode: 'redacted', status: 500, said: 'GET /constant: a constant cannot be guarded together with' },
] as const)('a guarded constant beside three kinds of hooks, in mode $mode', async ({ mode, status, said }) => {
  const noHook = () => undefined
  const { core } = createTestCore({ logging: { mode } })
  await core.ready
  const app = new Elysia()
    .onParse(noHook)
    .onTransform(noHook)
    .onBeforeHandle(noHook)
    .use(machineAuth(core))
    .get('/constant', 'text', { apiKey: true })
  const log = spyOn(console, 'error').mockImplementation(() => undefined)
  const answer = await app.handle(new Request('http://localhost/constant'))
  const logged = log.mock.calls.flat().join()
  log.mockRestore()
  // Elysia would answer it before any guard: nothing is served then.
  expect(answer.status).toBe(status)
  expect(logged).toContain(said)
  await core.close()
})
