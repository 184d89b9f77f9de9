/**
 * SECURITY P71, R6: the router goes by the bytes a client sent, the URL of the request is what Bun made of them. What a
 * path rule or a block decides must hold for both.
 */
import { afterAll, describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { sendRaw } from '../guards/support.ts'
import { BLOCKED, type Extend } from '../support/limited.ts'
import { addKey, createTestApp, type TestApp } from '../support/test-app.ts'

let ran = 0
function reach(): string {
  ran += 1
  return 'reached'
}

const routes: Extend = (app) =>
  app
    .get('/', () => 'root')
    .get('/closed/:id', reach)
    .post('/closed/:id', reach)
    .get('/closed/:id/deep', reach)
    .get('/closed/files/*', reach)
    .get('/closed/maybe/:id?', reach)
    .get('/closed/v:version', reach)
    .get('/closed/response/:id', () => new Response(reach()))
    .get('/closed/later/:id', async () => reach())
    .group('/closed/group', (inner) => inner.get('/:id', reach))
    .use(new Elysia({ prefix: '/closed/module' }).get('/:id', reach))
    .mount('/closed/mounted', () => new Response(reach()))
    .all('/closed/all/:id', reach)

/** What `fetch` would never send. */
const TARGETS = [
  '/closed/..',
  '/closed/%2e%2e',
  '/closed/%2E%2E',
  '/closed/.%2e',
  '/closed/.',
  '/closed/%2e',
  '/closed/..\\7',
  '/closed/..%5c7',
  '/closed/..%2f7',
  '/closed/../..',
  '/closed/%2e%2e/deep',
  '/closed/../deep',
  '/closed/..\\..\\x/deep',
  '/closed/files/..',
  '/closed/files/../..',
  '/closed/files/../../open',
  '/closed/files/%2e%2e/%2e%2e/open',
  '/closed/files/..\\..\\open',
  '/closed/maybe/..',
  '/closed/maybe/%2e%2e',
  '/closed/v..',
  '/closed/response/..',
  '/closed/response/%2e%2e',
  '/closed/later/..',
  '/closed/group/..',
  '/closed/group/%2e%2e',
  '/closed/module/..',
  '/closed/mounted/..',
  '/closed/mounted/../..',
  '/closed/mounted/%2e%2e/%2e%2e',
  '/closed/all/..',
  '/closed/all/%2e%2e',
  '/closed//..',
  '/closed/..//',
  '/closed/..;x',
  '/closed/..?x=1',
  '/closed/..#x',
  '/x/../closed/..',
  'http://localhost/closed/..',
  'http://localhost/closed/%2e%2e',
]

const METHODS = ['GET', 'POST', 'HEAD', 'OPTIONS', 'PUT'] as const
const HOSTS = ['localhost', 'x', 'a b', ''] as const

async function send(app: TestApp, method: string, target: string, host = 'localhost', lines = ''): Promise<string> {
  const head = `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Length: 0\r\n${lines}\r\n`
  const answer = await sendRaw(app.origin, head)
  const code = /"code":"(\w+)"/.exec(answer?.text ?? '')?.[1]
  return code === undefined ? String(answer?.status ?? 'closed') : `${answer?.status} ${code}`
}

const open = await createTestApp({}, routes)
const ruled = await createTestApp({ protect: [{ path: '/closed', require: { apiKey: true } }] }, routes)
const blocked = await createTestApp({}, routes)
await blocked.core.blocks.add({ subject: '127.0.0.1', duration: '1h', scope: 'path', path: '/closed' })
afterAll(() => Promise.all([open.close(), ruled.close(), blocked.close()]))

describe('a target that the URL hides', () => {
  test('reaches a handler below /closed where nothing is closed', async () => {
    ran = 0
    for (const target of ['/closed/..', '/closed/%2e%2e', '/closed/..\\7', '/closed/files/..']) {
      await send(open, 'GET', target)
    }
    // Or the tests below would show nothing.
    expect(ran).toBeGreaterThan(1)
  })

  test.each(TARGETS)('reaches none under a rule: %j', async (target) => {
    for (const method of METHODS) {
      for (const host of HOSTS) {
        ran = 0
        const said = await send(ruled, method, target, host)
        expect([method, host, said, ran]).toEqual([method, host, said, 0])
        // Where it stands for no path below /closed, it is what stands there.
        expect(said).toMatch(/^(401( credential_missing)?|404( not_found)?|400( \w+)?|200|closed)$/)
      }
    }
  })

  test.each(TARGETS)('reaches none that is blocked: %j', async (target) => {
    for (const method of METHODS) {
      ran = 0
      const said = await send(blocked, method, target)
      expect([method, said, ran]).toEqual([method, said, 0])
    }
  })

  test.each(['/closed/..', '/closed/%2e%2e', '/closed/..\\7'])('%s is refused as what it reaches', async (target) => {
    expect(await send(ruled, 'GET', target)).toBe('401 credential_missing')
    expect(await send(blocked, 'GET', target)).toBe(BLOCKED)
  })

  test('is served to who has what the rule asks for', async () => {
    const key = await addKey(ruled)
    ran = 0
    expect(await send(ruled, 'GET', '/closed/..', 'localhost', `X-API-Key: ${key.rawKey}\r\n`)).toBe('200')
    expect(await send(ruled, 'GET', '/closed/7', 'localhost', `X-API-Key: ${key.rawKey}\r\n`)).toBe('200')
    expect(ran).toBe(2)
  })

  test('leaves what is outside as it is', async () => {
    for (const app of [ruled, blocked]) {
      expect(await send(app, 'GET', '/')).toBe('200')
      expect(await send(app, 'GET', '/open')).toBe('200')
      expect(await send(app, 'GET', '/nowhere/..')).not.toMatch(/^40[13]/)
    }
  })
})

test('a route below a rule that says public is public by its hidden targets too, and no other one is', async () => {
  await using app = await createTestApp({ protect: [{ path: '/closed', require: { apiKey: true } }] }, (inner) =>
    inner.get('/closed/public/:id', () => 'public', { public: true }).get('/closed/:id', reach),
  )
  ran = 0
  expect(await send(app, 'GET', '/closed/public/1')).toBe('200')
  expect(await send(app, 'GET', '/closed/public/..')).toMatch(/^(200|401 credential_missing)$/)
  for (const target of ['/closed/..', '/closed/1', '/closed/public/../x', '/closed/public/%2e%2e/x']) {
    await send(app, 'GET', target)
  }
  expect(ran).toBe(0)
})
