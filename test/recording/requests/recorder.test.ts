/** What the recorder does with requests that are under way: never in their way, bounded, and written to the end. */
import { describe, expect, test } from 'bun:test'
import type { LoggingOption } from '../../../src/options/recording-types.ts'
import { resolveOptions } from '../../../src/options/resolve.ts'
import type { RequestFacts } from '../../../src/recording/requests/logger.ts'
import { RequestLogRecorder } from '../../../src/recording/requests/recorder.ts'
import type { RequestLogRecord } from '../../../src/storage/records.ts'
import { SECRET, START } from '../../support/test-app.ts'

const FACTS: RequestFacts = {
  requestId: 'request-1',
  route: '/x',
  status: 200,
  elapsed: 1.5,
  address: null,
  credential: null,
  keyId: null,
  userId: null,
  organizationId: null,
  code: null,
}

function createRecorder(logging: LoggingOption) {
  const entries: RequestLogRecord[] = []
  const options = resolveOptions({ secret: SECRET, database: 'sqlite::memory:', logging }, { env: {}, cwd: '/nowhere' })
  const append = async (batch: readonly RequestLogRecord[]) => void entries.push(...batch)
  const recorder = new RequestLogRecorder({ options, store: { append }, clock: () => START, warn: () => undefined })
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
  ['/auth/metrics', 0],
  ['/auth/health/ready', 0],
  ['/metrics', 1],
])('of %s there are %i entries', async (route, count) => {
  const { recorder, entries } = createRecorder({ mode: 'metadata_only' })
  recorder.begin(new Request(`http://localhost${route}`))({ ...FACTS, route }, null)
  await recorder.flush()
  expect(entries).toHaveLength(count)
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

test('more requests at the same time than there is room for are dropped, and all others written', async () => {
  const { recorder, entries } = createRecorder({ mode: 'redacted' })
  for (let n = 0; n < 1200; n += 1) recorder.begin(new Request('http://localhost/x'))(FACTS, Response.json({ n }))
  expect(recorder.figures).toMatchObject({ queued: 1000, dropped: 200 })
  await recorder.stop()
  expect(entries).toHaveLength(1000)
  expect(recorder.figures).toMatchObject({ queued: 0, written: 1000, dropped: 200 })
})
