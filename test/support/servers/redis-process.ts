import { RedisClient } from 'bun'
import { freePort } from './free-port.ts'
import { type PrivateServer, type ServerProgram, startPrivateServer } from './private-server.ts'
import { REDIS, requireProgram } from './programs.ts'

/** Asks a server once, by a connection of its own. */
export async function askRedis(url: string, command: string, args: string[] = []): Promise<unknown> {
  const client = new RedisClient(url, { autoReconnect: false, enableOfflineQueue: false, connectionTimeout: 1000 })
  try {
    await client.connect()
    return await client.send(command, args)
  } finally {
    client.close()
  }
}

/** Starts Redis in a directory, which the caller removes. It keeps nothing: what it knew is gone when it is killed. */
export async function launchRedis(
  directory: string,
  hooks: Pick<ServerProgram, 'afterStop'> & { readonly beforeStop?: (url: string) => Promise<void> } = {},
): Promise<PrivateServer> {
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  const { beforeStop, ...rest } = hooks
  const options = ['--bind', '127.0.0.1', '--port', String(port), '--dir', directory]
  return startPrivateServer({
    url,
    port,
    command: [
      ...[requireProgram('redis-server', REDIS), ...options],
      ...['--save', '', '--appendonly', 'no', '--rdbcompression', 'no', '--daemonize', 'no'],
    ],
    answers: () =>
      askRedis(url, 'PING').then(
        () => true,
        () => false,
      ),
    ...rest,
    ...(beforeStop === undefined ? {} : { beforeStop: () => beforeStop(url) }),
  })
}
