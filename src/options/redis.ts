/** Which Redis an app means. */

/** What `redis` accepts, for messages. */
export const REDIS_ACCEPTED = "a URL such as 'redis://127.0.0.1:6379' or 'rediss://user:password@host:6380/0'"

export function isRedis(value: unknown): value is string {
  if (typeof value !== 'string' || !/^rediss?:\/\//.test(value) || !URL.canParse(value)) return false
  const { hostname, pathname, search, hash } = new URL(value)
  return hostname !== '' && /^(\/\d{0,5})?$/.test(pathname) && search === '' && hash === ''
}
