/** SECURITY.md, network identity and limits: whom a limit takes for one client, and what it lets through. */
import { describe, expect, test } from 'bun:test'
import type { LimitStrategy } from '../../src/options/limit-types.ts'
import { handle } from '../guards/support.ts'
import { askTimes, BLOCKED, type Extend, from, LIMITED, PROXIED, remainingOf } from '../support/limited.ts'
import { createTestApp, createTestCore, type Question, START, type TestApp } from '../support/test-app.ts'

type Headers = Readonly<Record<string, string>>

const open = () => 'open'
const TEN: Extend = (app) => app.get('/x', open, { rateLimit: { limit: 10, window: '1m' } })

/** Asks once with each of these headers, some at a time; answers how often it was let in. */
async function countAdmitted(app: TestApp, path: string, headers: readonly Headers[]): Promise<number> {
  let admitted = 0
  for (let start = 0; start < headers.length; start += 50) {
    const asked = headers.slice(start, start + 50).map((each) => app.ask(path, { headers: each }))
    for (const { said } of await Promise.all(asked)) {
      expect(['200', LIMITED]).toContain(said)
      if (said === '200') admitted += 1
    }
  }
  return admitted
}

function addresses(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `198.51.${index >> 8}.${index & 255}`)
}

describe('P52 one client', () => {
  test('is whoever makes up an address a thousand times over', async () => {
    await using app = await createTestApp({}, TEN)
    expect(await countAdmitted(app, '/x', addresses(1000).map(from))).toBe(10)
  })

  test('and an address made up in any other header', async () => {
    await using app = await createTestApp({}, TEN)
    const names = ['forwarded', 'x-real-ip', 'cf-connecting-ip', 'true-client-ip', 'x-client-ip', 'fly-client-ip']
    const headers = names.flatMap((name) =>
      addresses(10).map((address) => ({ [name]: name === 'forwarded' ? `for=${address}` : address })),
    )
    expect(await countAdmitted(app, '/x', headers)).toBe(10)
  })

  test('is whoever comes through a trusted proxy and adds addresses of his own', async () => {
    await using app = await createTestApp(PROXIED, TEN)
    const made = addresses(50).map((address) => from(`${address}, 203.0.113.7`))
    expect(await countAdmitted(app, '/x', made)).toBe(10)
    // He is not the one whose address he wrote.
    expect(await countAdmitted(app, '/x', [from('198.51.0.1')])).toBe(1)
  })

  test('is the rightmost hop that is no proxy', async () => {
    await using app = await createTestApp({ trustProxy: { from: ['127.0.0.1', '10.0.0.0/8'] } }, TEN)
    const throughTwo = addresses(50).map((address, index) => from(`${address}, 203.0.113.7, 10.0.0.${index}`))
    expect(await countAdmitted(app, '/x', throughTwo)).toBe(10)
    expect(await countAdmitted(app, '/x', [from('203.0.113.7, 203.0.113.8, 10.0.0.1')])).toBe(1)
  })

  test('is the proxy itself when its header tells nothing, whatever other headers say', async () => {
    await using app = await createTestApp(PROXIED, TEN)
    const headers = addresses(30).flatMap((address): readonly Headers[] => [
      { forwarded: `for=${address}` },
      { 'x-real-ip': address },
      { 'x-forwarded-for': `${address}, unknown` },
      { 'x-forwarded-for': `"${address}"` },
    ])
    expect(await countAdmitted(app, '/x', headers)).toBe(10)
  })

  test('is read from the configured header alone', async () => {
    await using app = await createTestApp({ trustProxy: { from: ['127.0.0.1'], header: 'forwarded' } }, TEN)
    const forwarded = (address: string, made: string) => ({
      forwarded: `for=${made}, for=${address}`,
      'x-forwarded-for': made,
    })
    expect(
      await countAdmitted(
        app,
        '/x',
        addresses(40).map((made) => forwarded('203.0.113.7', made)),
      ),
    ).toBe(10)
    expect(await countAdmitted(app, '/x', [forwarded('203.0.113.8', '203.0.113.7')])).toBe(1)
  })
})

describe('P53 one client', () => {
  const network = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, index) => from(`${prefix}:${index.toString(16)}:beef:${index % 7}:1`))

  test('is whoever has a /64, by all of its addresses', async () => {
    await using app = await createTestApp(PROXIED, TEN)
    expect(await countAdmitted(app, '/x', network('2001:db8:0:1', 1000))).toBe(10)
    expect(await countAdmitted(app, '/x', network('2001:db8:0:2', 20))).toBe(10)
  })

  test('and is blocked by all of them', async () => {
    await using app = await createTestApp(PROXIED)
    await app.core.blocks.add({ subject: '2001:db8:0:1::7', duration: '1h' })
    const said = async (address: string) => (await app.ask('/open', { headers: from(address) })).said
    expect([await said('2001:db8:0:1:ffff::1'), await said('2001:db8:0:2::7')]).toEqual([BLOCKED, '200'])
  })
})

test('P54 cheap requests of every kind count to one limit', async () => {
  const cheap: readonly [path: string, question: Question][] = [
    ['/auth/login', { raw: '{' }],
    ['/nowhere', {}],
    ['/open', { method: 'HEAD' }],
    ['/open', { method: 'OPTIONS' }],
    ['/open/', {}],
    ['//open', {}],
    ['/OPEN', {}],
    ['/key', {}],
  ]
  for (const [path, question] of cheap) {
    await using app = await createTestApp({ rateLimit: { default: { limit: 9, window: '1m' } } })
    for (const [other, asked] of cheap) await app.ask(other, asked)
    expect((await app.ask(path, question)).status).not.toBe(429)
    expect([path, (await app.ask(path, question)).status]).toEqual([path, 429])
  }
})

describe.each(['sliding-window', 'sliding-window-counter', 'token-bucket'] satisfies LimitStrategy[])(
  '%s',
  (strategy) => {
    const limited = (limit: number) =>
      createTestApp({ rateLimit: { strategy } }, (app) => app.get('/x', open, { rateLimit: { limit, window: '1m' } }))

    /** Asks at these times (ms after START) and answers those at which it was let in. */
    async function admittedAt(app: TestApp, times: readonly number[]): Promise<readonly number[]> {
      const admitted: number[] = []
      for (const time of times) {
        app.time.now = START + time
        const { said } = await app.ask('/x')
        if (said === '200') admitted.push(time)
      }
      return admitted
    }

    const mostIn = (window: number, times: readonly number[]) =>
      Math.max(...times.map((start) => times.filter((time) => time >= start && time < start + window).length))

    test('P56 admits as much as the limit is to who hammers at twice the rate', async () => {
      await using app = await limited(60)
      const admitted = await admittedAt(
        app,
        Array.from({ length: 360 }, (_, index) => index * 500),
      )
      // A bucket that was full in the beginning has that much more to give.
      const most = strategy === 'token-bucket' ? 240 : 181
      expect([admitted.length >= 176, admitted.length <= most]).toEqual([true, true])
      for (const minute of [1, 2]) {
        const within = admitted.filter((time) => time >= minute * 60_000 && time < (minute + 1) * 60_000)
        expect([minute, within.length >= 58, within.length <= 61]).toEqual([minute, true, true])
      }
      if (strategy === 'sliding-window') expect(mostIn(60_000, admitted)).toBe(60)
    })

    test('P57 never refuses who comes every 0.9 windows', async () => {
      // Two buckets only estimate what was in the window: with a limit of two they are off by too much.
      for (const limit of strategy === 'sliding-window-counter' ? [10] : [2, 10]) {
        await using app = await limited(limit)
        const times = Array.from({ length: 20 }, (_, index) => index * 54_000)
        expect(await admittedAt(app, times)).toEqual(times)
      }
    })
  },
)

test('P55 never admits more than the limit in any window, at its boundary least of all', async () => {
  await using app = await createTestApp({}, (inner) =>
    inner.get('/x', open, { rateLimit: { limit: 60, window: '1m' } }),
  )
  const burst = async (at: number) => {
    app.time.now = START + at
    return (await askTimes(app, 60, '/x')).filter((said) => said === '200').length
  }
  expect(await burst(59_000)).toBe(60)
  expect(await burst(60_000)).toBe(0)
  expect(await burst(118_999)).toBe(0)
  expect(await burst(119_000)).toBe(60)
})

describe('P58 more clients than are remembered', () => {
  const MOST = 1000
  const create = () =>
    createTestApp({ rateLimit: { maxSubjects: MOST } }, (app) =>
      app.get('/x', open, {
        rateLimit: { limit: 2, window: '1m', by: ({ request }) => request.headers.get('x-client') ?? '', name: 'x' },
      }),
    )
  /** Without a socket, which thousands of requests would only wait for. */
  const come = async (app: TestApp, client: string) => {
    const { status, headers } = await handle(app.app, '/x', { headers: { 'x-client': client } })
    return status === 200 ? (remainingOf({ headers }).x ?? -1) : status
  }

  test('do not make it forget who is active, and are not let through unseen', async () => {
    await using app = await create()
    for (let index = 0; index < MOST; index += 1) expect(await come(app, `old-${index}`)).toBe(1)
    const newcomers: number[] = []
    for (let index = 0; index < 3 * MOST; index += 1) newcomers.push(await come(app, `new-${index}`))
    // They share what one of them would have.
    expect(newcomers.filter((each) => each !== 429)).toEqual([1, 0])
    for (const index of [0, 500, 999]) {
      expect([await come(app, `old-${index}`), await come(app, `old-${index}`)]).toEqual([0, 429])
    }
  })

  test('have a place each as soon as others are idle', async () => {
    await using app = await create()
    for (let index = 0; index < MOST; index += 1) await come(app, `old-${index}`)
    expect([await come(app, 'a'), await come(app, 'b'), await come(app, 'c')]).toEqual([1, 0, 429])
    app.time.now += 60_000
    for (let index = 0; index < MOST; index += 1) expect(await come(app, `new-${index}`)).toBe(1)
  })

  test('do not end a lockout or a block', async () => {
    await using app = await createTestApp({ ...PROXIED, rateLimit: { maxSubjects: MOST } }, (inner) =>
      inner.get('/x', open, {
        rateLimit: {
          limit: 1,
          window: '1m',
          lockout: '1h',
          by: ({ request }) => request.headers.get('x-client') ?? '',
        },
      }),
    )
    expect([await come(app, 'locked'), await come(app, 'locked')]).toEqual([-1, 429])
    await app.core.blocks.add({ subject: '203.0.113.1', duration: '1h' })
    for (let index = 0; index < 2 * MOST; index += 1) await come(app, `new-${index}`)
    expect(await come(app, 'locked')).toBe(429)
    expect((await app.ask('/open', { headers: from('203.0.113.1') })).said).toBe(BLOCKED)
  })
})

describe('P61 a lockout in words', () => {
  const options = (text: string | number) => [
    { abuse: { blockFor: text } },
    { rateLimit: { default: { limit: 1, window: '1m', lockout: text } } },
  ]

  test.each(['25:99', 'soon', '24:00', '13:00 PM', '', 0, '0s'])('%j refuses the start', (text) => {
    for (const given of options(text)) expect(() => createTestCore(given)).toThrow(TypeError)
  })

  test.each<[text: string | number, now: number, end: number]>([
    [86_400, START, START + 86_400_000],
    ['1 hour', START, START + 3_600_000],
    ['2 days', START, START + 172_800_000],
    ['16:00', START, Date.UTC(2030, 0, 1, 16)],
    ['4 pm', START, Date.UTC(2030, 0, 1, 16)],
    ['4:00 PM', Date.UTC(2030, 0, 1, 17), Date.UTC(2030, 0, 2, 16)],
  ])('%j ends when it says', async (text, now, end) => {
    for (const given of options(text)) {
      await using app = await createTestApp({
        ...given,
        ...('abuse' in given ? { abuse: { ...given.abuse, threshold: 1 } } : {}),
      })
      app.time.now = now
      await askTimes(app, 2, '/key', { headers: { 'x-api-key': 'wrong' } })
      const refused = await app.ask('/key')
      expect([403, 429]).toContain(refused.status)
      expect(refused.headers.get('retry-after')).toBe(String((end - now) / 1000))
    }
  })
})

describe('an address that nobody knows', () => {
  test('is one client for all: strict, and never left out', async () => {
    await using app = await createTestApp({ rateLimit: { default: { limit: 3, window: '1m' } } })
    const statuses: number[] = []
    for (const path of ['/open', '/nowhere', '/open', '/open', '/key']) {
      statuses.push((await handle(app.app, path, { headers: from(`10.0.0.${statuses.length}`) })).status)
    }
    expect(statuses).toEqual([200, 404, 200, 429, 429])
    // Who comes over a socket is somebody else.
    expect((await app.ask('/open')).said).toBe('200')
  })

  test('can be blocked like any other', async () => {
    await using app = await createTestApp()
    await app.core.blocks.add({ subject: 'unknown', duration: '1h' })
    expect((await handle(app.app, '/open')).status).toBe(403)
    expect((await app.ask('/open')).said).toBe('200')
  })
})
