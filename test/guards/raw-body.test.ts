/** Routes that read the request themselves get their body untouched, guarded or not. */
import { afterAll, describe, expect, test } from 'bun:test'
import { Elysia, t } from 'elysia'
import { authorizedResource } from '../../src/guards/authorized-resource.ts'
import { createTestPlugin } from '../support/guarded-app.ts'
import { ask, expectRefusal, JSON_TYPE, PRESENT, summary } from './support.ts'

const ALLOWED = PRESENT['user token']
const { plugin } = createTestPlugin()
const posts = authorizedResource('post', { load: () => ({ by: 'user_bob' }), owner: (post) => post.by })

async function readAll(request: Request): Promise<string> {
  return request.text()
}

/** A handler of another framework: it knows nothing but the request. */
async function foreign(request: Request): Promise<Response> {
  return new Response(`${new URL(request.url).pathname} ${await request.text()}`)
}

const app = new Elysia()
  .use(plugin)
  .use(posts)
  .post('/text', ({ request }) => request.text(), { currentUser: true })
  .post('/awaited', async ({ request, currentUser }) => `${currentUser.id} ${await request.text()}`, {
    currentUser: true,
  })
  .post('/bytes', async ({ request }) => String((await request.arrayBuffer()).byteLength), { currentUser: true })
  .post('/json', async ({ request }) => JSON.stringify(await request.json()), { currentUser: true })
  .post('/blob', async ({ request }) => (await request.blob()).text(), { currentUser: true })
  .post('/stream', async ({ request }) => new Response(request.body).text(), { currentUser: true })
  .post('/called', ({ request }) => readAll(request), { currentUser: true })
  .post('/two', ({ request }) => request.text(), { apiKey: true, requirePermission: 'users.view' })
  .post('/owned', async ({ request, post }) => post.by + (await request.text()), { authorizedPost: true })
  .post('/none', ({ request, body }) => (body === undefined ? request.text() : 'parsed'), {
    currentUser: true,
    parse: 'none',
  })
  .post('/dependency', async ({ auth, request }) => (await auth.currentUser()).id + (await request.text()))
  .post('/unguarded', ({ request }) => request.text())
  .post('/public', ({ request }) => request.text(), { public: true })
  .all('/all', ({ request }) => request.text(), { currentUser: true })
  .guard({ currentUser: true }, (inner) =>
    inner
      .post('/guard', ({ request }) => request.text())
      .mount('/mounted', foreign)
      .mount('/framework', { fetch: foreign }.fetch),
  )
  .group('/group', { currentUser: true }, (inner) => inner.post('/text', ({ request }) => request.text()))
  .listen({ port: 0, hostname: '127.0.0.1' })
const origin = `http://127.0.0.1:${app.server?.port}`
afterAll(() => app.stop(true))

const TYPES = [
  'application/json',
  'application/json; charset=utf-8',
  'text/plain',
  'text/html',
  'application/x-www-form-urlencoded',
  'application/octet-stream',
  'multipart/form-data; boundary=x',
  'application/xml',
  'application/vnd.api+json',
  '',
]

describe.each(TYPES)('content type %j', (type) => {
  const headers = type === '' ? {} : { 'content-type': type }
  // Malformed for every type above, so that whoever parses it fails.
  const body = '{"a":1'

  test.each([
    ['/text', body],
    ['/awaited', `user_bob ${body}`],
    ['/bytes', String(body.length)],
    ['/blob', body],
    ['/stream', body],
    ['/called', body],
    ['/owned', `user_bob${body}`],
    ['/none', body],
    ['/dependency', `user_bob${body}`],
    ['/unguarded', body],
    ['/public', body],
    ['/all', body],
    ['/guard', body],
    ['/group/text', body],
    ['/mounted', `/ ${body}`],
    ['/mounted/x', `/x ${body}`],
    ['/framework/y', `/y ${body}`],
  ])('%s reads its body', async (path, expected) => {
    const bytes = new TextEncoder().encode(body)
    const answer = await ask(origin + path, { method: 'POST', body: bytes, headers: { ...headers, ...ALLOWED } })
    expect([summary(answer), answer.text]).toEqual(['200', expected])
  })

  test('two guards leave the body alone', async () => {
    const bytes = new TextEncoder().encode(body)
    const answer = await ask(`${origin}/two`, { method: 'POST', body: bytes, headers: { ...headers, ...PRESENT.key } })
    expect(answer.text).toBe(body)
  })
})

test('request.json() works with the type of JSON', async () => {
  const init = { method: 'POST', body: '{ "a" : 1 }', headers: { ...JSON_TYPE, ...ALLOWED } }
  expect((await ask(`${origin}/json`, init)).text).toBe('{"a":1}')
})

test.each(['/text', '/guard', '/mounted', '/mounted/x', '/group/text', '/all', '/none', '/owned', '/called'])(
  '%s is refused without a credential',
  async (path) => {
    const init = { method: 'POST', body: '{', headers: JSON_TYPE }
    expectRefusal(await ask(origin + path, init), 401, 'credential_missing')
  },
)

describe('bodies that Elysia reads', () => {
  const parsed = new Elysia()
    .use(createTestPlugin().plugin)
    .post('/schema', ({ body }) => body.a, { currentUser: true, body: t.Object({ a: t.String() }) })
    .post('/whole', (context) => JSON.stringify(context.body), { currentUser: true })
    .post('/default', ({ body = {} }) => JSON.stringify(body), { currentUser: true })
    .post('/form', ({ body }) => body.get, { currentUser: true, body: t.Object({ get: t.String() }) })
    .post('/file', async ({ body }) => body.file.text(), { currentUser: true, body: t.Object({ file: t.File() }) })
    .post('/derived', ({ request }) => request.bodyUsed, {
      currentUser: true,
      beforeHandle: ({ body, set }) => {
        set.headers['x-body'] = JSON.stringify(body)
      },
    })
    .guard({ schema: 'standalone', body: t.Object({ b: t.Number() }) }, (inner) =>
      inner.post('/standalone', ({ body }) => body.b, { currentUser: true }),
    )
    .listen({ port: 0, hostname: '127.0.0.1' })
  const from = `http://127.0.0.1:${parsed.server?.port}`
  afterAll(() => parsed.stop(true))

  const file = new FormData()
  file.set('file', new File(['content'], 'a.txt'))
  const form = new FormData()
  form.set('get', 'x')

  test.each<[string, string | FormData, Record<string, string>, string]>([
    ['/schema', '{"a":"x"}', JSON_TYPE, 'x'],
    ['/whole', '{"a":"x"}', JSON_TYPE, '{"a":"x"}'],
    ['/whole', 'a=x', { 'content-type': 'application/x-www-form-urlencoded' }, '{"a":"x"}'],
    ['/whole', 'text', { 'content-type': 'text/plain' }, '"text"'],
    ['/default', '{"a":"x"}', JSON_TYPE, '{"a":"x"}'],
    ['/form', form, {}, 'x'],
    ['/file', file, {}, 'content'],
    ['/standalone', '{"b":1}', JSON_TYPE, '1'],
  ])('%s gets its body', async (path, body, headers, expected) => {
    const answer = await ask(from + path, { method: 'POST', body, headers: { ...headers, ...ALLOWED } })
    expect([summary(answer), answer.text]).toEqual(['200', expected])
    expectRefusal(await ask(from + path, { method: 'POST', body, headers }), 401, 'credential_missing')
  })

  test('a hook that reads the body gets it where the handler does not', async () => {
    const init = { method: 'POST', body: '{"a":1}', headers: { ...JSON_TYPE, ...ALLOWED } }
    const answer = await ask(`${from}/derived`, init)
    expect([answer.text, answer.headers.get('x-body')]).toEqual(['true', '{"a":1}'])
  })
})
