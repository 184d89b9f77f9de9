/** `concurrent`: how many requests are under way at once. */
import { afterAll, describe, expect, test } from 'bun:test'
import { t as schema } from 'elysia'
import { expectProblem } from '../support/answers.ts'
import { askTimes, createDoor, from, LIMITED, PROXIED, remainingOf } from '../support/limited.ts'
import { addKey, createTestApp, type Question, type TestApp } from '../support/test-app.ts'
import { openSocket, sendRaw, unfinishedUpload, withLog } from './support.ts'

const ONE = { concurrent: 1 } as const
let door = createDoor()

const t = await createTestApp(PROXIED, (app) =>
  app
    .get('/two', () => door.pass(), { rateLimit: { concurrent: 2 } })
    .get('/apart', () => door.pass(), { rateLimit: { concurrent: 2 } })
    .get('/global/a', () => door.pass(), { rateLimit: { ...ONE, scope: 'global', name: 'all' } })
    .get('/global/b', () => door.pass(), { rateLimit: { ...ONE, scope: 'global', name: 'all' } })
    .get('/byKey', () => door.pass(), { apiKey: true, rateLimit: { ...ONE, by: 'apiKey' } })
    .get('/sync', () => 'passed', { rateLimit: ONE })
    .get('/response', () => new Response('passed'), { rateLimit: ONE })
    .get('/constant', 'passed', { rateLimit: ONE })
    .get('/fails', () => Promise.reject(new Error('x')), { rateLimit: ONE })
    .get(
      '/throws',
      () => {
        throw new Error('x')
      },
      { rateLimit: ONE },
    )
    .get('/status', ({ status }) => status(418, 'tea'), { rateLimit: ONE })
    .get('/guarded', () => 'passed', { apiKey: true, rateLimit: ONE })
    .post('/body', ({ body }) => body, { rateLimit: ONE, body: schema.Object({ a: schema.String() }) })
    .get('/rated', () => 'passed', { rateLimit: [ONE, { limit: 1, window: '1m', name: 'rate' }] })
    .get('/rated/door', () => door.pass(), { rateLimit: [ONE, { limit: 9, window: '1m', name: 'rate' }] })
    .get('/pair', () => 'passed', {
      rateLimit: [
        { concurrent: 5, name: 'a' },
        { ...ONE, name: 'b' },
      ],
    })
    .get('/pair/door', () => door.pass(), {
      rateLimit: [
        { concurrent: 3, scope: 'global', name: 'many' },
        { ...ONE, name: 'one' },
      ],
    })
    .get('/pair/other', () => 'passed', { rateLimit: { concurrent: 3, scope: 'global', name: 'many' } })
    .ws('/ws/one', { rateLimit: ONE, open: (ws) => void ws.send('open'), message: () => undefined }),
)
afterAll(t.close)

let addresses = 0
function newcomer() {
  addresses += 1
  return from(`10.2.0.${addresses}`)
}

/** Sends requests that wait at a new door, and answers them when so many do. */
async function hold(app: TestApp, paths: readonly string[], headers: Readonly<Record<string, string>>) {
  door = createDoor()
  const waiting = door.whenWaiting(paths.length)
  const answers = paths.map((path) => app.ask(path, { headers }))
  await waiting
  return { door, answers }
}

describe('as many as may be are under way at once', () => {
  test('and the rest is refused, told to come again at once', async () => {
    const headers = newcomer()
    const held = await hold(t, ['/two', '/two'], headers)
    for (let time = 0; time < 3; time += 1) {
      const refused = await t.ask('/two', { headers })
      expectProblem(refused, 'rate_limited', ['retryAfter'])
      expect([refused.headers.get('retry-after'), refused.json.retryable]).toEqual(['1', true])
      expect(refused.json.detail).toContain('At most 2 requests at once')
    }
    held.door.open()
    expect((await Promise.all(held.answers)).map(({ said }) => said)).toEqual(['200', '200'])
    expect(await askTimes(t, 3, '/two', { headers })).toEqual(['200', '200', '200'])
  })

  test('by address, by route', async () => {
    const headers = newcomer()
    const held = await hold(t, ['/two', '/two'], headers)
    const others = [t.ask('/two', { headers: newcomer() }), t.ask('/apart', { headers })]
    held.door.open()
    const answers = await Promise.all([...held.answers, ...others])
    expect(answers.map(({ said }) => said)).toEqual(['200', '200', '200', '200'])
  })

  test('on all routes together with scope global', async () => {
    const headers = newcomer()
    const held = await hold(t, ['/global/a'], headers)
    expect(await askTimes(t, 1, '/global/b', { headers })).toEqual([LIMITED])
    held.door.open()
    await Promise.all(held.answers)
    expect(await askTimes(t, 1, '/global/b', { headers })).toEqual(['200'])
  })

  test('by key, wherever it is used', async () => {
    const [one, two] = [await addKey(t), await addKey(t)]
    const held = await hold(t, ['/byKey'], { ...newcomer(), ...one.headers })
    expect(await askTimes(t, 1, '/byKey', { headers: { ...newcomer(), ...one.headers } })).toEqual([LIMITED])
    const other = t.ask('/byKey', { headers: { ...newcomer(), ...two.headers } })
    held.door.open()
    expect((await other).said).toBe('200')
    await Promise.all(held.answers)
  })

  test('of 100 that come together', async () => {
    const headers = newcomer()
    door = createDoor()
    const answers = Array.from({ length: 100 }, () => t.ask('/two', { headers }))
    let refused = 0
    const all = Promise.withResolvers<void>()
    for (const answer of answers) {
      void answer.then(({ said }) => {
        refused += said === LIMITED ? 1 : 0
        if (refused === 98) all.resolve()
      })
    }
    await all.promise
    door.open()
    const said = (await Promise.all(answers)).map((answer) => answer.said)
    expect(said.filter((each) => each === '200')).toHaveLength(2)
  })
})

describe('a place is free again after', () => {
  test.each<[name: string, path: string, question: Question, said: string]>([
    ['an answer', '/sync', {}, '200'],
    ['a Response of the handler’s', '/response', {}, '200'],
    ['a constant', '/constant', {}, '200'],
    ['a HEAD', '/sync', { method: 'HEAD' }, '200'],
    ['a status', '/status', {}, '418'],
    ['an error', '/throws', {}, '500 internal_error'],
    ['an error that comes later', '/fails', {}, '500 internal_error'],
    ['a refusal', '/guarded', {}, '401 credential_missing'],
    ['a refusal of a wrong key', '/guarded', { headers: { 'x-api-key': 'x' } }, '401 api_key_invalid'],
    ['malformed JSON', '/body', { raw: '{' }, '400 request_malformed'],
    ['a body of another shape', '/body', { body: {} }, '422 validation_failed'],
    ['two of these limits', '/pair', {}, '200'],
  ])('%s', async (_, path, question, said) => {
    const { result } = await withLog(() => askTimes(t, 4, path, question))
    expect(result).toEqual([said, said, said, said])
  })

  test('another limit beside it refused', async () => {
    const headers = newcomer()
    for (let round = 0; round < 3; round += 1) {
      expect(await askTimes(t, 4, '/rated', { headers })).toEqual(['200', LIMITED, LIMITED, LIMITED])
      t.time.now += 60_000
    }
  })

  test('another one of its kind beside it refused', async () => {
    const headers = newcomer()
    const held = await hold(t, ['/pair/door'], headers)
    expect(await askTimes(t, 5, '/pair/door', { headers })).toEqual(Array(5).fill(LIMITED))
    // One of three is held.
    expect(await askTimes(t, 3, '/pair/other', { headers })).toEqual(['200', '200', '200'])
    held.door.open()
    await Promise.all(held.answers)
  })

  test('the upgrade of a WebSocket', async () => {
    const connect = () => openSocket(t.origin, '/ws/one')
    expect([await connect(), await connect(), await connect()]).toEqual(['open', 'open', 'open'])
  })
})

test('who is refused for being one too many is counted for no other limit', async () => {
  const headers = newcomer()
  const held = await hold(t, ['/rated/door'], headers)
  await askTimes(t, 5, '/rated/door', { headers })
  held.door.open()
  await Promise.all(held.answers)
  expect(remainingOf(await t.ask('/rated/door', { headers }))).toEqual({ rate: 7 })
})

test('an upload that is still coming holds its place, and one that breaks off frees it', async () => {
  const headers = newcomer()
  const ask = async () => (await t.ask('/body', { body: { a: 'x' }, headers })).said
  let isComing = true
  const head = { 'Content-Type': 'application/json', ...headers }
  const upload = sendRaw(t.origin, unfinishedUpload('POST', '/body', head), 100).finally(() => {
    isComing = false
  })
  let said = ''
  while (isComing && said !== LIMITED) said = await ask()
  expect([said, await upload]).toEqual([LIMITED, null])
  const end = performance.now() + 1000
  while (said === LIMITED && performance.now() < end) said = await ask()
  expect(said).toBe('200')
})

describe('as the default for everything', () => {
  test('refuses what is one too many, on any path', async () => {
    await using app = await createTestApp({ ...PROXIED, rateLimit: { default: ONE } }, (inner) =>
      inner.get('/door', () => door.pass()),
    )
    const headers = newcomer()
    const held = await hold(app, ['/door'], headers)
    for (const path of ['/open', '/nowhere', '/auth/me']) {
      expect(await askTimes(app, 1, path, { headers })).toEqual([LIMITED])
    }
    expect(await askTimes(app, 1, '/open', { headers: newcomer() })).toEqual(['200'])
    held.door.open()
    await Promise.all(held.answers)
    expect(await askTimes(app, 3, '/nowhere', { headers })).toEqual(Array(3).fill('404 not_found'))
  })

  test.each([
    ['by address', 'ip'],
    ['by key', 'apiKey'],
  ] as const)('frees the place of who is refused by a rate beside it: %s', async (_, by) => {
    const limits = [
      { concurrent: 2, by },
      { limit: 1, window: '1m', by },
    ]
    await using app = await createTestApp({ rateLimit: { default: limits } })
    for (let round = 0; round < 4; round += 1) {
      expect(await askTimes(app, 3, '/open')).toEqual(['200', LIMITED, LIMITED])
      app.time.now += 60_000
    }
  })

  test('frees the place of who is blocked, and of whose credential must be looked up', async () => {
    await using app = await createTestApp({ rateLimit: { default: ONE } })
    const key = await addKey(app)
    expect(await askTimes(app, 3, '/key', { headers: key.headers })).toEqual(['200', '200', '200'])
    const { id } = await app.core.blocks.add({ subject: '127.0.0.1', duration: '1h' })
    await askTimes(app, 3, '/open')
    await app.core.blocks.remove(id)
    expect(await askTimes(app, 2, '/open')).toEqual(['200', '200'])
  })
})
