import { afterEach, beforeEach, expect, test } from 'bun:test'
import { toTimestamp } from '../../src/lib/timestamp.ts'
import { audited, type CliDirectory, createDirectory, must } from './support.ts'

let cli: CliDirectory
beforeEach(() => {
  cli = createDirectory()
})
afterEach(() => cli[Symbol.dispose]())

test('add, list, remove', async () => {
  const made = await must(cli, ['block', 'add', '203.0.113.5', '--duration', '1h', '--reason', 'Scraping'])
  expect(made).toMatchObject({
    subject: '203.0.113.5',
    scope: 'global',
    reason: 'Scraping',
    createdBy: 'cli',
    expiresAt: toTimestamp(cli.time.now + 3_600_000),
  })
  expect(await must(cli, ['block', 'list'])).toEqual({ items: [made], nextCursor: null })
  expect(await must(cli, ['block', 'remove', made.id, '--yes'])).toEqual(made)
  expect((await must(cli, ['block', 'list'])).items).toEqual([])
  expect(await audited(cli)).toEqual(['cli block.created', 'cli block.removed'])
})

test('a path makes it one of that path', async () => {
  const made = await must(cli, [
    'block',
    'add',
    '--subject',
    'user:42',
    '--duration',
    '30 minutes',
    '--path',
    '/withdraw',
  ])
  expect(made).toMatchObject({ subject: 'user:42', scope: 'path', path: '/withdraw' })
})

test.each([
  { args: ['block', 'add', 'nonsense!', '--duration', '1h'], code: 1, said: '--subject must be an address' },
  { args: ['block', 'add', '203.0.113.5', '--duration', 'long'], code: 1, said: '--duration must be' },
  { args: ['block', 'add', '203.0.113.5'], code: 2, said: "required option '--duration <time>'" },
  { args: ['block', 'add', '--duration', '1h'], code: 2, said: "missing required argument 'subject'" },
  { args: ['block', 'remove', 'blk_0000000000000000', '--yes'], code: 1, said: 'There is nothing here.' },
])('$args is exit $code', async ({ args, code, said }) => {
  const run = await cli.run(args)
  expect([run.code, run.out]).toEqual([code, ''])
  expect(run.err).toContain(said)
  expect((await must(cli, ['block', 'list'])).items).toEqual([])
})
