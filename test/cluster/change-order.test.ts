/** PostgreSQL gives numbers out before transactions commit: what is overtaken is heard all the same. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { SQL } from 'bun'
import { drizzle } from 'drizzle-orm/bun-sql'
import { ChangeWatcher } from '../../src/cluster/change-watcher.ts'
import { openStorage } from '../../src/storage/open.ts'
import type { Storage } from '../../src/storage/ports.ts'
import { createServerDatabase, isServerUp } from '../contract/adapters.ts'

const DAY = 86_400_000

async function watch({ changes }: Storage) {
  const heard: string[] = []
  const listener = {
    onChange: ({ subject }: { subject: string }) => void heard.push(subject),
    onGap: () => void heard.push('everything'),
  }
  const watcher = new ChangeWatcher(changes, Date.now, listener)
  await watcher.start()
  return { watcher, heard }
}

const serverUp = await isServerUp()
const required = process.env.REQUIRE_SERVICES === '1'

describe.skipIf(!serverUp && !required)('on PostgreSQL', () => {
  let database: Awaited<ReturnType<typeof createServerDatabase>>
  let storage: Storage
  const connections: SQL[] = []
  const connect = () => {
    const connection = new SQL({ url: database.url, max: 1 })
    connections.push(connection)
    return connection
  }
  beforeAll(async () => {
    database = await createServerDatabase()
    const opened = openStorage(database.url, {
      migrate: 'auto',
      postgres: { poolSize: 2, timeout: 10_000, prepare: true, ca: null },
    })
    await opened.ready
    storage = opened.storage
  })
  afterAll(async () => {
    await storage.close()
    await Promise.all(connections.map((connection) => connection.close()))
    await database.drop()
  })

  const write = (connection: SQL, subject: string, at = Date.now()) =>
    connection`insert into machine_auth_changes (at, kind, subject) values (${at}, 'key', ${subject})`

  test.each([
    { name: 'is right', behind: 0 },
    { name: 'is a day behind', behind: DAY },
    { name: 'is a day ahead', behind: -DAY },
  ])('a change that commits after a later one is heard, when the clock of its writer $name', async ({ behind }) => {
    const [slow, undone, fast] = [connect(), connect(), connect()]
    await write(fast, 'before')
    const first = await watch(storage)
    for (const connection of [slow, undone]) await connection.unsafe('begin')
    await write(slow, 'slow', Date.now() - behind)
    await write(undone, 'undone')
    await write(fast, 'fast')
    await first.watcher.look()
    expect(first.heard).toEqual(['fast'])

    const second = await watch(storage)
    await undone.unsafe('rollback')
    await write(fast, 'after')
    await slow.unsafe('commit')
    for (const { watcher, heard } of [first, second]) {
      await watcher.look()
      await watcher.look()
      expect(heard.slice(heard.indexOf('fast') + 1)).toEqual(['slow', 'after'])
      await watcher.stop()
    }
  })

  test('a look is one statement, which reads one range of one index', async () => {
    const client = connect()
    const statements: string[] = []
    const db = drizzle({ client, logger: { logQuery: (text) => void statements.push(text) } })
    const own = openStorage({ db }, { migrate: 'check' })
    await own.ready
    await client`
      insert into machine_auth_changes (at, kind, subject)
      select ${Date.now()}::bigint, 'key', 'key_' || each from generate_series(1, 20000) each`
    await client.unsafe('analyze machine_auth_changes')
    const { watcher } = await watch(own.storage)
    statements.length = 0
    await watcher.look()
    const looks = statements.filter((text) => text.startsWith('select'))
    await watcher.stop()
    expect(looks).toHaveLength(1)
    const latest = await storage.changes.latest()
    const rows: { 'QUERY PLAN': string }[] = await client.unsafe(`explain ${looks[0]}`, [latest - 100])
    const plan = rows.map((row) => row['QUERY PLAN'])
    expect(plan.filter((line) => line.includes('Seq Scan'))).toEqual([])
    expect(
      plan.filter((line) => /Index Scan using machine_auth_changes_pkey on machine_auth_changes /.test(line)),
    ).toHaveLength(1)
    expect(plan.filter((line) => /Index Cond: .*sequence > /.test(line))).toHaveLength(1)
  })
})
