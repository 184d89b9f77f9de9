/** Asks a Redis whether it answers. */
import { RedisClient } from 'bun'

/** ms. */
const PATIENCE = 2000

/** @returns null when it answers, else why not; never the URL, which may hold a password */
export async function pingRedis(url: string): Promise<string | null> {
  let client: RedisClient
  try {
    client = new RedisClient(url, { connectionTimeout: PATIENCE, autoReconnect: false, maxRetries: 0 })
  } catch {
    return 'the URL is not one of Redis'
  }
  const late = Promise.withResolvers<string>()
  const timer = setTimeout(() => late.resolve(`does not answer within ${PATIENCE / 1000} s`), PATIENCE)
  try {
    const asked = client.send('PING', []).then(
      () => null,
      () => 'cannot be reached',
    )
    return await Promise.race([asked, late.promise])
  } finally {
    clearTimeout(timer)
    client.close()
  }
}
