/** However a request is spelled, no form of it reaches a guarded handler without the credential. */
import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { createTestPlugin, withServer } from '../support/guarded-app.ts'
import { ask, expectRefusal, handle, PRESENT, sendRaw, summary } from './support.ts'

let ran = 0
function reached(): string {
  ran += 1
  return 'reached'
}
beforeEach(() => {
  ran = 0
})

function createApp(options: { strictPath?: boolean; prefix?: string } = {}) {
  const { plugin } = createTestPlugin()
  return new Elysia(options)
    .use(plugin)
    .get('/g', reached, { currentUser: true })
    .post('/g', reached, { currentUser: true })
    .all('/all', reached, { currentUser: true })
    .all('/all/:id', reached, { currentUser: true })
    .all('/every/*', reached, { currentUser: true })
    .get('/optional/:id?', reached, { currentUser: true })
    .get('/param/:id', reached, { currentUser: true })
    .get('/param/:id/deep/:other', reached, { currentUser: true })
    .get('/wild/*', reached, { currentUser: true })
    .get('/head/:id', reached, { currentUser: true })
    .head('/only', reached, { currentUser: true })
    .options('/options', reached, { currentUser: true })
    .route('PROPFIND', '/dav', reached, { currentUser: true })
    .get('/spaced name', reached, { currentUser: true })
    .get('/ünïcode', reached, { currentUser: true })
    .get('/slash/', reached, { currentUser: true })
    .get('/constant', 'reached', { currentUser: true })
    .get('/response', new Response('reached'), { currentUser: true })
    .get('/async', async () => reached(), { currentUser: true })
    .get(
      '/generator',
      function* () {
        yield reached()
      },
      { currentUser: true },
    )
    .group('/group', { currentUser: true }, (inner) =>
      inner
        .get('', reached)
        .get('/x', reached)
        .group('/deep', (deep) => deep.get('/:id?', reached)),
    )
    .guard({ currentUser: true }, (inner) =>
      inner
        .get('/block', reached)
        .mount('/mounted', () => new Response(reached()))
        .mount('/app', new Elysia().get('/x', reached)),
    )
}

/** Paths that reach a guarded handler when a user asks. */
const REACHED: readonly [method: string, path: string][] = [
  ['GET', '/g'],
  ['GET', '/g?x=1'],
  ['GET', '/g/'],
  ['HEAD', '/g'],
  ['POST', '/g'],
  ['GET', '/all'],
  ['POST', '/all'],
  ['DELETE', '/all/1'],
  ['PROPFIND', '/all'],
  ['GET', '/every/'],
  ['PUT', '/every/a/b'],
  ['GET', '/optional'],
  ['GET', '/optional/'],
  ['GET', '/optional/1'],
  ['GET', '/param/1'],
  ['GET', '/param/%2e%2e%2f'],
  ['GET', '/param/1/'],
  ['GET', '/param/1/deep/2'],
  ['GET', '/wild/'],
  ['GET', '/wild/a/b/c'],
  ['GET', '/wild/%67'],
  ['HEAD', '/head/1'],
  ['HEAD', '/only'],
  ['OPTIONS', '/options'],
  ['PROPFIND', '/dav'],
  ['GET', '/spaced%20name'],
  ['GET', '/%C3%BCn%C3%AFcode'],
  ['GET', '/slash/'],
  ['GET', '/constant'],
  ['GET', '/response'],
  ['GET', '/async'],
  ['GET', '/generator'],
  ['GET', '/group'],
  ['GET', '/group/'],
  ['GET', '/group/x'],
  ['GET', '/group/deep'],
  ['GET', '/group/deep/1'],
  ['GET', '/block'],
  ['GET', '/mounted'],
  ['POST', '/mounted/a/b'],
  ['GET', '/app/x'],
]

describe.each([
  { name: 'plain', options: {} },
  { name: 'strict paths', options: { strictPath: true } },
])('$name', ({ options }) => {
  const app = createApp(options).listen({ port: 0, hostname: '127.0.0.1' })
  const origin = `http://127.0.0.1:${app.server?.port}`
  afterAll(() => app.stop(true))
  const isStrict = 'strictPath' in options

  test.each(REACHED)('%s %s is refused without the credential', async (method, path) => {
    const overSocket = await ask(origin + path, { method })
    const direct = await handle(app, path, { method })
    expect(ran).toBe(0)
    for (const { status, text } of [overSocket, direct]) {
      expect(text).not.toContain('reached')
      expect([401, 404]).toContain(status)
    }
    const isKnown = !isStrict && method !== 'HEAD' && !['PROPFIND /dav'].includes(`${method} ${path}`)
    if (isKnown && direct.status !== 404) expectRefusal(direct, 401, 'credential_missing')
  })

  test.each(REACHED.filter(([method]) => !isStrict && method !== 'HEAD'))(
    '%s %s works with it',
    async (method, path) => {
      const answers = [
        await ask(origin + path, { method, headers: PRESENT['user token'] }),
        await handle(app, path, { method, headers: PRESENT['user token'] }),
      ]
      expect(answers.map(({ text }) => text)).toEqual(['reached', 'reached'])
    },
  )

  test.each(['/g', '/head/1', '/only'])('HEAD %s says 401 without and 200 with the credential', async (path) => {
    expect((await ask(origin + path, { method: 'HEAD' })).status).toBe(401)
    expect((await ask(origin + path, { method: 'HEAD', headers: PRESENT['user token'] })).status).toBe(200)
  })

  test.each([
    '//g',
    '///g',
    '/G',
    '/%67',
    '/%2567',
    '/g%2f',
    '/g%00',
    '/x/../g',
    '/%2e/g',
    '/./g',
    '/x/%2e%2e/g',
    '/g/.',
    '/g;x=1',
    '/g#x',
    '/g%23',
    '/g%3Fx',
    '\\g',
    '/%5cg',
    '/g ',
    '/group//x',
    '/group/./x',
    '/GROUP/x',
    '/gro%75p/x',
    '/wild/../g',
    '/wild/%2e%2e/g',
    '/param//',
    '/all//',
    '/mounted/../g',
    '/app/../app/x',
    '/app//x',
    'http://elsewhere/g',
    'g',
    '*',
  ])('the raw path %j does not reach a handler', async (path) => {
    for (const host of ['localhost', 'x', '']) {
      const answer = await sendRaw(origin, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
      expect(answer?.text ?? '').not.toContain('reached')
      expect([400, 401, 404, 505, undefined]).toContain(answer?.status)
    }
    expect(ran).toBe(0)
  })

  test('a Host that moves the path reaches no handler', async () => {
    for (const path of [
      '/aaaaaaaaaaaa/g',
      '/a?aaaaaaaa/g',
      '/aaaaaa/g',
      '/aaaaaaaaaaaa/group/x',
      '/aaaaaaaaaaaa/wild/x',
    ]) {
      const answer = await sendRaw(origin, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
      expect(answer?.text ?? '').not.toContain('reached')
    }
    expect(ran).toBe(0)
  })

  test.each(['GET', 'POST', 'TRACE', 'OPTIONS', 'PATCH', 'QUERY', 'get', 'G', 'X'])(
    'the method %s reaches no handler',
    async (method) => {
      for (const path of ['/g', '/all', '/every/x', '/group', '/mounted', '/optional']) {
        const answer = await sendRaw(origin, `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
        expect(answer?.text ?? '').not.toContain('reached')
      }
      expect(ran).toBe(0)
    },
  )

  test.each(['X-HTTP-Method-Override', 'X-Original-URL', 'X-Rewrite-URL', 'X-Forwarded-Prefix'])(
    'the header %s changes nothing',
    async (name) => {
      const answer = await ask(`${origin}/g`, { headers: { [name]: '/options' } })
      expectRefusal(answer, 401, 'credential_missing')
    },
  )
})

test.each(['access_token', 'api_key', 'apikey', 'key', 'token', 'session_id', 'x-api-key', 'authorization'])(
  'P19: a credential in the query as %s counts for nothing',
  async (name) => {
    const app = createApp()
    for (const value of ['a.bob.s', 'mac_live_owned', 'bob', 'Bearer a.bob.s']) {
      const answer = await handle(app, `/g?${name}=${encodeURIComponent(value)}`)
      expect(summary(answer)).toBe('401 credential_missing')
    }
    expect(ran).toBe(0)
  },
)

test('under a prefix, the same routes are guarded, and none answers without it', async () => {
  await withServer(createApp({ prefix: '/api' }), async (origin) => {
    for (const [method, path] of REACHED) {
      const answer = await ask(`${origin}/api${path}`, { method })
      expect(answer.status === 401 || answer.status === 404).toBe(true)
      expect((await ask(origin + path, { method })).status).toBe(404)
    }
    expect(ran).toBe(0)
    expect((await ask(`${origin}/api/g`, { headers: PRESENT['user token'] })).text).toBe('reached')
    expect((await ask(`${origin}/api/group/deep/1`, { headers: PRESENT['user token'] })).text).toBe('reached')
  })
})
