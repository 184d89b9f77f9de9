import { afterEach, beforeEach, expect, test } from 'bun:test'
import type { ReportedUse } from '../../src/recording/usage/reported-use.ts'
import { type CliDirectory, createDirectory, must } from './support.ts'

let cli: CliDirectory
let key: { readonly id: string; readonly prefix: string }
beforeEach(async () => {
  cli = createDirectory()
  key = (await must(cli, ['key', 'create', '--name', 'CI'])).key
})
afterEach(() => cli[Symbol.dispose]())

const report = (...uses: readonly Partial<ReportedUse>[]) =>
  cli.look(({ usage }) =>
    usage.report(
      uses.map((use, index) => ({
        ...{ id: `use-${index}`, keyId: key.id, endpoint: '/a', method: 'GET', status: 200, latencyMs: 2 },
        at: new Date(cli.time.now).toISOString(),
        ...use,
      })),
    ),
  )

test('shows requests, errors, latency, hours, endpoints and statuses', async () => {
  await report({}, {}, { status: 404, endpoint: '/posts/:id' }, { latencyMs: 80, at: '2029-12-31T20:00:00Z' })
  const run = await cli.run(['key', 'usage', key.id])
  expect([run.code, run.err]).toEqual([0, ''])
  expect(run.out.split('\n')).toEqual([
    `Key           ${key.id} (CI)`,
    'From          2029-12-31 01:00:00 UTC',
    'To            2030-01-01 01:00:00 UTC',
    'Requests      4',
    'Errors        1 (25.0 %)',
    'Mean latency  22 ms',
    'Percentiles   50 % 2 ms, 90 % 80 ms, 99 % 98 ms',
    `By the hour   ${'▁'.repeat(19)}▄▁▁▁█`,
    '              up to 3',
    '',
    'ENDPOINT        REQUESTS   SHARE',
    'GET /a                 3  75.0 %',
    'GET /posts/:id         1  25.0 %',
    '',
    'STATUS  REQUESTS   SHARE',
    '200            3  75.0 %',
    '404            1  25.0 %',
    '',
  ])
})

test('shows no tables of a key that nobody used', async () => {
  const { out } = await cli.run(['key', 'usage', key.id])
  expect(out).toContain('Mean latency  -\n')
  expect(out).not.toContain('ENDPOINT')
})

test('takes a beginning of the key, a span and days, and answers programs as HTTP does', async () => {
  await report({}, { at: '2029-12-31T23:00:00Z' }, { at: '2029-12-20T00:00:00Z' })
  const args = ['--bucket', 'day', '--from', '2029-12-20T00:00:00Z', '--to', '2029-12-31T00:00:00Z']
  const usage = await must(cli, ['key', 'usage', key.prefix.slice(0, -4), ...args])
  expect(usage).toMatchObject({ keyId: key.id, bucket: 'day', total: 1, to: '2029-12-31T00:00:00.000Z' })
  expect(usage.series).toHaveLength(11)
  const asked = { bucket: 'day', from: '2029-12-20T00:00:00Z', to: '2029-12-31T00:00:00Z' } as const
  expect(usage).toEqual(JSON.parse(JSON.stringify(await cli.look((core) => core.usage.ofKey(key.id, asked)))))
})

test('merges hours where the terminal has no room for a bar of each', async () => {
  await report({})
  const span = ['--from', '2029-12-02T00:00:00Z']
  const barsIn = (out: string) => /By the hour {3}([▁▂▃▄▅▆▇█]+)\n/.exec(out)?.[1]
  expect(barsIn((await cli.run(['key', 'usage', key.id, ...span], { columns: 40 })).out)).toBe(`${'▁'.repeat(25)}█`)
  expect(barsIn((await cli.run(['key', 'usage', key.id, ...span])).out)).toHaveLength(66)
})

test.each([
  [['nobody'], 1, 'There is no key'],
  [['--from', 'yesterday'], 2, 'RFC 3339'],
  [['--bucket', 'week'], 2, 'Allowed choices are hour, day'],
  [['--from', '2029-01-01T00:00:00Z'], 1, "--from must be at most 31 days before 'to', counted by the hour"],
  [['--from', '2030-01-01T00:00:00Z', '--to', '2029-01-01T00:00:00Z'], 1, "--from must be before 'to'"],
])('%j is refused with exit code %i', async (args, code, message) => {
  const isNamed = args[0]?.startsWith('--') ?? false
  const run = await cli.run(['key', 'usage', ...(isNamed ? [key.id] : []), ...args])
  expect([run.code, run.out]).toEqual([code, ''])
  expect(run.err).toContain(message)
})
