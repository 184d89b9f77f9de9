import { SQL, spawnSync } from 'bun'
import { freePort } from './free-port.ts'
import { type PrivateServer, type ServerProgram, startPrivateServer } from './private-server.ts'
import { asUser, giveToUser, INITDB, POSTGRES, requireProgram } from './programs.ts'

/** Asks a server once, by a connection of its own. */
export async function askPostgres(url: string, statement: string): Promise<readonly unknown[]> {
  const client = new SQL({ url, max: 1, connectionTimeout: 1, prepare: false })
  try {
    return await client.unsafe(statement)
  } finally {
    await client.close()
  }
}

/** Whether it answers; an attempt that hangs counts as no after a second. */
export async function isAnswering(url: string): Promise<boolean> {
  const answered = askPostgres(url, 'select 1').then(
    () => true,
    () => false,
  )
  return Promise.race([answered, Bun.sleep(1000).then(() => false)])
}

function initialize(directory: string): void {
  giveToUser(directory)
  const options = ['-D', directory, '-U', 'postgres', '-A', 'trust', '-N', '--wal-segsize=1', '-E', 'UTF8']
  const command = asUser([requireProgram('initdb', INITDB), ...options, '--locale=C.UTF-8'])
  const { exitCode, stderr } = spawnSync([...command], { cwd: '/', stdout: 'ignore', stderr: 'pipe' })
  if (exitCode !== 0) throw new Error(`initdb failed: ${stderr.toString()}`)
}

/** Nobody pulls the plug: what SIGKILL interrupts is in the memory of the system, and comes back from its log. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'off',
  full_page_writes: 'off',
  // A killed server comes back with all that it answered: cheap without fsync.
  synchronous_commit: 'on',
  shared_buffers: '32MB',
  max_connections: '200',
  logging_collector: 'off',
  log_min_messages: 'panic',
}

/** Starts PostgreSQL in an empty directory, which the caller removes. */
export async function launchPostgres(
  directory: string,
  hooks: Pick<ServerProgram, 'afterStop'> & { readonly beforeStop?: (url: string) => Promise<void> } = {},
): Promise<PrivateServer> {
  const port = await freePort()
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  const { beforeStop, ...rest } = hooks
  initialize(directory)
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  return startPrivateServer({
    url,
    port,
    command: asUser([requireProgram('postgres', POSTGRES), '-D', directory, '-p', String(port), ...settings]),
    answers: () => isAnswering(url),
    ...rest,
    ...(beforeStop === undefined ? {} : { beforeStop: () => beforeStop(url) }),
  })
}
