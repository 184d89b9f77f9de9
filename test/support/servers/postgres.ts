/** A PostgreSQL of a test's own. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lookThroughPostgres } from '../credentials/postgres.ts'
import { askPostgres, launchPostgres } from './postgres-process.ts'
import type { PrivateServer } from './private-server.ts'
import { INITDB, POSTGRES } from './programs.ts'

export const isPostgresInstalled = POSTGRES !== null && INITDB !== null

const DATABASES = 'select datname as name from pg_database where not datistemplate'

/** Looks through the rows of all databases: in the files of a server, they may be compressed. */
async function lookThroughDatabases(url: string): Promise<void> {
  const rows = (await askPostgres(url, DATABASES)) as readonly { readonly name: string }[]
  for (const { name } of rows) {
    const own = new URL(url)
    own.pathname = `/${name}`
    await lookThroughPostgres('a private PostgreSQL', (statement) => askPostgres(own.href, statement))
  }
}

/** Starts an empty PostgreSQL, whose `url` names the database `postgres`. Takes one or two seconds. */
export async function startPostgres(): Promise<PrivateServer> {
  const directory = mkdtempSync(join(tmpdir(), 'machine-auth-postgres-'))
  const remove = () => rmSync(directory, { recursive: true, force: true })
  try {
    return await launchPostgres(directory, { beforeStop: lookThroughDatabases, afterStop: remove })
  } catch (error) {
    remove()
    throw error
  }
}
