/** SECURITY P52: a client behind nginx, which writes `X-Forwarded-For` as its documentation says. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sendRaw } from '../guards/support.ts'
import { askTimes, BLOCKED, LIMITED } from '../support/limited.ts'
import { askServer, createTestApp, type Question, type TestApp } from '../support/test-app.ts'

const NGINX = Bun.which('nginx') ?? ['/usr/sbin/nginx'].find(existsSync)

/** A port that was free a moment ago. */
function findPort(): number {
  const listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: () => undefined } })
  const { port } = listener
  listener.stop(true)
  return port
}

/** It asks the app from another address than the tests ask it from. */
function configOf(directory: string, port: number, upstream: string): string {
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${directory}/${name};`)
    .join('\n')
  return `
    daemon off;
    worker_processes 1;
    pid ${directory}/nginx.pid;
    error_log ${directory}/error.log;
    events {}
    http {
      access_log off;
      ${temp}
      server {
        listen 127.0.0.1:${port};
        location / {
          proxy_pass ${upstream};
          proxy_bind 127.0.0.2;
          proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }
        # As a load balancer before it would have written it.
        location /from/ {
          proxy_pass ${upstream}/;
          proxy_bind 127.0.0.2;
          proxy_set_header X-Forwarded-For "$http_x_client, 10.9.9.9";
        }
      }
    }`
}

// In continuous integration it must be there.
describe.skipIf(NGINX === undefined && process.env.REQUIRE_SERVICES !== '1')('behind nginx', () => {
  const directory = join(tmpdir(), `machine-auth-nginx-${crypto.randomUUID()}`)
  const port = findPort()
  const origin = `http://127.0.0.1:${port}`
  let app: TestApp
  let nginx: Bun.Subprocess | undefined

  beforeAll(async () => {
    const options = { trustProxy: { from: ['127.0.0.2', '10.9.9.9'] }, abuse: { threshold: 3 } }
    app = await createTestApp(options, (inner) =>
      inner.get('/x', ({ auth }) => auth.address, { rateLimit: { limit: 5, window: '1m' } }),
    )
    mkdirSync(directory)
    writeFileSync(join(directory, 'nginx.conf'), configOf(directory, port, app.origin))
    nginx = Bun.spawn([NGINX ?? '', '-p', directory, '-c', join(directory, 'nginx.conf')], { stderr: 'ignore' })
    const end = performance.now() + 4000
    while (performance.now() < end) {
      if ((await fetch(`${origin}/open`).catch(() => null))?.status === 200) return
      await Bun.sleep(10)
    }
    throw new Error('nginx did not start')
  })
  afterAll(async () => {
    nginx?.kill()
    await nginx?.exited
    await app.close()
    rmSync(directory, { recursive: true, force: true })
  })

  const ask = (path: string, question: Question = {}) => askServer(origin, path, question)

  test('whoever comes directly is the socket’s address, whatever he writes', async () => {
    const said: string[] = []
    for (let index = 0; index < 40; index += 1) {
      const headers = { 'x-forwarded-for': `198.51.100.${index}`, forwarded: `for=198.51.100.${index}` }
      said.push((await ask('/x', { headers })).said)
    }
    expect(said.filter((each) => each === '200')).toHaveLength(5)
    expect(said.filter((each) => each === LIMITED)).toHaveLength(35)
  })

  test('two headers of one name are one list, of which nginx wrote the end', async () => {
    app.time.now += 60_000
    const head = `Host: x\r\nX-Forwarded-For: 198.51.100.1\r\nX-Forwarded-For: 198.51.100.2\r\nConnection: close\r\n`
    const answer = await sendRaw(origin, `GET /x HTTP/1.1\r\n${head}\r\n`)
    expect(answer?.text).toEndWith('127.0.0.1')
  })

  test('clients are told apart by the rightmost hop that is no proxy', async () => {
    const from = (address: string) => ({ headers: { 'x-client': address } })
    expect((await ask('/from/x', from('203.0.113.1'))).text).toBe('203.0.113.1')
    expect(await askTimes({ ask }, 6, '/from/x', from('203.0.113.2'))).toEqual([...Array(5).fill('200'), LIMITED])
    expect((await ask('/from/x', from('203.0.113.2, 203.0.113.3'))).text).toBe('203.0.113.3')
    expect((await ask('/from/x', from('2001:db8::1'))).text).toBe('2001:db8::1')
  })

  test('wrong keys block the client that presents them, and not the proxy', async () => {
    const wrong = { headers: { 'x-client': '203.0.113.9', 'x-api-key': 'wrong' } }
    const refused = '401 api_key_invalid'
    expect(await askTimes({ ask }, 5, '/from/key', wrong)).toEqual([refused, refused, refused, BLOCKED, BLOCKED])
    expect((await ask('/from/open', { headers: { 'x-client': '203.0.113.10' } })).said).toBe('200')
    expect((await ask('/open')).said).toBe('200')
  })
})
