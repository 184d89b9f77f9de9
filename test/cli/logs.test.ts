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

const ID = '0b6f2c7e-3c0e-4a52-9d0e-5f6a1f3b8c11'
const ROWS = [
  { requestId: ID },
  {
    path: `/reports/${'x'.repeat(60)}`,
    status: 401,
    code: 'api_key_invalid',
    keyId: null,
    address: null,
    duration: 1_234_567,
  },
  { path: '/a\n\u001b[31m', method: 'DELETE' },
] as const

test('tail shows a table of the newest requests, oldest first', async () => {
  await log(...ROWS)
  const { out, code } = await cli.run(['logs', 'tail'])
  expect(code).toBe(0)
  expect(out.split('\n').map((line) => line.replace(/^2030-01-01 \d\d:\d\d:\d\d/, 'then'.padEnd(19)))).toEqual([
    `TIME (UTC)           STATUS  METHOD  PATH${' '.repeat(69)}LATENCY  CODE             WHO                   ADDRESS      REQUEST ID`,
    `then                 200     GET     /posts/42${' '.repeat(65)}1.3 ms  -                key_7Yc1DgXf8Hq2LmVs  203.0.113.5  ${ID}`,
    `then                 401     GET     /reports/${'x'.repeat(60)}  1234.6 ms  api_key_invalid  -                     -            request-1`,
    `then                 200     DELETE  /a [31m${' '.repeat(67)}1.3 ms  -                key_7Yc1DgXf8Hq2LmVs  203.0.113.5  request-1`,
    '',
  ])
})

test.each([
  [80, ['STATUS', 'METHOD', 'PATH', 'LATENCY', 'CODE']],
  [120, ['STATUS', 'METHOD', 'PATH', 'LATENCY', 'CODE', 'WHO', 'ADDRESS']],
  [200, ['STATUS', 'METHOD', 'PATH', 'LATENCY', 'CODE', 'WHO', 'ADDRESS', 'REQUEST ID']],
])('with %i columns no line is longer, paths are cut, and ids are whole or left out', async (columns, titles) => {
  await log(...ROWS)
  const { out } = await cli.run(['logs', 'tail'], { columns })
  const [head = '', ...lines] = out.trimEnd().split('\n')
  expect(head.split(/ {2,}/).slice(1)).toEqual(titles)
  for (const line of [head, ...lines]) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(columns)
  expect(out.includes(ID)).toBe(titles.includes('REQUEST ID'))
  expect(out.includes('key_7Yc1DgXf8Hq2LmVs')).toBe(titles.includes('WHO'))
})

test.each([
  [['-n', '1'], ['/3']],
  [['--status', '404'], ['/2']],
  [['--method', 'post'], ['/3']],
  [['--request', 'request-2'], ['/2']],
  [['--route', '/none'], []],
  [[], ['/1', '/2', '/3']],
])('tail %p', async (args, paths) => {
  await log({ path: '/1' }, { path: '/2', status: 404, requestId: 'request-2' }, { path: '/3', method: 'POST' })
  const { items } = await must(cli, ['logs', 'tail', ...args])
  expect(items.map(({ path }: { path: string }) => path)).toEqual(paths)
})

test('tail takes a key as other commands do: by its id, what of it is shown, or a beginning of either', async () => {
  const { key } = await must(cli, ['key', 'create', '--name', 'CI'])
  await log({ path: '/other' }, { path: '/own', keyId: key.id })
  for (const name of [key.id, key.id.slice(0, 8), key.prefix, key.prefix.slice(0, -4)]) {
    const { items } = await must(cli, ['logs', 'tail', '--key', name])
    expect(items.map(({ path }: { path: string }) => path)).toEqual(['/own'])
  }
  const { code, err } = await cli.run(['logs', 'tail', '--key', 'key_none'])
  expect([code, err]).toEqual([1, expect.stringContaining('There is no key that begins with "key_none"')])
})

test.each([
  [[], 'logging.mode'],
  [['--status', '404'], 'No entry matches.'],
  [['-n', '5'], 'logging.mode'],
])('where there is nothing, tail %p says %p', async (args, said) => {
  expect((await cli.run(['logs', 'tail', ...args])).err).toContain(said)
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
})

/** Follows until what comes is shown. @param come logs, once the first entries are shown */
async function follow(args: readonly string[], first: string, come: () => Promise<void>, last: string) {
  const stopping = Promise.withResolvers<void>()
  const written: string[] = []
  const shown = { first: Promise.withResolvers<void>(), last: Promise.withResolvers<void>() }
  const running = cli.run(['logs', 'tail', '--follow', ...args], {
    untilStopped: () => stopping.promise,
    onOutput(text) {
      written.push(text)
      if (written.join('').includes(first)) shown.first.resolve()
      if (written.join('').includes(last)) shown.last.resolve()
    },
  })
  await shown.first.promise
  await come()
  await shown.last.promise
  stopping.resolve()
  return running
}

test('follow goes on with requests to come, each once, as a JSON line each, until it is stopped', async () => {
  await log({ path: '/before' })
  const come = () => log({ path: '/after' }, { path: '/late', at: cli.time.now - 3000 })
  const { code, out, err } = await follow(['--json'], '/before', come, '/after')
  expect([code, err]).toEqual([0, ''])
  const paths = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).path)
  expect(paths).toEqual(['/before', '/late', '/after'])
  expect(toTimestamp(cli.time.now)).toStartWith('2030')
})

test('follow shows nothing that is older than what it began with, and lines up what comes', async () => {
  await log({ path: '/1' }, { path: '/2' }, { path: '/3/long' }, { path: '/4' })
  const { code, out } = await follow(['-n', '2'], '/4', () => log({ path: '/5' }), '/5')
  expect(code).toBe(0)
  const lines = out.trimEnd().split('\n')
  expect(lines.slice(1).map((line) => line.slice(37).split(' ')[0])).toEqual(['/3/long', '/4', '/5'])
  expect(new Set(lines.slice(1).map((line) => line.indexOf('ms'))).size).toBe(1)
})

test('follow ends by itself once --to is over', async () => {
  await log({ path: '/1' })
  const to = toTimestamp(cli.time.now + 1)
  cli.time.now += 60_000
  const { code, out } = await cli.run(['logs', 'tail', '--follow', '--to', to], {
    untilStopped: () => new Promise(() => undefined),
  })
  expect([code, out.includes('/1')]).toEqual([0, true])
})
