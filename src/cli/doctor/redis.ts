/** Asks a Redis whether it answers, and if not, why. */
import { connect as connectPlainly, isIP, type Socket } from 'node:net'
import { connect as connectByTls } from 'node:tls'
import { RedisClient } from 'bun'
import { within } from '../../lib/within.ts'
import type { RedisState } from './facts.ts'

/** ms. */
const PATIENCE = 2000

/** As an app asks it: with the URL's user, password and database. */
async function answers(url: string): Promise<boolean> {
  const client = new RedisClient(url, {
    connectionTimeout: PATIENCE,
    autoReconnect: false,
    enableOfflineQueue: false,
  })
  try {
    return await within(
      PATIENCE,
      client.connect().then(() => client.send('PING', [])),
    )
  } catch {
    return false
  } finally {
    client.close()
  }
}

function open({ protocol, hostname, port }: URL): Socket {
  const host = hostname.replace(/^\[|\]$/g, '')
  const to = { host, port: port === '' ? 6379 : Number(port) }
  // An address is no name to ask for.
  return protocol === 'rediss:' ? connectByTls(isIP(host) === 0 ? { ...to, servername: host } : to) : connectPlainly(to)
}

/** By the code of a socket's error; any other comes of a server that speaks another language. */
const STATES: readonly (readonly [RegExp, RedisState])[] = [
  [/CERT|VERIFY|ISSUER/, 'untrusted'],
  [/^(ECONNREFUSED|ECONNABORTED|EHOST|ENET|ENOTFOUND|EAI_|ETIMEDOUT|DNS_)/, 'unreachable'],
]

function stateOf({ code = '' }: NodeJS.ErrnoException): RedisState {
  return STATES.find(([pattern]) => pattern.test(code))?.[1] ?? 'no_redis'
}

/** Asks without credentials: the client itself only says that it was not connected. */
function diagnose(url: URL): Promise<RedisState> {
  const { promise, resolve } = Promise.withResolvers<RedisState>()
  const socket = open(url)
  const timer = setTimeout(() => resolve('silent'), PATIENCE)
  socket.on('error', (error) => resolve(stateOf(error)))
  // Another program than Redis, or a Redis that speaks TLS only or not at all.
  socket.on('close', () => resolve('no_redis'))
  socket.once('data', (data) => {
    const reply = String(data)
    if (reply.startsWith('-NOAUTH')) resolve(url.password === '' ? 'password_missing' : 'password_wrong')
    else resolve(/^[+-]/.test(reply) ? 'refusing' : 'no_redis')
  })
  socket.write('PING\r\n')
  return promise.finally(() => {
    clearTimeout(timer)
    socket.destroy()
  })
}

/** Never throws; takes four seconds at most. */
export async function askRedis(url: string): Promise<RedisState> {
  return (await answers(url)) ? 'up' : diagnose(new URL(url))
}
