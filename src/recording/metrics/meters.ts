/** What a core counts as it happens: made before anything that tells it. */
import { EventLoopLag } from './event-loop-lag.ts'
import { LimitCounts } from './limit-counts.ts'
import { RedisCounts } from './redis-counts.ts'
import { RequestCounts } from './request-counts.ts'
import { StorageCounts } from './storage-counts.ts'

export class Meters {
  readonly requests = new RequestCounts()
  readonly limits = new LimitCounts()
  readonly storage = new StorageCounts()
  readonly redis = new RedisCounts()
  readonly lag = new EventLoopLag()
}
