/** Whether anything takes connections at a host and port, and if not, why: drivers call all of it "closed". */
import { connect } from 'node:net'

export type Reached = 'open' | 'refused' | 'unknown_host' | 'unreachable' | 'silent'

/** Codes of sockets and of looking names up. */
const CODES: readonly (readonly [RegExp, Exclude<Reached, 'open'>])[] = [
  [/^(ENOTFOUND|EAI_|DNS_)/, 'unknown_host'],
  [/^(ECONNREFUSED|ECONNABORTED)$/, 'refused'],
  [/^ETIMEDOUT$/, 'silent'],
  [/^(EHOST|ENET|EADDRNOTAVAIL)/, 'unreachable'],
]

/** @returns null for a code that says nothing of the way */
export function reachedBy(code: string): Exclude<Reached, 'open'> | null {
  return CODES.find(([pattern]) => pattern.test(code))?.[1] ?? null
}

/** The host of a URL as sockets take it: without the brackets of IPv6. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '')
}

/** Connects and ends. Never rejects. @param patience ms */
export function reach(host: string, port: number, patience: number): Promise<Reached> {
  const { promise, resolve } = Promise.withResolvers<Reached>()
  const socket = connect({ host, port })
  const timer = setTimeout(() => resolve('silent'), patience)
  socket.on('connect', () => resolve('open'))
  socket.on('error', ({ code = '' }: NodeJS.ErrnoException) => resolve(reachedBy(code) ?? 'unreachable'))
  return promise.finally(() => {
    clearTimeout(timer)
    socket.destroy()
  })
}
