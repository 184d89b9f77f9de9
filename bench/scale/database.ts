/** SQLite files with as many keys as wanted, made once and copied for each use. */
import { Database } from 'bun:sqlite'
import { constants, copyFileSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSecretHasher } from '../../src/authentication/hasher.ts'
import { openStorage } from '../../src/storage/open.ts'
import { keyTextOf, SECRET, shownOf } from './texts.ts'

const PER_TRANSACTION = 50_000
const CREATED_AT = 1_700_000_000_000
const SCHEMA = join(import.meta.dir, '../../src/storage/drizzle/schema.sqlite.ts')

type Progress = (text: string) => void

/** A file of another schema, or of keys made otherwise, has another name. */
function keptPath(total: number): string {
  const made = readFileSync(SCHEMA, 'utf8') + readFileSync(import.meta.path, 'utf8') + keyTextOf(0)
  return join(tmpdir(), `machine-auth-bench-keys-${total}-${Bun.hash(made).toString(36)}.db`)
}

function createRows() {
  const hasher = createSecretHasher([SECRET], 'api-key-pepper')
  return (index: number) => {
    const { hash, pepper } = hasher.hash(keyTextOf(index))
    const shown = shownOf(index)
    return {
      id: `key_${shown.slice(-16)}`,
      name: `Key ${index}`,
      prefix: shown,
      environment: 'live',
      hash,
      pepper,
      permissions: '["posts.view","posts.create"]',
      ip_allowlist: '[]',
      enabled: 1,
      created_at: CREATED_AT + index,
      created_by: 'system',
      search_text: `key ${index}`,
    }
  }
}

/** Without what is kept up row by row: indexes are made in one go at the end, which takes a third of the time. */
function withoutIndexes(client: Database, fill: () => void): void {
  const indexes = client
    .query<{ name: string; sql: string }, []>(
      "select name, sql from sqlite_master where type = 'index' and tbl_name = 'machine_auth_api_keys' and sql is not null",
    )
    .all()
  for (const { name } of indexes) client.run(`drop index ${name}`)
  fill()
  for (const { sql } of indexes) client.run(sql)
}

/** In few transactions and without waiting for the disk: storage's own verb does both for each key. */
async function build(file: string, total: number, progress: Progress): Promise<void> {
  const { storage, ready } = openStorage(`sqlite:${file}`, { migrate: 'auto' })
  await ready
  await storage.close()
  const client = new Database(file)
  for (const pragma of ['synchronous=OFF', 'cache_size=-1000000']) client.run(`PRAGMA ${pragma}`)
  const rowOf = createRows()
  const columns = Object.keys(rowOf(0))
  const insert = client.prepare(
    `insert into machine_auth_api_keys (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`,
  )
  withoutIndexes(client, () => {
    for (let index = 0; index < total; ) {
      const end = Math.min(total, index + PER_TRANSACTION)
      client.transaction(() => {
        for (; index < end; index += 1) insert.run(...Object.values(rowOf(index)))
      })()
      progress(`building a database: ${index.toLocaleString('en')} of ${total.toLocaleString('en')} keys`)
    }
  })
  insert.finalize()
  // The connection that migrated may still hold the file in WAL mode: nothing may be left in a file beside it.
  client.run('PRAGMA wal_checkpoint(TRUNCATE)')
  client.close()
}

export interface KeyFiles {
  /** The path of a file with keys 0 to `total - 1`, which may be written to. */
  withKeys(total: number): Promise<string>
  [Symbol.dispose](): void
}

function removeDatabase(file: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(file + suffix, { force: true })
}

/** @param isKept whether files are left for the next run, in the directory for temporary files */
export function createKeyFiles(isKept: boolean, progress: Progress): KeyFiles {
  const directory = mkdtempSync(join(tmpdir(), 'machine-auth-bench-'))
  const built: string[] = []
  let copies = 0
  return {
    async withKeys(total) {
      const kept = keptPath(total)
      if (!existsSync(kept)) {
        const unfinished = join(directory, `unfinished-${total}.db`)
        await build(unfinished, total, progress)
        renameSync(unfinished, kept)
        built.push(kept)
      }
      copies += 1
      const copy = join(directory, `keys-${copies}.db`)
      copyFileSync(kept, copy, constants.COPYFILE_FICLONE)
      return copy
    },
    [Symbol.dispose]() {
      rmSync(directory, { recursive: true, force: true })
      if (!isKept) for (const file of built) removeDatabase(file)
    },
  }
}
