/** Shared limits as tests make them. */
import { Limiter } from '../../../src/limits/limiter.ts'
import { createRate, type Strategy } from '../../../src/limits/rate.ts'
import { LimitKeys } from '../../../src/limits/redis/keys.ts'
import type { Link } from '../../../src/limits/redis/link.ts'
import { RedisLimits, type RedisLimitsOptions } from '../../../src/limits/redis/redis-limits.ts'
import type { SharedClaim, SharedReadings } from '../../../src/limits/shared-limits.ts'
import { START } from '../schedules.ts'

/** ms; longer than any test. */
export const WINDOW = 600_000

/** 32 bytes, as all of a test's processes have them. */
export const NAME_KEY = new Uint8Array(32)

/** How the limits of `createLimits` are named in Redis. */
export const keysOf = (name: string) => new LimitKeys(name, NAME_KEY)

export const AWAY: Link = { send: () => Promise.reject(new Error('away')) }

export function createLimits(options: Partial<RedisLimitsOptions> & Pick<RedisLimitsOptions, 'link'>): RedisLimits {
  return new RedisLimits({
    name: 'test',
    nameKey: NAME_KEY,
    maxSubjects: 1000,
    withoutRedis: 'local',
    processes: () => 1,
    clock: () => START,
    warn(message) {
      throw new Error(message)
    },
    ...options,
  })
}

export function claimOf(
  subject: string,
  {
    cost = 1,
    limit = 2,
    place = 'route',
    strategy,
  }: { cost?: number; limit?: number; place?: string; strategy?: Strategy } = {},
): SharedClaim {
  const rate = createRate({ limit, window: WINDOW, ...(strategy === undefined ? {} : { strategy }) })
  return { place, limiter: new Limiter(rate, 1), subject, cost }
}

export async function isAllowed(readings: SharedReadings | Promise<SharedReadings>): Promise<(boolean | undefined)[]> {
  return (await readings).map((reading) => reading?.isAllowed)
}
