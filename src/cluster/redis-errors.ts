/** What a call to Redis is rejected with, told apart by whether Redis is away or was asked for something wrong. */

/** Redis is not connected, was silent for too long lately, or says that it cannot answer now. */
export class RedisAwayError extends Error {
  override readonly name = 'RedisAwayError'
}

/** No answer came in time: what was asked for may have been done, or may be done yet. */
export class RedisSilentError extends RedisAwayError {}

/** Redis answers that it cannot do it now, whatever it is asked: it is loading, full, or a replica. */
export class RedisUnableError extends RedisAwayError {
  /** What the reply began with. */
  readonly reason: string

  constructor(reason: string) {
    super(`Redis cannot do it now (${reason})`)
    this.reason = reason
  }
}

/** What replies begin with that say nothing of what was asked, only that Redis cannot do it now; and why. */
const CANNOT_NOW: ReadonlyMap<string, string> = new Map([
  ['BUSY', 'a script keeps it busy'],
  ['CLUSTERDOWN', 'its cluster is down'],
  ['LOADING', 'it is loading its data'],
  ['MASTERDOWN', 'its master is down'],
  ['MISCONF', 'it cannot write to its disk'],
  ['NOAUTH', 'it asks for a password'],
  ['NOREPLICAS', 'it has too few replicas'],
  ['OOM', 'it has no memory left'],
  ['READONLY', 'it is a replica'],
])

/** What a word that `readRefusal` found means, for people. */
export function describeRefusal(word: string): string {
  return `${CANNOT_NOW.get(word) ?? 'it cannot answer now'} (${word})`
}

/** The code of an error of Bun's client, which holds nothing of what was sent; null where there is none. */
export function codeOf(error: unknown): string | null {
  const code = error instanceof Error && 'code' in error ? error.code : null
  return typeof code === 'string' && /^[A-Z][A-Z_]{0,63}$/.test(code) ? code : null
}

/** What the caller is told: that Redis is away, or else what Redis says to what was asked. */
export function readRefusal(error: unknown): unknown {
  if (codeOf(error)?.includes('CONNECTION')) return new RedisAwayError('The connection to Redis was lost')
  const [word = ''] = error instanceof Error ? error.message.split(' ', 1) : []
  return CANNOT_NOW.has(word) ? new RedisUnableError(word) : error
}

/** Where a Redis is, for people: nothing of the URL that may be secret. */
export function placeOf(url: string): string {
  const { protocol, host } = new URL(url)
  return `${protocol}//${host}`
}
