/** The look-up of a key on PostgreSQL, beside a prepared Drizzle select of the same row. */
import { SQL } from 'bun'
import { drizzle } from 'drizzle-orm/bun-sql'
import { attachPostgres } from '../../src/storage/drizzle/postgres.ts'
import { openStorage } from '../../src/storage/open.ts'
import type { Contender } from '../slices.ts'
import { selectWithOwner } from './select.ts'

export const SERVER = process.env.BENCH_POSTGRES ?? 'postgres://postgres@127.0.0.1:5432'

const TIMEOUT = 10_000
const idOf = (index: number) => `key_${String(index).padStart(16, '0')}`

export interface PostgresContest {
  readonly select: Contender
  readonly stored: Contender
  close(): Promise<void>
}

/** @param calls of each slice */
export async function createPostgresContest(size: number, calls: number): Promise<PostgresContest> {
  const name = `machine_auth_bench_${process.pid}`
  const server = new SQL(`${SERVER}/postgres`, { max: 1 })
  await server.unsafe(`create database ${name}`)
  const url = `${SERVER}/${name}`
  const postgres = { poolSize: 1, prepare: true, ca: null, timeout: TIMEOUT }
  const { storage, ready } = openStorage(url, { migrate: 'auto', postgres })
  await ready
  const client = new SQL({ url, max: 1, prepare: true })
  await client.unsafe(`
    insert into machine_auth_api_keys (id, name, prefix, environment, hash, pepper, permissions, ip_allowlist, enabled,
      created_at, created_by, search_text)
    select 'key_' || lpad(n::text, 16, '0'), 'Key', 'mac_live_', 'live', 'hash', 'pepper', '["posts.view"]', '[]', true,
      n, 'system', 'key' from generate_series(0, ${size - 1}) n`)
  await client.unsafe('analyze')
  const database = attachPostgres(drizzle({ client }), { clock: Date.now, timeout: TIMEOUT })
  const select = selectWithOwner(database, true).prepare()
  let taken = 0
  const inTurn = (look: (id: string) => Promise<unknown>) => async () => {
    for (let call = 0; call < calls; call += 1) {
      taken += 1
      if ((await look(idOf((taken * 7919) % size))) == null) throw new Error('A key that is there was not found')
    }
  }
  return {
    select: { name: 'select', run: inTurn(async (id) => (await select.execute({ id }))[0]) },
    stored: { name: 'stored', run: inTurn((id) => storage.keys.findWithOwner(id)) },
    async close() {
      await Promise.all([storage.close(), client.close()])
      await server.unsafe(`drop database ${name} with (force)`)
      await server.close()
    },
  }
}
