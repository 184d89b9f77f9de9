import { test } from 'bun:test'
import { runsOnRedis } from '../limits/redis/redis.ts'
import { describeLimits, memoryLimits, redisLimits } from './limiters.ts'
import { describeHitNow } from './limiters-now.ts'

describeLimits(memoryLimits())
describeHitNow(memoryLimits())

if (runsOnRedis) {
  describeLimits(redisLimits())
  describeHitNow(redisLimits())
} else test.skip('redis: no server answers on 127.0.0.1:6379', () => undefined)
