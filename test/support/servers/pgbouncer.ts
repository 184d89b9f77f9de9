/** A PgBouncer of a test's own, in transaction mode: each transaction may get another connection. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createDatabaseDirectory, removeDirectory } from '../directories.ts'
import { freePort } from './free-port.ts'
import { isAnswering } from './postgres-process.ts'
import { type PrivateServer, startPrivateServer } from './private-server.ts'
import { asUser, giveToUser, PGBOUNCER, requireProgram } from './programs.ts'

export const isPgBouncerInstalled = PGBOUNCER !== null

function configure(port: number, to: number): string {
  return [
    '[databases]',
    `* = host=127.0.0.1 port=${to} user=postgres`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = any',
    'pool_mode = transaction',
    'default_pool_size = 3',
    'max_client_conn = 200',
    'ignore_startup_parameters = extra_float_digits',
    'log_connections = 0',
    'log_disconnections = 0',
    '',
  ].join('\n')
}

/**
 * Starts PgBouncer before a PostgreSQL that trusts its user `postgres`. Its `url` names the database `postgres`; any
 * other of that server is reached by its name.
 */
export async function startPgBouncer(to: { readonly port: number }): Promise<PrivateServer> {
  const program = requireProgram('pgbouncer', PGBOUNCER)
  const port = await freePort()
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  const directory = createDatabaseDirectory('machine-auth-pgbouncer')
  const file = join(directory, 'pgbouncer.ini')
  writeFileSync(file, configure(port, to.port))
  giveToUser(directory, file)
  return startPrivateServer({
    url,
    port,
    command: asUser([program, '-q', file]),
    answers: () => isAnswering(url),
    afterStop: () => removeDirectory(directory),
  })
}
