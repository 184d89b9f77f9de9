/** What keys take in a database: their rows, and the indexes over them. */
import { Database } from 'bun:sqlite'
import { createMachineAuth } from '../../src/index.ts'
import { openStorage } from '../../src/storage/open.ts'
import { askPostgres } from '../../test/support/servers/postgres-process.ts'
import type { Report } from '../report.ts'
import type { Place } from './place.ts'
import { SECRET } from './server.ts'

/** Inserted at the same time: as many as connections of the pool. */
const TOGETHER = 10

/** A key as it is created, by the database's own hand. */
async function createTemplate(database: string) {
  await using core = createMachineAuth(
    { database, secret: SECRET, usage: false, modules: { posts: {} } },
    { warn: () => undefined },
  )
  await core.ready
  const { key } = await core.keys.create({
    name: 'Build server of the team',
    permissions: ['posts.view', 'posts.create'],
    rateLimit: { limit: 600, window: '1m' },
  })
  return key.id
}

async function addKeys(database: string, count: number): Promise<void> {
  const id = await createTemplate(database)
  const { storage, ready } = openStorage(database, { migrate: 'check' })
  await ready
  const found = await storage.keys.findWithOwner(id)
  if (found === null) throw new Error('the key is not there')
  const { key } = found
  let left = count
  const random = () => crypto.randomUUID().replaceAll('-', '')
  const work = async () => {
    while (left > 0) {
      left -= 1
      const own = random().slice(0, 16)
      const hash = Buffer.from(random() + random(), 'hex').toString(key.hash.length === 64 ? 'hex' : 'base64url')
      await storage.keys.insert({ ...key, id: `key_${own}`, prefix: key.prefix.slice(0, -own.length) + own, hash })
    }
  }
  await Promise.all(Array.from({ length: TOGETHER }, work))
  await storage.close()
}

const FILE = 'sqlite:'

async function bytesOf(database: string): Promise<number> {
  if (!database.startsWith(FILE)) {
    await askPostgres(database, 'vacuum full machine_auth_api_keys')
    const statement = "select pg_total_relation_size('machine_auth_api_keys')::int as bytes"
    const [row] = (await askPostgres(database, statement)) as readonly { readonly bytes: number }[]
    return row?.bytes ?? Number.NaN
  }
  const client = new Database(database.slice(FILE.length))
  client.run('PRAGMA wal_checkpoint(TRUNCATE)')
  const statement = 'SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()'
  const row = client.query<{ bytes: number }, []>(statement).get()
  client.close()
  return row?.bytes ?? Number.NaN
}

/** Bytes of a key in the database, indexes included. */
export async function weighKeys(place: Place, report: Report, sizes: readonly number[]): Promise<void> {
  for (const size of sizes) {
    const databases = { SQLite: place.createSqlite(), PostgreSQL: await place.createPostgres() }
    for (const [name, database] of Object.entries(databases)) {
      const words = `${name}, ${size} keys`
      report.progress(words)
      await createTemplate(database)
      const before = await bytesOf(database)
      await addKeys(database, size)
      const each = (await bytesOf(database)) - before
      const note = 'indexes included'
      report.add({ group: 'cluster', name: `a key in ${words}`, value: each / size, unit: 'bytes', note })
    }
  }
}
