/** What the recorder does with requests that are under way: never in their way, bounded, and written to the end. */
import { describe, expect, test } from 'bun:test'
import type { LoggingMode, LoggingOption } from '../../../src/options/recording-types.ts'
import { resolveOptions } from '../../../src/options/resolve.ts'
import { RequestLogRecorder } from '../../../src/recording/requests/recorder.ts'
import type { RequestLogRecord } from '../../../src/storage/records.ts'
import { SECRET, START } from '../../support/test-app.ts'
import { FACTS } from './support.ts'

function createRecorder(logging: LoggingOption) {
  const entries: RequestLogRecord[] = []
  const options = resolveOptions({ secret: SECRET, database: 'sqlite::memory:', logging }, { env: {}, cwd: '/nowhere' })
  const append = async (batch: readonly RequestLogRecord[]) => void entries.push(...batch)
  const recorder = new RequestLogRecorder({ options, store: { append }, clock: () => START, warn: () => undefined })
  recorder.serve((route, paths) => paths.includes(route))
  return { recorder, entries }
}

const post = (body: string) =>
  new Request('http://localhost/x', {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', 'content-length': String(body.length) },
  })

describe('bodies', () => {
  test('are cut to maxBody after they are redacted', async () => {
    const { recorder, entries } = createRecorder({ mode: 'redacted', maxBody: 20 })
    const request = post(`{"a":"${'x'.repeat(10)}","password":"hunter2hunter2"}`)
    const write = recorder.begin(request)
    await request.text()
    write(FACTS, Response.json({ b: 'y'.repeat(100) }))
    await recorder.flush()
    expect(entries[0]?.requestBody).toBe('{"a":"xxxxxxxxxx","p [cut, 46 bytes]')
    expect(entries[0]?.responseBody).toStartWith(`{"b":"${'y'.repeat(14)} [cut, `)
  })

  test('are not kept at all with maxBody 0, nor one that nobody read', async () => {
    for (const [maxBody, expected] of [
      [0, null],
      [10, '[not read]'],
    ] as const) {
      const { recorder, entries } = createRecorder({ mode: 'raw', maxBody })
      recorder.begin(post('{}'))(FACTS, new Response(null, { status: 204 }))
      await recorder.flush()
      expect(entries[0]).toMatchObject({ requestBody: expected, responseBody: null, duration: 1500, at: START })
    }
  })
})

test('an upgrade and a failure have no answer', async () => {
  const { recorder, entries } = createRecorder({ mode: 'redacted' })
  recorder.begin(new Request('http://localhost/ws'))({ ...FACTS, status: 101 }, null)
  await recorder.flush()
  expect(entries[0]).toMatchObject({ status: 101, responseHeaders: {}, responseBody: null })
})

test('the log is not logged once more when it is read', async () => {
  const { recorder, entries } = createRecorder({ mode: 'redacted' })
  recorder.begin(new Request('http://localhost/auth/logs'))({ ...FACTS, route: '/auth/logs' }, Response.json({}))
  await recorder.flush()
  expect(entries[0]?.responseBody).toBe('[the log itself]')
})

test.each([
  ['/auth/metrics', '/auth/metrics', 0],
  ['/metrics', '/metrics', 1],
  ['/x/auth/metrics', '/x/auth/metrics', 1],
  ['/.env/auth/metrics', null, 1],
  ['/admin/auth/health/live', null, 1],
  ['/posts/health/ready', '/posts/health/ready', 1],
])('of %s, answered by %p, there are %i entries', async (path, route, count) => {
  for (const mode of ['metadata_only', 'redacted'] as const) {
    const { recorder, entries } = createRecorder({ mode })
    recorder.begin(new Request(`http://localhost${path}`))(
      { ...FACTS, route, status: route === null ? 404 : 200 },
      null,
    )
    await recorder.flush()
    expect(entries).toHaveLength(count)
  }
})

test.each(['/x/auth/logs', null])('what another route than that of the log answers is kept: %p', async (route) => {
  const { recorder, entries } = createRecorder({ mode: 'redacted' })
  recorder.begin(new Request('http://localhost/x/auth/logs'))({ ...FACTS, route }, new Response('{"a":1}'))
  await recorder.flush()
  expect(entries[0]?.responseBody).toBe('{"a":1}')
})

test('what fails in it is counted, and nothing to the request', async () => {
  const { recorder, entries } = createRecorder({ mode: 'redacted' })
  const broken = Object.defineProperty(Response.json({}), 'headers', {
    get: () => {
      throw new Error('broken')
    },
  })
  recorder.begin(post('{}'))(FACTS, broken)
  expect(recorder.figures).toMatchObject({ queued: 0, dropped: 1 })
  await recorder.stop()
  expect(entries).toEqual([])
})

describe('memory is bounded', () => {
  const url = (length: number) => `http://localhost/${'x'.repeat(length)}`

  test('in entries', async () => {
    const { recorder, entries } = createRecorder({ mode: 'metadata_only' })
    const request = new Request('http://localhost/x')
    for (let n = 0; n < 10_200; n += 1) recorder.begin(request)(FACTS, null)
    expect(recorder.figures).toMatchObject({ queued: 10_000, dropped: 200 })
    await recorder.stop()
    expect(entries).toHaveLength(10_000)
    expect(recorder.figures).toMatchObject({ queued: 0, written: 10_000, dropped: 200 })
  })

  test.each<[LoggingMode, () => Request]>([
    ['metadata_only', () => new Request(url(100_000))],
    ['redacted', () => new Request(url(100_000))],
    ['redacted', () => new Request('http://localhost/x', { headers: { a: 'x'.repeat(100_000) } })],
  ])('in bytes of what a request says: %s', async (mode, make) => {
    const { recorder } = createRecorder({ mode })
    const request = make()
    for (let n = 0; n < 200; n += 1) recorder.begin(request)(FACTS, null)
    const { queued, dropped } = recorder.figures
    expect(queued).toBeWithin(150, 170)
    expect(queued + dropped).toBe(200)
    await recorder.flush()
    recorder.begin(request)(FACTS, null)
    expect(recorder.figures).toMatchObject({ queued: 1, dropped })
    await recorder.stop()
  })

  test('in bytes of bodies, which are left out then, and there is room again once they are looked through', async () => {
    const { recorder, entries } = createRecorder({ mode: 'redacted' })
    const body = `{"a":"${'x'.repeat(60_000)}"}`
    for (let n = 0; n < 300; n += 1) recorder.begin(new Request('http://localhost/x'))(FACTS, new Response(body))
    await recorder.flush()
    recorder.begin(new Request('http://localhost/x'))(FACTS, new Response(body))
    await recorder.stop()
    const left = entries.map(({ responseBody }) => responseBody === '[left out: too many at once]')
    expect(left.filter(Boolean).length).toBeWithin(10, 40)
    expect(left.at(-1)).toBe(false)
    expect(recorder.figures.dropped).toBe(0)
  })
})

describe('requests that are never sent to their end', () => {
  const stuck = () => post('x'.repeat(60_000))

  test('take no room from others: the oldest make room', async () => {
    const { recorder, entries } = createRecorder({ mode: 'redacted' })
    const waiting = Array.from({ length: 300 }, () => recorder.begin(stuck()))
    const request = post('{"a":1}')
    const write = recorder.begin(request)
    await request.text()
    write(FACTS, new Response('{"b":2}'))
    for (const [index, end] of waiting.entries()) end({ ...FACTS, requestId: `waiting-${index}` }, null)
    await recorder.flush()
    expect(entries[0]).toMatchObject({ requestBody: '{"a":1}', responseBody: '{"b":2}' })
    const left = entries.slice(1).map(({ requestBody }) => requestBody === '[left out: too many at once]')
    expect(left.filter(Boolean).length).toBeWithin(10, 40)
    expect([left[0], left.at(-1)]).toEqual([true, false])
    expect(recorder.figures.dropped).toBe(0)
  })
})

test('a request is noted as it was when it was answered', async () => {
  const { recorder, entries } = createRecorder({ mode: 'redacted' })
  const request = new Request('http://localhost/x?a=1', { headers: { a: 'before', authorization: 'Bearer hunter2' } })
  const write = recorder.begin(request)
  request.headers.set('a', 'after')
  const answer = Response.json({ a: 1 }, { headers: { b: 'before' } })
  write(FACTS, answer)
  answer.headers.set('b', 'after')
  expect(await answer.text()).toBe('{"a":1}')
  await recorder.stop()
  expect(entries[0]).toMatchObject({
    query: 'a=1',
    requestHeaders: { a: 'before', authorization: '***REDACTED***' },
    responseHeaders: { b: 'before' },
    responseBody: '{"a":1}',
  })
})

test('looking through what was noted lets requests have their turn', async () => {
  const { recorder, entries } = createRecorder({ mode: 'redacted' })
  const body = JSON.stringify(Array.from({ length: 500 }, (_, n) => ({ n, name: 'somebody', password: 'hunter2' })))
  for (let n = 0; n < 100; n += 1) recorder.begin(new Request('http://localhost/x'))(FACTS, new Response(body))
  let turns = 0
  let isOver = false
  const takeTurns = () => {
    turns += 1
    if (!isOver) setImmediate(takeTurns)
  }
  setImmediate(takeTurns)
  await recorder.flush()
  isOver = true
  expect(entries).toHaveLength(100)
  expect(turns).toBeGreaterThan(10)
})
