/** Which Redis an app means. */

/** What `redis` accepts, for messages. */
export const REDIS_ACCEPTED = "a URL such as 'redis://127.0.0.1:6379' or 'rediss://user:password@host:6380/0'"

/** Redis has 16 databases unless its configuration says otherwise. */
const DATABASE = /^(\/\d{0,5})?$/

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/** Without spaces: a line break at the end of a file with the URL would otherwise be taken for a part of it. */
export function isRedis(value: unknown): value is string {
  if (typeof value !== 'string' || !/^rediss?:\/\/[^\s\0]+$/.test(value) || !URL.canParse(value)) return false
  const { hostname, port, pathname, search, hash, username, password } = new URL(value)
  const isWhole = hostname !== '' && port !== '0' && DATABASE.test(pathname) && search === '' && hash === ''
  return isWhole && isDecodable(username) && isDecodable(password)
}

/** Of a Redis URL only the scheme: all else may be, or hide, a password. */
export function maskRedis(text: string): string {
  const scheme = /^[a-z][a-z0-9+.-]{0,20}:(?=\/\/)/i.exec(text)?.[0]
  return `${scheme ?? ''}***`
}
