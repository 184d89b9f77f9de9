/** SECURITY.md P52: whose address counts behind a real nginx. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { MachineAuthOptions } from '../../src/index.ts'
import { sendRaw } from '../guards/support.ts'
import { freePort } from '../support/servers/free-port.ts'
import { createTestApp, type TestApp } from '../support/test-app.ts'
import { askFrom, NGINX, type ProxyServer, type Sent, startNginx } from './nginx.ts'

const required = process.env.REQUIRE_SERVICES === '1'
const hasIPv6 = await freePort('::1').then(
  () => true,
  () => false,
)

const LIMIT = 5
const [CLIENT, OTHER] = ['127.0.0.2', '127.0.0.3']
/** Where the outer one of two proxies comes from. */
const OUTER = '127.0.0.8'
/** Named by nginx as one that the request came through. */
const BALANCER = '10.9.9.9'
const APPENDS = 'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for'

type TrustProxy = NonNullable<MachineAuthOptions['trustProxy']>

/** An application that says whom it takes the client for, and one limited route for each test. */
function createApp(trustProxy: TrustProxy, more: MachineAuthOptions<string, object> = {}): Promise<TestApp> {
  return createTestApp({ trustProxy, ...more }, (app) =>
    app
      .get('/whoami', ({ auth }) => auth.address, { public: true })
      .get('/limited/:test', () => 'ok', {
        rateLimit: { limit: LIMIT, window: '1m', by: ({ params, address }) => `${params.test} ${address}` },
      })
      .get('/counted', () => 'ok', { rateLimit: { limit: LIMIT, window: '1m', by: 'ip' } }),
  )
}

/** A header that a client makes up, different each time. */
function madeUp(index: number): string {
  const addresses = [
    `for=203.0.113.${index % 250}`,
    `203.0.113.${index % 250}`,
    `2001:db8:${index.toString(16)}::1`,
    '127.0.0.1',
    'unknown',
    '"',
  ]
  return [`10.0.${index >> 8}.${index & 255}`, addresses[index % addresses.length]].join(', ')
}

describe('nginx', () => {
  if (NGINX === null && !required) {
    test.skip('is not installed (REQUIRE_SERVICES=1 makes this a failure)', () => undefined)
    return
  }

  const apps: TestApp[] = []
  let stop: () => Promise<void> = async () => undefined
  /** Origins of nginx, by what it does; `direct` goes past it. */
  const at = { one: '', two: '', half: '', real: '', forwarded: '', balanced: '', six: '', direct: '' }

  beforeAll(async () => {
    if (NGINX === null) throw new Error('nginx is not installed')
    const listed = { from: ['127.0.0.1'] }
    apps.push(
      await createApp(listed, { abuse: { threshold: 3 } }),
      await createApp({ from: ['127.0.0.1', OUTER, BALANCER] }),
      await createApp({ ...listed, header: 'x-real-ip' }),
      await createApp({ ...listed, header: 'forwarded' }),
    )
    const [one, two, real, forwarded] = apps.map(({ origin }) => origin) as [string, string, string, string]
    at.direct = one
    const proxies: ProxyServer[] = []
    async function add(to: string, directives: readonly string[], host = '127.0.0.1'): Promise<string> {
      const listen = `${host}:${await freePort(host.replace(/^\[|\]$/g, ''))}`
      proxies.push({ listen, to, directives })
      return `http://${listen}`
    }
    at.one = await add(one, [APPENDS])
    at.two = await add(await add(two, [APPENDS]), [APPENDS, `proxy_bind ${OUTER}`])
    at.balanced = await add(two, [`proxy_set_header X-Forwarded-For "$http_x_client, ${BALANCER}"`])
    at.half = await add(at.one, [APPENDS, `proxy_bind ${OUTER}`])
    at.real = await add(real, ['proxy_set_header X-Real-IP $remote_addr'])
    at.forwarded = await add(forwarded, ['proxy_set_header Forwarded "$http_forwarded, for=$remote_addr"'])
    if (hasIPv6) at.six = await add(one, [APPENDS], '[::1]')
    stop = (await startNginx(NGINX, proxies)).stop
  })
  afterAll(async () => {
    await stop()
    for (const app of apps) await app.close()
  })

  const whoami = async (origin: string, sent: Sent) => (await askFrom(origin, '/whoami', sent)).text

  test.each<{ name: string; place: keyof typeof at; headers?: Record<string, string>; expected: string }>([
    { name: 'one proxy', place: 'one', expected: CLIENT },
    {
      name: 'an X-Forwarded-For of its own',
      place: 'one',
      headers: { 'x-forwarded-for': '203.0.113.9' },
      expected: CLIENT,
    },
    { name: 'one that names the proxy', place: 'one', headers: { 'x-forwarded-for': '127.0.0.1' }, expected: CLIENT },
    { name: 'one that no one can read', place: 'one', headers: { 'x-forwarded-for': '", a, ,' }, expected: CLIENT },
    { name: 'an empty one', place: 'one', headers: { 'x-forwarded-for': '' }, expected: CLIENT },
    { name: 'a Forwarded', place: 'one', headers: { forwarded: 'for=203.0.113.9' }, expected: CLIENT },
    {
      name: 'headers that others go by',
      place: 'one',
      headers: {
        'x-real-ip': '203.0.113.9',
        'cf-connecting-ip': '203.0.113.9',
        'true-client-ip': '203.0.113.9',
        'x-client-ip': '203.0.113.9',
      },
      expected: CLIENT,
    },
    {
      name: 'two proxies, both listed',
      place: 'two',
      headers: { 'x-forwarded-for': '203.0.113.9, 127.0.0.8' },
      expected: CLIENT,
    },
    { name: 'two proxies, of which one is listed', place: 'half', expected: OUTER },
    { name: 'none', place: 'direct', headers: { 'x-forwarded-for': '203.0.113.9' }, expected: CLIENT },
    {
      name: 'X-Real-IP, which nginx replaces',
      place: 'real',
      headers: { 'x-real-ip': '203.0.113.9', 'x-forwarded-for': '203.0.113.9' },
      expected: CLIENT,
    },
    {
      name: 'Forwarded, which nginx extends',
      place: 'forwarded',
      headers: { forwarded: 'for=203.0.113.9;proto="', 'x-forwarded-for': '203.0.113.9' },
      expected: CLIENT,
    },
  ])('$name: the client is $expected', async ({ place, headers = {}, expected }) => {
    expect(await whoami(at[place], { from: CLIENT, headers })).toBe(expected)
  })

  test.each<{ name: string; place: keyof typeof at; header: string; times: number }>([
    { name: 'behind nginx', place: 'one', header: 'x-forwarded-for', times: 200 },
    { name: 'behind two of them', place: 'two', header: 'x-forwarded-for', times: 200 },
    { name: 'with a header nobody asked for', place: 'one', header: 'forwarded', times: 200 },
    { name: 'that goes past nginx', place: 'direct', header: 'x-forwarded-for', times: 1000 },
  ])('a client $name is one, whatever it says $times times', async ({ name, place, header, times }) => {
    const path = `/limited/${encodeURIComponent(name)}`
    const said = new Map<string, number>()
    for (let asked = 0; asked < times; asked += 20) {
      const answers = Array.from({ length: 20 }, (_, index) =>
        askFrom(at[place], path, { from: CLIENT, headers: { [header]: madeUp(asked + index) } }),
      )
      for (const answer of await Promise.all(answers)) said.set(answer.said, (said.get(answer.said) ?? 0) + 1)
    }
    expect(Object.fromEntries(said)).toEqual({ 200: LIMIT, '429 rate_limited': times - LIMIT })
    expect((await askFrom(at[place], path, { from: OTHER })).said).toBe('200')
  })

  test('each client has his own count, also in what the headers tell', async () => {
    const remaining = async (from: string) =>
      (await askFrom(at.one, '/counted', { from, headers: { 'x-forwarded-for': '203.0.113.9' } })).headers.get(
        'x-ratelimit-remaining',
      )
    const seen = [CLIENT, OTHER, CLIENT, '127.0.0.4', OTHER, CLIENT]
    const told: (string | null)[] = []
    for (const from of seen) told.push(await remaining(from))
    expect(told).toEqual(['4', '4', '3', '4', '3', '2'])
  })

  test('who presents wrong keys is blocked, and nobody else, whomever he names', async () => {
    const [, attacker, victim] = [CLIENT, '127.0.0.21', '127.0.0.22']
    const asks = (from: string, headers = {}) => askFrom(at.one, '/key', { from, headers })
    for (let index = 0; index < 3; index++) {
      const answer = await asks(attacker, { 'x-api-key': `wrong-${index}`, 'x-forwarded-for': victim })
      expect(answer.said).toBe('401 api_key_invalid')
    }
    const refused = await asks(attacker, { 'x-forwarded-for': victim })
    expect([refused.said, refused.headers.has('retry-after')]).toEqual(['403 address_blocked', true])
    expect((await asks(victim)).said).toBe('401 credential_missing')
  })

  test.each([
    ['203.0.113.1', '203.0.113.1'],
    ['203.0.113.1, 203.0.113.2', '203.0.113.2'],
    [`203.0.113.1, ${BALANCER}`, '203.0.113.1'],
    ['2001:DB8::1', '2001:db8::1'],
    ['::ffff:203.0.113.1', '203.0.113.1'],
    ['203.0.113.1:8080', '203.0.113.1'],
    ['unknown', BALANCER],
  ])('of hops %j before a balancer the client is %s', async (hops, client) => {
    expect(await whoami(at.balanced, { headers: { 'x-client': hops } })).toBe(client)
  })

  test('clients of one /64 are counted together, those of two are not', async () => {
    const said: string[] = []
    for (let index = 0; index <= LIMIT; index++) {
      said.push((await askFrom(at.balanced, '/counted', { headers: { 'x-client': `2001:db8::${index}` } })).said)
    }
    expect(said).toEqual([...Array<string>(LIMIT).fill('200'), '429 rate_limited'])
    const other = await askFrom(at.balanced, '/counted', { headers: { 'x-client': '2001:db8:0:1::1' } })
    expect(other.said).toBe('200')
  })

  test('two headers of one name are one list, read from its end', async () => {
    // Comes from where nginx does, which is listed.
    const head = 'Host: x\r\nX-Forwarded-For: 203.0.113.1\r\nX-Forwarded-For: 203.0.113.2\r\nConnection: close\r\n'
    const answer = await sendRaw(at.one, `GET /whoami HTTP/1.1\r\n${head}\r\n`)
    expect(answer?.text).toEndWith('\r\n\r\n203.0.113.2')
  })

  test.skipIf(!hasIPv6)('an IPv6 client is counted by its /64, and gains nothing by what it says', async () => {
    expect(await whoami(at.six, {})).toBe('::1')
    expect(await whoami(at.six, { headers: { 'x-forwarded-for': '2001:db8::1' } })).toBe('::1')
    const said: string[] = []
    for (let index = 0; index < LIMIT + 1; index++) {
      said.push((await askFrom(at.six, '/counted', { headers: { 'x-forwarded-for': madeUp(index) } })).said)
    }
    expect(said).toEqual([...Array<string>(LIMIT).fill('200'), '429 rate_limited'])
  })
})
