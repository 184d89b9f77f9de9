import { Database } from 'bun:sqlite'
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toTimestamp } from '../../src/lib/timestamp.ts'
import { type CliDirectory, createDirectory, must } from './support.ts'

const DAY = 86_400_000

let cli: CliDirectory
let keyId: string
beforeEach(async () => {
  cli = createDirectory()
  keyId = (await must(cli, ['key', 'create', '--name', 'CI'])).key.id
})
afterEach(() => cli[Symbol.dispose]())

/** A use that was counted, and a request that was logged, now. */
async function record(): Promise<void> {
  const at = cli.time.now
  const use = { endpoint: '/data', method: 'GET', status: 200, latencyMs: 1, at: toTimestamp(at) }
  await cli.look((core) => core.usage.report([{ id: `use-${at}`, keyId, ...use }]))
  using database = new Database(join(cli.path, 'auth.db'))
  database.run(
    "insert into machine_auth_request_log (id, at, request_id, method, path, status, duration) values (?, ?, 'r', 'GET', '/', 200, 1)",
    [`log_${at}`, at],
  )
}

test('deletes counts and entries that are older than they are kept, and no others', async () => {
  await record()
  cli.time.now += 40 * DAY
  await record()
  // Of the first: its minute and its receipt, and the entry, which is kept for 30 days.
  expect(await must(cli, ['purge', '--yes'])).toEqual({ usage: 2, logs: 1, audit: 0 })
  expect(await must(cli, ['purge', '--yes'])).toEqual({ usage: 0, logs: 0, audit: 0 })

  cli.time.now += 60 * DAY
  expect((await cli.run(['purge', '--yes'])).out).toMatch(
    /^Deleted: \d+ counts of requests, 1 entries of the request log, 0 events of the audit log\.\n$/,
  )
  const { total } = await cli.look((core) =>
    core.usage.ofKey(keyId, { bucket: 'day', from: toTimestamp(cli.time.now - 101 * DAY) }),
  )
  expect(total).toBe(2)
})

test('deletes as much as the configuration says', async () => {
  const config = {
    audit: { retention: '30d' },
    usage: { retention: '1d', dailyRetention: '2d' },
    logging: { mode: 'metadata_only', retention: '2d' },
  }
  writeFileSync(join(cli.path, 'machine-auth.config.json'), JSON.stringify(config))
  await record()
  cli.time.now += 3 * DAY
  // All but the total, and the receipt, by which it would not count again.
  expect(await must(cli, ['purge', '--yes'])).toEqual({ usage: 5, logs: 1, audit: 0 })
  cli.time.now += 30 * DAY
  expect(await must(cli, ['purge', '--yes'])).toEqual({ usage: 1, logs: 0, audit: 1 })
  expect(await must(cli, ['stats'])).toMatchObject({ requests: 1, topKeys: [] })
})

test('asks before, and demands --yes where nobody can be asked', async () => {
  await record()
  cli.time.now += 40 * DAY
  const refused = await cli.run(['purge'])
  expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('add --yes')])
  const asked = await cli.run(['purge'], { isTTY: true, stdin: 'n\n' })
  expect([asked.code, asked.err]).toEqual([1, expect.stringContaining('deleted for good')])
  expect(asked.err).toContain('Nothing was changed.')
  expect(await must(cli, ['purge', '--yes'])).toMatchObject({ logs: 1 })
})
