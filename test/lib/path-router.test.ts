import { afterAll, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { createPathMatcher, requestPath, routedPaths } from '../../src/lib/path.ts'

/** What a path rule would have decided about the last request that reached a handler below `/api`. */
const guards = createPathMatcher('/api/*')
const reached: { readonly guarded: boolean; readonly byUrlAlone: boolean }[] = []

function reach({ request }: { request: Request }): string {
  const guarded = routedPaths(request.url).some(guards)
  reached.push({ guarded, byUrlAlone: guards(requestPath(request.url)) })
  return 'secret'
}

const app = new Elysia()
  .get('/public', 'public')
  .get('/api/secret', reach)
  .get('/api/files/*', reach)
  .get('/:section/data', (context) => (context.params.section.toLowerCase() === 'api' ? reach(context) : 'other'))
  .listen(0)
afterAll(() => app.stop(true))

/** One request as bytes: `fetch` would normalize the target and refuse the Host. Answers the status. */
async function send(target: string, host: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let answer = ''
  await Bun.connect({
    hostname: '127.0.0.1',
    port: app.server?.port ?? 0,
    socket: {
      open: (socket) => void socket.write(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
      data: (_socket, bytes) => {
        answer += bytes.toString()
      },
      close: () => resolve(answer),
      error: (_socket, error) => reject(error),
    },
  })
  return Number((await promise).slice(9, 12))
}

const TARGETS = [
  '/api/secret',
  '/api/secret/',
  '//api/secret',
  '/API/secret',
  '/%61pi/secret',
  '/x/../api/secret',
  '/x/%2e%2e/api/secret',
  '/api\\secret',
  '/api/files/a//b',
  '/api/files/..%2f..%2fpublic',
  '/api/files/%zz',
  '/%61pi/data',
  '/API/data',
  '/aaaaaaaaaaaa/api/secret',
  '/a?aaaaaaaaaaaa/api/secret',
  '/aaaaaaaaaaaa/api/files/x',
  'http://other/api/secret',
]
const HOSTS = ['localhost', 'a.example:99999', 'x', 'a b', '[::', 'h/api/secret?', '', 'user@host']

test.each(HOSTS)('no spelling reaches a handler below the prefix unseen, with Host %j', async (host) => {
  reached.length = 0
  for (const target of TARGETS) await send(target, host)
  expect(reached.length).toBeGreaterThan(3)
  expect(reached.filter(({ guarded }) => !guarded)).toEqual([])
})

test('the URL alone would not do: with a short Host the router starts in the middle of the path', async () => {
  reached.length = 0
  expect(await send('/aaaaaaaaaaaa/api/secret', 'x')).toBe(200)
  expect(await send('/aaaaaaaaaaaa/api/secret', 'a b')).toBe(200)
  expect(reached).toEqual([
    { guarded: true, byUrlAlone: false },
    { guarded: true, byUrlAlone: false },
  ])
})
