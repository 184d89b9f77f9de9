import { Database } from 'bun:sqlite'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { SQL } from 'bun'
import { drizzle as drizzleSqlite } from 'drizzle-orm/bun-sqlite'
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite'
import { drizzle as drizzleProxy } from 'drizzle-orm/sqlite-proxy'
import { openStorage } from '../../src/storage/open.ts'
import { lookThroughPostgres } from '../support/credentials/postgres.ts'
import { lookThroughText } from '../support/credentials/report.ts'
import { createDatabaseDirectory, removeDirectory } from '../support/directories.ts'
import { openMigrated, writeMigrated } from '../support/migrated.ts'
import { startPgBouncer } from '../support/servers/pgbouncer.ts'
import type { Opened } from './support.ts'

/** One kind of database that the contract holds for. */
export interface Adapter {
  readonly name: string
  /** Answers an empty, migrated storage; what was opened before is closed or emptied. */
  open(): Promise<Opened>
  stop(): Promise<void>
}

const TABLES = ['organizations', 'users', 'api_keys', 'signing_keys', 'refresh_families', 'bearer_tokens']
  .concat(['sessions', 'roles', 'audit', 'audit_marks', 'changes', 'blocks', 'quotas', 'login_addresses'])
  .concat(['idempotency', 'permissions', 'usage', 'usage_checkpoints', 'usage_receipts', 'request_log'])

/** Answers what there was. One statement: twenty of them, or `truncate`, take several times as long on a few rows. */
const EMPTY = `with ${TABLES.map((name) => {
  const table = `machine_auth_${name}`
  return `${name}_rows as (delete from ${table} returning ${table}::text as row)`
}).join(', ')}
  ${TABLES.map((name) => `select row from ${name}_rows`).join(' union all ')}
  union all select setval('machine_auth_changes_sequence_seq', 1, false)::text`

/** Empties all tables, once their rows are looked through for credentials. */
async function empty(place: string, { exec }: Opened): Promise<void> {
  lookThroughText(place, JSON.stringify(await exec(EMPTY)))
}

/** A file of our own, opened anew for every test, and looked at through a second connection. */
export function sqliteFile(): Adapter {
  const directory = createDatabaseDirectory('machine-auth')
  let files = 0
  let close = async () => undefined as undefined
  return {
    name: 'sqlite file',
    async open() {
      await close()
      const file = join(directory, `${++files}.db`)
      writeMigrated(file)
      const { storage, ready } = openStorage(`sqlite:${file}`, { migrate: 'auto' })
      await ready
      close = async () => void (await storage.close())
      return {
        storage,
        async exec(statement) {
          const second = new Database(file)
          second.run(statement)
          second.close()
        },
      }
    },
    async stop() {
      await close()
      removeDirectory(directory)
    },
  }
}

/** An app's own database on `bun:sqlite`, in memory. */
export function sqliteMemory(): Adapter {
  let client: Database | undefined
  return {
    name: 'sqlite memory { db }',
    async open() {
      client?.close()
      const opened = openMigrated()
      client = opened
      const { storage, ready } = openStorage({ db: drizzleSqlite(opened) }, { migrate: 'auto' })
      await ready
      return { storage, exec: async (statement) => opened.run(statement) }
    },
    stop: async () => client?.close(),
  }
}

/** A driver whose every answer is a promise, and whose every number is a real, as libSQL's are. */
export function sqliteAsync(): Adapter {
  let client: Database | undefined
  return {
    name: 'sqlite async { db }',
    async open() {
      client?.close()
      const opened = openMigrated()
      client = opened
      const db = drizzleProxy(async (text, params, method) => {
        await Promise.resolve()
        let index = 0
        const asReal = () => (typeof params[index++] === 'number' ? 'cast(? as real)' : '?')
        const statement = opened.query(text.replace(/\?/g, asReal))
        if (method === 'run') statement.run(...params)
        const rows = method === 'run' ? [] : statement.values(...params)
        return { rows: method === 'get' ? (rows[0] ?? []) : rows }
      })
      const { storage, ready } = openStorage({ db }, { migrate: 'auto' })
      await ready
      return { storage, exec: async (statement) => opened.run(statement) }
    },
    stop: async () => client?.close(),
  }
}

/** An app's own database on PGlite: real PostgreSQL SQL without a server. */
export function pglite(): Adapter {
  let started: Promise<Opened> | undefined
  let client: PGlite | undefined
  return {
    name: 'pglite { db }',
    async open() {
      started ??= (async () => {
        const opened = await PGlite.create()
        client = opened
        const { storage, ready } = openStorage({ db: drizzlePglite(opened) }, { migrate: 'auto', notify: true })
        await ready
        return { storage, exec: (statement) => opened.exec(statement) }
      })()
      const opened = await started
      await empty('PGlite', opened)
      return opened
    },
    async stop() {
      if (started !== undefined) await empty('PGlite', await started)
      await client?.close()
    },
  }
}

const SERVER = 'postgres://postgres@127.0.0.1:5432'

/** Whether a PostgreSQL server answers here. */
export async function isServerUp(): Promise<boolean> {
  const client = new SQL({ url: `${SERVER}/postgres`, connectionTimeout: 2, max: 1 })
  try {
    await client`select 1`
    return true
  } catch {
    return false
  } finally {
    await client.close()
  }
}

/** Makes a database on the server; `drop` removes it, once it is looked through for credentials. */
export async function createServerDatabase(): Promise<{ readonly url: string; drop(): Promise<void> }> {
  const name = `machine_auth_${crypto.randomUUID().replaceAll('-', '')}`
  const run = async (statement: string) => {
    const client = new SQL({ url: `${SERVER}/postgres`, max: 1 })
    await client.unsafe(statement)
    await client.close()
  }
  await run(`create database ${name}`)
  // Nobody pulls the plug.
  await run(`alter database ${name} set synchronous_commit = off`)
  const url = `${SERVER}/${name}`
  return {
    url,
    async drop() {
      const client = new SQL({ url, max: 1 })
      await lookThroughPostgres('a PostgreSQL database', (statement) => client.unsafe(statement))
      await client.close()
      await run(`drop database if exists ${name} with (force)`)
    },
  }
}

interface Served extends Opened {
  stop(): Promise<void>
}

/** An adapter whose storage is opened once, and emptied for every test. */
function served(name: string, start: () => Promise<Served>): Adapter {
  let started: Promise<Served> | undefined
  return {
    name,
    async open() {
      started ??= start()
      const opened = await started
      await empty('PostgreSQL', opened)
      return opened
    },
    stop: async () => (await started)?.stop(),
  }
}

const DIRECT = { poolSize: 10, timeout: 10_000, prepare: true, ca: null } as const
/** Options of a PostgreSQL behind a pooler. */
export const POOLED = { ...DIRECT, prepare: false } as const

/** A database of our own on a real server through Bun's driver, dropped afterwards. */
export function postgres(): Adapter {
  return served('postgres', async () => {
    const { url, drop } = await createServerDatabase()
    const { storage, ready } = openStorage(url, { migrate: 'auto', postgres: DIRECT, notify: true })
    await ready
    const second = new SQL({ url, max: 1 })
    const stop = async () => {
      await storage.close()
      await second.close()
      await drop()
    }
    return { storage, exec: (statement: string) => second.unsafe(statement), stop }
  })
}

/** The same behind a PgBouncer in transaction mode, which gives each transaction one of three connections. */
export function pgbouncer(): Adapter {
  return served('pgbouncer', async () => {
    const { url, drop } = await createServerDatabase()
    const bouncer = await startPgBouncer({ port: Number(new URL(url).port) })
    const pooled = new URL(url)
    pooled.port = String(bouncer.port)
    const { storage, ready } = openStorage(pooled.href, { migrate: 'auto', postgres: POOLED, notify: true })
    await ready
    const second = new SQL({ url, max: 1 })
    const stop = async () => {
      await storage.close()
      await second.close()
      await bouncer.stop()
      await drop()
    }
    return { storage, exec: (statement: string) => second.unsafe(statement), stop }
  })
}
