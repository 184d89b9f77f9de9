/** CONTRACT section 3: every answer of a limited route says how its limits stand, whoever made the answer. */
import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import { t as schema } from 'elysia'
import { MachineAuthError } from '../../src/index.ts'
import { expectProblem } from '../support/answers.ts'
import { BLOCKED, type Extend, from, LIMITED, LOCKED, PROXIED } from '../support/limited.ts'
import { type Answer, addKey, createTestApp, type Question, START, type TestApp } from '../support/test-app.ts'
import { sendRaw, withLog } from './support.ts'

const THRICE = { limit: 3, window: '1m', name: 'thrice' } as const

const NAMES = [
  'ratelimit-policy',
  'ratelimit',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
  'retry-after',
] as const

/** The headers of limits that an answer has. */
function headersOf({ headers }: Pick<Answer, 'headers'>): Readonly<Record<string, string>> {
  return Object.fromEntries(NAMES.flatMap((name) => (headers.has(name) ? [[name, headers.get(name) ?? '']] : [])))
}

/** What an answer must say when so much is left of `THRICE` at `START`. */
function standing(remaining: number): Readonly<Record<string, string>> {
  return {
    'ratelimit-policy': '"thrice";q=3;w=60',
    ratelimit: `"thrice";r=${remaining};t=60`,
    'x-ratelimit-limit': '3',
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-reset': String(START / 1000 + 60),
  }
}

/** Every way a handler can answer. */
const routes: Extend = (app) =>
  app.guard({ rateLimit: { ...THRICE, scope: 'global' } }, (inner) =>
    inner
      .get('/a/text', () => 'text')
      .get('/a/later', async () => 'text')
      .get('/a/json', () => ({ a: 1 }))
      .get('/a/nothing', () => null)
      .get('/a/constant', 'constant')
      .get('/a/constant/response', new Response('constant'))
      .get('/a/response', () => new Response('mine', { status: 201, headers: { 'x-mine': '1' } }))
      .get('/a/response/later', async () => new Response('mine', { status: 201 }))
      .get('/a/foreign', () => Promise.resolve(Response.json({ a: 1 })))
      .get('/a/redirect', ({ redirect }) => redirect('/open'))
      .get('/a/status', ({ status }) => status(418, 'tea'))
      .get('/a/file', () => Bun.file(import.meta.path))
      .get('/a/stream', function* () {
        yield 'a'
        yield 'b'
      })
      .get('/a/stream/later', async function* () {
        yield 'a'
        yield 'b'
      })
      .get('/a/error', () => {
        throw new Error('x')
      })
      .get('/a/error/later', () => Promise.reject(new Error('x')))
      .get('/a/error/frozen', () => {
        throw Object.freeze(new Error('x'))
      })
      .get('/a/error/text', () => {
        throw 'x'
      })
      .get('/a/error/response', () => {
        throw new Response('x', { status: 409 })
      })
      .get('/a/refusal', () => {
        throw new MachineAuthError('not_found')
      })
      .get('/a/refusal/later', async ({ auth }) => auth.currentUser())
      .get('/a/before', () => 'text', { beforeHandle: () => 'before' })
      .get('/a/mapped', () => 'text', {
        mapResponse: ({ responseValue }) => (responseValue === 'text' ? new Response('mapped') : undefined),
      })
      .get('/a/invalid', () => 5 as unknown as string, { response: schema.String() })
      .get('/a/guarded', () => 'text', { apiKey: true })
      .post('/a/body', ({ body }) => body, { body: schema.Object({ a: schema.String() }) })
      .mount('/a/mounted', () => new Response('mounted')),
  )

type Row = readonly [name: string, path: string, said: string, question?: Question]

const ANSWERS: readonly Row[] = [
  ['text', '/a/text', '200'],
  ['text, later', '/a/later', '200'],
  ['an object', '/a/json', '200'],
  ['nothing', '/a/nothing', '200'],
  ['a constant', '/a/constant', '200'],
  ['a constant Response', '/a/constant/response', '200'],
  ['its own Response', '/a/response', '201'],
  ['its own Response, later', '/a/response/later', '201'],
  ['a Response whose headers are fixed', '/a/foreign', '200'],
  ['a redirect', '/a/redirect', '302'],
  ['a status', '/a/status', '418'],
  ['a file', '/a/file', '200'],
  ['a stream', '/a/stream', '200'],
  ['a stream, later', '/a/stream/later', '200'],
  ['an error', '/a/error', '500 internal_error'],
  ['an error, later', '/a/error/later', '500 internal_error'],
  ['a frozen error', '/a/error/frozen', '500 internal_error'],
  ['thrown text', '/a/error/text', '500 internal_error'],
  ['a thrown Response', '/a/error/response', '409'],
  ['a refusal', '/a/refusal', '404 not_found'],
  ['a refusal of a dependency', '/a/refusal/later', '401 credential_missing'],
  ['a hook before it', '/a/before', '200'],
  ['a hook after it', '/a/mapped', '200'],
  ['an invalid answer', '/a/invalid', '500 internal_error'],
  ['a guard that refuses', '/a/guarded', '401 credential_missing'],
  ['malformed JSON', '/a/body', '400 request_malformed', { raw: '{' }],
  ['a body of another shape', '/a/body', '422 validation_failed', { body: {} }],
  ['a mounted app', '/a/mounted', '200'],
  ['HEAD', '/a/text', '200', { method: 'HEAD' }],
]

const filled = ANSWERS.map(([name, path, said, question = {}]) => [name, path, said, question] as const)

const t = await createTestApp(PROXIED, routes)
afterAll(t.close)
afterEach(() => {
  t.time.now = START
})

let addresses = 0
function newcomer() {
  addresses += 1
  return from(`10.4.0.${addresses}`)
}

describe('an answer that is let in says what is left, one that is refused says when to come back', () => {
  test.each(filled)('%s', async (_, path, said, question) => {
    const headers = { ...question.headers, ...newcomer() }
    const { result } = await withLog(async () => {
      const answers: Answer[] = []
      for (let time = 0; time < 4; time += 1) answers.push(await t.ask(path, { ...question, headers }))
      return answers
    })
    const [first, second, third, refused] = result
    if (first === undefined || second === undefined || third === undefined || refused === undefined) throw new Error()
    expect([first.said, refused.status]).toEqual([said, 429])
    expect([first, second, third].map(headersOf)).toEqual([standing(2), standing(1), standing(0)])
    expect(headersOf(refused)).toEqual({ ...standing(0), 'retry-after': '60' })
    if (refused.text !== '') expectProblem(refused, 'rate_limited', ['retryAfter'])
  })

  test('a handler’s own headers stay beside them', async () => {
    const answer = await t.ask('/a/response', { headers: newcomer() })
    expect([answer.headers.get('x-mine'), answer.text]).toEqual(['1', 'mine'])
  })

  test('an answer of a route without limits says nothing', async () => {
    for (const path of ['/open', '/nowhere', '/key']) expect(headersOf(await t.ask(path))).toEqual({})
  })
})

describe('as the default limit', () => {
  test.each([
    ['a route', '/open', {}],
    ['an unknown path', '/nowhere', {}],
    ['another method', '/open', { method: 'DELETE' }],
    ['a guard that refuses', '/key', {}],
    ['a rule that refuses', '/ruled', {}],
    ['malformed JSON', '/auth/login', { raw: '{' }],
    ['an endpoint of ours', '/auth/me', {}],
    ['HEAD', '/open', { method: 'HEAD' }],
  ] satisfies [string, string, Question][])('on %s', async (_, path, question) => {
    await using app = await createTestApp({
      rateLimit: { default: THRICE },
      protect: [{ path: '/ruled', require: { apiKey: true } }],
    })
    expect(headersOf(await app.ask(path, question))).toEqual(standing(2))
    expect(headersOf(await app.ask(path, question))).toEqual(standing(1))
    expect(headersOf(await app.ask(path, question))).toEqual(standing(0))
    const refused = await app.ask(path, question)
    expect([refused.status, headersOf(refused)]).toEqual([429, { ...standing(0), 'retry-after': '60' }])
  })

  test('on a request that the router took for another one than its URL says', async () => {
    await using app = await createTestApp({ rateLimit: { default: THRICE } }, (inner) =>
      inner.get('/', () => 'own', { rateLimit: { limit: 9, window: '1m' } }).get('/free/:id', () => 'free'),
    )
    const answer = await sendRaw(app.origin, 'GET /free/.. HTTP/1.1\r\nHost: localhost\r\n\r\n')
    expect(answer?.text.toLowerCase()).toContain('ratelimit: "thrice";r=2;t=60')
  })
})

describe('an app that answers refusals itself', () => {
  const expectTold = async (app: TestApp, path: string, status: number) => {
    const answers: Answer[] = []
    await withLog(async () => {
      for (let time = 0; time < 5; time += 1) answers.push(await app.ask(path))
    })
    expect(answers.map(({ headers }) => headers.get('ratelimit'))).toEqual(
      [2, 1, 0, 0, 0].map((remaining) => `"thrice";r=${remaining};t=60`),
    )
    expect(answers.at(-1)?.status).toBe(status)
  }

  test.each([false, true])('by onDenied says so too (later: %p)', async (isLate) => {
    const onDenied = () => {
      const answer = new Response('denied', { status: 499 })
      return isLate ? Promise.resolve(answer) : answer
    }
    await using app = await createTestApp({ onDenied }, routes)
    for (const path of ['/a/guarded', '/a/refusal']) {
      await expectTold(app, path, 499)
      app.time.now += 60_000
    }
    await using other = await createTestApp({ onDenied, rateLimit: { default: THRICE } })
    await expectTold(other, '/key', 499)
  })

  test.each(['/a/text', '/a/error', '/a/refusal', '/a/guarded', '/a/error/text'])(
    'by its own onError says so too: %s',
    async (path) => {
      await using app = await createTestApp({}, (inner) => {
        inner.onError(() => new Response('mine', { status: 555 }))
        routes(inner)
      })
      await expectTold(app, path, 555)
    },
  )
})

describe('the option headers', () => {
  const [IETF, X] = [['ratelimit-policy', 'ratelimit'], NAMES.filter((name) => name.startsWith('x-'))]
  test.each([
    ['both', [...IETF, ...X]],
    ['ietf', IETF],
    ['x', X],
    [false, []],
  ] as const)('%p', async (headers, expected) => {
    await using app = await createTestApp({ rateLimit: { headers } }, routes)
    for (let time = 0; time < 3; time += 1) {
      expect(Object.keys(headersOf(await app.ask('/a/text'))).sort()).toEqual([...expected].sort())
    }
    // Whoever is refused is told when to come back, whatever else is told.
    expect(Object.keys(headersOf(await app.ask('/a/text'))).sort()).toEqual([...expected, 'retry-after'].sort())
  })
})

describe('several limits', () => {
  test('are told one by one, and in X-RateLimit the one that stops the caller first', async () => {
    await using app = await createTestApp({}, (inner) =>
      inner.get('/x', () => 'x', {
        apiKey: true,
        rateLimit: [
          { limit: 2, window: '10s', name: 'burst' },
          { limit: 100, window: '1h', name: 'long' },
        ],
      }),
    )
    const key = await addKey(app, { rateLimit: { limit: 4, window: '1m' } })
    const ask = () => app.ask('/x', { headers: key.headers })
    expect(headersOf(await ask())).toEqual({
      'ratelimit-policy': '"burst";q=2;w=10, "long";q=100;w=3600, "key";q=4;w=60',
      ratelimit: '"burst";r=1;t=10, "long";r=99;t=3600, "key";r=3;t=60',
      'x-ratelimit-limit': '2',
      'x-ratelimit-remaining': '1',
      'x-ratelimit-reset': String(START / 1000 + 10),
    })
    await ask()
    expect(headersOf(await ask())).toMatchObject({
      ratelimit: '"burst";r=0;t=10, "long";r=98;t=3600, "key";r=2;t=60',
      'x-ratelimit-limit': '2',
      'retry-after': '10',
    })
    app.time.now = START + 10_000
    await ask()
    await ask()
    app.time.now = START + 20_000
    // Now the key's own limit is the tighter one.
    expect(headersOf(await ask())).toEqual({
      'ratelimit-policy': '"burst";q=2;w=10, "long";q=100;w=3600, "key";q=4;w=60',
      ratelimit: '"burst";r=2;t=0, "long";r=96;t=3590, "key";r=0;t=40',
      'x-ratelimit-limit': '4',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': String(START / 1000 + 60),
      'retry-after': '40',
    })
  })

  test('of two that refuse, the longer wait counts', async () => {
    await using app = await createTestApp({}, (inner) =>
      inner.get('/x', () => 'x', {
        rateLimit: [
          { limit: 1, window: '10s', name: 'a' },
          { limit: 1, window: '90s', name: 'b' },
          { limit: 1, window: '20s', name: 'c' },
        ],
      }),
    )
    await app.ask('/x')
    expect(headersOf(await app.ask('/x'))).toMatchObject({ 'x-ratelimit-limit': '1', 'retry-after': '90' })
  })
})

describe('values', () => {
  test('times are whole seconds, rounded up', async () => {
    const headers = newcomer()
    for (const elapsed of [0, 1, 500]) {
      t.time.now = START + elapsed
      await t.ask('/a/text', { headers })
    }
    t.time.now = START + 1001
    const refused = await t.ask('/a/text', { headers })
    expect(headersOf(refused)).toEqual({
      'ratelimit-policy': '"thrice";q=3;w=60',
      ratelimit: '"thrice";r=0;t=59',
      'x-ratelimit-limit': '3',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': String(START / 1000 + 2 + 59),
      'retry-after': '59',
    })
    expect(refused.json.retryAfter).toBe(59)
    t.time.now = START + 59_999
    expect(headersOf(await t.ask('/a/text', { headers }))).toMatchObject({ 'retry-after': '1' })
    t.time.now = START + 60_000
    expect((await t.ask('/a/text', { headers })).said).toBe('200')
  })

  test('Retry-After holds what it says: a moment before is too soon, that moment is not', async () => {
    for (const strategy of ['sliding-window', 'sliding-window-counter', 'token-bucket'] as const) {
      await using app = await createTestApp({}, (inner) =>
        inner.get('/x', () => 'x', { rateLimit: { limit: 2, window: '10s', strategy } }),
      )
      await app.ask('/x')
      app.time.now += 3000
      await app.ask('/x')
      const refused = await app.ask('/x')
      const wait = Number(refused.headers.get('retry-after'))
      expect([refused.said, wait > 0 && wait <= 20]).toEqual([LIMITED, true])
      app.time.now += wait * 1000
      expect((await app.ask('/x')).said).toBe('200')
    }
  })
})

test('a lockout and a block say when they end', async () => {
  await using app = await createTestApp({}, (inner) =>
    inner.get('/x', () => 'x', { rateLimit: { ...THRICE, limit: 1, lockout: '1h' } }),
  )
  await app.ask('/x')
  for (const elapsed of [0, 1, 1800]) {
    app.time.now = START + elapsed * 1000
    const locked = await app.ask('/x')
    expect([locked.said, locked.headers.get('retry-after')]).toEqual([LOCKED, String(3600 - elapsed)])
    expectProblem(locked, 'locked_out', ['retryAfter'])
  }
  await app.core.blocks.add({ subject: '127.0.0.1', duration: '2h' })
  const blocked = await app.ask('/open')
  expect([blocked.said, blocked.headers.get('retry-after')]).toEqual([BLOCKED, '7200'])
  expectProblem(blocked, 'address_blocked', ['retryAfter'])
})
