/** Asks a Redis whether it answers, and if not, why. */
import { RedisClient } from 'bun'
import { diagnoseRedis } from '../../cluster/redis-diagnosis.ts'
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

/** Never throws; takes four seconds at most. */
export async function askRedis(url: string): Promise<RedisState> {
  if (await answers(url)) return 'up'
  const trouble = await diagnoseRedis(url)
  // What is asked there is answered, but not to an app.
  return trouble === 'none' ? 'refusing' : trouble
}
