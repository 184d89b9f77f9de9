import { afterEach, beforeEach, expect, test } from 'bun:test'
import { toTimestamp } from '../../src/lib/timestamp.ts'
import { openStorage } from '../../src/storage/open.ts'
import type { RequestLogRecord } from '../../src/storage/records.ts'
import { type CliDirectory, createDirectory, must } from './support.ts'

let cli: CliDirectory
beforeEach(async () => {
  cli = createDirectory()
  await must(cli, ['migrate'])
})
afterEach(() => cli[Symbol.dispose]())

const ENTRY: Omit<RequestLogRecord, 'id' | 'at'> = {
  requestId: 'request-1',
  method: 'GET',
  path: '/posts/42',
  route: '/posts/:id',
  status: 200,
  duration: 1250,
  address: '203.0.113.5',
  credential: 'apiKey',
  keyId: 'key_7Yc1DgXf8Hq2LmVs',
  userId: null,
  organizationId: null,
  code: null,
  query: null,
  requestHeaders: null,
  requestBody: null,
  responseHeaders: null,
  responseBody: null,
}

/** Writes entries as a server would, a second apart. */
async function log(...entries: readonly Partial<RequestLogRecord>[]): Promise<void> {
  const file = String(cli.env.MACHINE_AUTH_DATABASE)
  const { storage, ready } = openStorage(file, { migrate: 'check', clock: () => cli.time.now })
  await ready
  await storage.requestLog.append(
    entries.map((entry) => {
      cli.time.now += 1000
      return { ...ENTRY, id: `log_${String(cli.time.now).padStart(16, '0')}`, at: cli.time.now, ...entry }
    }),
  )
  await storage.close()
}

test('tail shows a line for each of the newest requests, oldest first', async () => {
  await log({}, { path: '/a\n\u001b[31m', status: 401, code: 'api_key_invalid', keyId: null, address: null })
  const { out, code } = await cli.run(['logs', 'tail'])
  expect(code).toBe(0)
  expect(out.split('\n').map((line) => line.slice(21))).toEqual([
    '200  GET  /posts/42  1.3 ms  key_7Yc1DgXf8Hq2LmVs  203.0.113.5',
    '401  GET  /a [31m  1.3 ms  -  -  api_key_invalid',
    '',
  ])
  expect(out).toMatch(/^2030-01-01 \d\d:\d\d:\d\d {2}200 /)
})

test.each([
  [['-n', '1'], ['/3']],
  [['--status', '404'], ['/2']],
  [['--method', 'post'], ['/3']],
  [['--key', 'key_other'], ['/1']],
  [['--request', 'request-2'], ['/2']],
  [['--route', '/none'], []],
  [[], ['/1', '/2', '/3']],
])('tail %p', async (args, paths) => {
  await log(
    { path: '/1', keyId: 'key_other' },
    { path: '/2', status: 404, requestId: 'request-2' },
    { path: '/3', method: 'POST' },
  )
  const { items } = await must(cli, ['logs', 'tail', ...args])
  expect(items.map(({ path }: { path: string }) => path)).toEqual(paths)
})

test('tail takes only moments and numbers that are some', async () => {
  for (const args of [
    ['--from', 'yesterday'],
    ['-n', '0'],
    ['-n', '1001'],
    ['--status', 'x'],
  ]) {
    expect((await cli.run(['logs', 'tail', ...args])).code).toBe(2)
  }
  expect((await cli.run(['logs', 'tail'])).err).toContain('logging.mode')
})

test('follow goes on with requests to come, each once, as a JSON line each, until it is stopped', async () => {
  await log({ path: '/before' })
  const stopping = Promise.withResolvers<void>()
  const lines: string[] = []
  const isShown = (path: string) => lines.join('').includes(`"path":"${path}"`)
  const shown = { before: Promise.withResolvers<void>(), after: Promise.withResolvers<void>() }
  const running = cli.run(['logs', 'tail', '--follow', '--json'], {
    untilStopped: () => stopping.promise,
    onOutput(text) {
      lines.push(text)
      if (isShown('/before')) shown.before.resolve()
      if (isShown('/after')) shown.after.resolve()
    },
  })
  await shown.before.promise
  await log({ path: '/after' }, { path: '/late', at: cli.time.now - 3000 })
  await shown.after.promise
  stopping.resolve()
  const { code, out, err } = await running
  expect([code, err]).toEqual([0, ''])
  const paths = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).path)
  expect(paths.toSorted()).toEqual(['/after', '/before', '/late'])
  expect(toTimestamp(cli.time.now)).toStartWith('2030')
})
