/** Which Redis an app means. */
import { findUrlFault } from './url-fault.ts'

/** What `redis` accepts, for messages. */
export const REDIS_ACCEPTED = "a URL such as 'redis://127.0.0.1:6379' or 'rediss://user:password@host:6380/0'"

/** Redis has 16 databases unless its configuration says otherwise. */
const DATABASE = /^(\/\d{0,5})?$/

/** What is wrong with a text that means a Redis, without showing it; null for one that is right or means none. */
export function faultOfRedis(text: string): string | null {
  if (!/^rediss?:\/\//.test(text)) return null
  if (/[\s\0]/.test(text)) return 'has a space or a line break'
  const fault = findUrlFault(text)
  if (fault !== null) return fault
  const { pathname, search, hash } = new URL(text)
  if (search !== '') return 'has parameters, of which none is taken'
  if (hash !== '') return 'has a fragment (#)'
  return DATABASE.test(pathname) ? null : 'has a path that is no number of a database'
}

/** Without spaces: a line break at the end of a file with the URL would otherwise be taken for a part of it. */
export function isRedis(value: unknown): value is string {
  return typeof value === 'string' && /^rediss?:\/\//.test(value) && faultOfRedis(value) === null
}

/** Of a Redis URL only the scheme: all else may be, or hide, a password. */
export function maskRedis(text: string): string {
  const scheme = /^[a-z][a-z0-9+.-]{0,20}:(?=\/\/)/i.exec(text)?.[0]
  return `${scheme ?? ''}***`
}
