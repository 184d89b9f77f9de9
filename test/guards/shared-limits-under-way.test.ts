/** Requests under way that are counted elsewhere: everyone who entered leaves, whatever becomes of him. */
import { describe, expect, test } from 'bun:test'
import { createDoor, type Extend, from, LIMITED, PROXIED } from '../support/limited.ts'
import { MemorySharedLimits } from '../support/shared-limits.ts'
import { addKey, createTestApp, type Question } from '../support/test-app.ts'
import { until } from '../support/until.ts'
import { openSocket, sendRaw, upgradeRequest, withLog } from './support.ts'

const ONE = { concurrent: 1 } as const
const OPTIONS = { ...PROXIED, protect: [{ path: '/ruled', require: { apiKey: true } }] } as const

const routes: Extend = (app) =>
  app
    .get('/ok', () => 'ok', { rateLimit: ONE })
    .get('/throws', () => Promise.reject(new Error('on purpose')), { rateLimit: ONE })
    .get(
      '/throws/at/once',
      () => {
        throw new Error('on purpose')
      },
      { rateLimit: ONE },
    )
    .get('/guarded', () => 'ok', { apiKey: true, rateLimit: ONE })
    .get('/ruled/one', () => 'ok', { rateLimit: ONE })
    .get('/rated', () => 'ok', { rateLimit: [ONE, { limit: 1, window: '1m' }] })
    .post('/body', ({ body }) => JSON.stringify(body), { rateLimit: ONE })
    .ws('/socket', { rateLimit: ONE, open: (ws) => void ws.send('open'), message: () => undefined })

describe('leaves', () => {
  test.each<[name: string, path: string, question: Question, said: readonly string[], entered: number]>([
    ['whoever is answered', '/ok', {}, ['200', '200'], 2],
    ['when the handler fails', '/throws', {}, ['500 internal_error', '500 internal_error'], 2],
    ['when it fails at once', '/throws/at/once', {}, ['500 internal_error', '500 internal_error'], 2],
    ['when a guard refuses', '/guarded', {}, ['401 credential_missing', '401 credential_missing'], 2],
    ['when a rule refuses', '/ruled/one', {}, ['401 credential_missing', '401 credential_missing'], 0],
    ['when a rate beside it refuses', '/rated', {}, ['200', LIMITED], 2],
    ['when the body is malformed', '/body', { raw: '{' }, ['400 request_malformed', '400 request_malformed'], 2],
  ])('%s', async (_, path, question, said, entered) => {
    const shared = new MemorySharedLimits()
    await using t = await createTestApp(OPTIONS, routes, shared)
    const { result } = await withLog(async () => [
      (await t.ask(path, question)).said,
      (await t.ask(path, question)).said,
    ])
    expect(result).toEqual([...said])
    expect([shared.calls.entered, shared.calls.left, shared.underWay]).toEqual([entered, entered, 0])
  })

  test('whoever hangs up while it is handled', async () => {
    const shared = new MemorySharedLimits()
    const door = createDoor()
    await using t = await createTestApp(
      OPTIONS,
      (app) => app.get('/door', () => door.pass(), { rateLimit: ONE }),
      shared,
    )
    const leaving = new AbortController()
    const gone = fetch(`${t.origin}/door`, { signal: leaving.signal }).catch(() => 'gone')
    await door.whenWaiting(1)
    expect((await t.ask('/door')).said).toBe(LIMITED)
    leaving.abort()
    expect(await gone).toBe('gone')
    door.open()
    await until(() => shared.underWay === 0)
    expect((await t.ask('/door')).said).toBe('200')
  })

  test('whoever hangs up in the middle of an upload', async () => {
    const shared = new MemorySharedLimits()
    await using t = await createTestApp(OPTIONS, routes, shared)
    const head =
      'POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{'
    await sendRaw(t.origin, head, 200)
    await until(() => shared.calls.left === 1 && shared.underWay === 0)
  })

  test('whoever becomes a WebSocket, and who does not', async () => {
    const shared = new MemorySharedLimits()
    await using t = await createTestApp(OPTIONS, routes, shared)
    expect(await openSocket(t.origin, '/socket')).toBe('open')
    expect(await openSocket(t.origin, '/socket')).toBe('open')
    await sendRaw(t.origin, upgradeRequest('/nowhere'))
    expect([shared.calls.entered, shared.calls.left, shared.underWay]).toEqual([2, 2, 0])
  })

  test.each([
    ['by address', 'ip'],
    ['by key', 'apiKey'],
  ] as const)('a default limit %s, whatever is asked', async (_, by) => {
    const shared = new MemorySharedLimits()
    const limits = [
      { concurrent: 1, by },
      { limit: 8, window: '1m', by },
    ]
    await using t = await createTestApp({ ...OPTIONS, rateLimit: { default: limits } }, routes, shared)
    const { headers } = await addKey(t)
    for (const path of ['/open', '/nowhere', '/key', '/ruled/one', '/ok', '/auth/me', '/open', '/open', '/open']) {
      await t.ask(path, { headers: { ...headers, ...from('10.0.0.1') } })
      expect(shared.underWay).toBe(0)
    }
    expect(shared.calls.entered).toBe(9)
  })
})

test('of several processes so many are under way as the limit says', async () => {
  const shared = new MemorySharedLimits()
  const door = createDoor()
  const add: Extend = (app) => app.get('/door', () => door.pass(), { rateLimit: { concurrent: 3 } })
  await using one = await createTestApp(OPTIONS, add, shared)
  await using other = await createTestApp(OPTIONS, add, shared)
  const asked = Array.from({ length: 10 }, (_, index) => (index % 2 ? one : other).ask('/door'))
  await door.whenWaiting(3)
  await until(() => shared.calls.entered === 3)
  expect([(await one.ask('/door')).said, (await other.ask('/door')).said]).toEqual([LIMITED, LIMITED])
  door.open()
  const said = (await Promise.all(asked)).map((answer) => answer.said)
  expect(said.filter((each) => each === '200').length).toBe(3)
  expect(shared.underWay).toBe(0)
})

test('who is known to be over a rate beside it takes no place, and asks for none', async () => {
  const shared = new MemorySharedLimits({ remembers: true })
  await using t = await createTestApp(OPTIONS, routes, shared)
  const said: string[] = []
  for (let time = 0; time < 6; time += 1) said.push((await t.ask('/rated')).said)
  expect(said).toEqual(['200', ...Array(5).fill(LIMITED)])
  expect([shared.calls.entered, shared.calls.left, shared.underWay]).toEqual([2, 2, 0])
})
