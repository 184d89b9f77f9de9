/** Why a Redis is not connected: Bun's client calls all of it "closed". */
import { connect as connectPlainly, isIP, type Socket } from 'node:net'
import { connect as connectByTls } from 'node:tls'
import { hostOf, reachedBy } from '../lib/reach.ts'

export type RedisTrouble =
  /** Nothing is wrong: it answers. */
  | 'none'
  | 'refused'
  | 'unknown_host'
  | 'unreachable'
  | 'silent'
  | 'untrusted'
  | 'password_missing'
  | 'password_wrong'
  /** It is a Redis and answers, but not with what the URL asks of it, such as a database that it does not have. */
  | 'refusing'
  | 'no_redis'

/** ms that finding out takes at most. */
const PATIENCE = 2000

/** What each is called where it is told that Redis is away. */
export const REASONS: Readonly<Record<RedisTrouble, string>> = {
  none: 'the connection was lost',
  refused: 'connection refused',
  unknown_host: 'no host has this name',
  unreachable: 'no way leads to this host',
  silent: `no answer within ${PATIENCE} ms`,
  untrusted: 'its certificate is not trusted, or of another name (TLS)',
  password_missing: 'it asks for a password (NOAUTH)',
  password_wrong: 'it refuses the user or the password (WRONGPASS)',
  refusing: 'it answers, but not with this URL',
  no_redis: 'what answers there is no Redis, or the scheme is wrong: redis:// is without TLS, rediss:// with it',
}

/** Why a Redis is away, for people. */
export function describeTrouble(trouble: RedisTrouble, url: string): string {
  const isTls = url.startsWith('rediss:')
  return REASONS[trouble] + (trouble === 'silent' && isTls ? ': it may not speak TLS (rediss://)' : '')
}

/** What refusals begin with; any other is `refusing`. */
const REFUSALS: readonly (readonly [string, RedisTrouble])[] = [
  ['-WRONGPASS', 'password_wrong'],
  ['-NOAUTH', 'password_missing'],
]

function open(url: URL): Socket {
  const host = hostOf(url)
  const to = { host, port: url.port === '' ? 6379 : Number(url.port) }
  // An address is no name to ask for.
  return url.protocol === 'rediss:'
    ? connectByTls(isIP(host) === 0 ? { ...to, servername: host } : to)
    : connectPlainly(to)
}

/** As an array of texts, in which nothing need be escaped. */
function encode(parts: readonly string[]): string {
  return `*${parts.length}\r\n${parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`
}

/** What an app asks first, by the URL. */
function commandsOf({ username, password, pathname }: URL): readonly (readonly string[])[] {
  const user = decodeURIComponent(username)
  const database = pathname.slice(1)
  return [
    ...(user === '' && password === '' ? [] : [['AUTH', user || 'default', decodeURIComponent(password)]]),
    ...(database === '' ? [] : [['SELECT', database]]),
    ['PING'],
  ]
}

/** @returns null while not everything was answered */
function readReplies(text: string, count: number): RedisTrouble | null {
  const lines = text.split('\r\n').slice(0, -1)
  if (!/^([+-]|$)/.test(text) || lines.some((line) => !/^[+-]/.test(line))) return 'no_redis'
  const refusal = lines.find((line) => line.startsWith('-'))
  if (refusal !== undefined) return REFUSALS.find(([start]) => refusal.startsWith(start))?.[1] ?? 'refusing'
  return lines.length < count ? null : 'none'
}

/** Any code that says nothing of the way comes of a server that speaks another language. */
function troubleBy({ code = '' }: NodeJS.ErrnoException): RedisTrouble {
  return /CERT|VERIFY|ISSUER/.test(code) ? 'untrusted' : (reachedBy(code) ?? 'no_redis')
}

/** Asks as an app does, by a connection of its own. Never rejects; takes two seconds at most. */
export function diagnoseRedis(url: string): Promise<RedisTrouble> {
  const parsed = new URL(url)
  const commands = commandsOf(parsed)
  const { promise, resolve } = Promise.withResolvers<RedisTrouble>()
  const socket = open(parsed)
  const timer = setTimeout(() => resolve('silent'), PATIENCE)
  let text = ''
  socket.on('error', (error) => resolve(troubleBy(error)))
  // Another program than Redis, or a Redis that speaks TLS only or not at all.
  socket.on('close', () => resolve('no_redis'))
  socket.on('data', (data) => {
    text += data.toString('latin1')
    const trouble = readReplies(text, commands.length)
    if (trouble !== null) resolve(trouble)
  })
  socket.write(commands.map(encode).join(''))
  return promise.finally(() => {
    clearTimeout(timer)
    socket.destroy()
  })
}
