/** Puts together what the processes of an app share: the way to Redis, its limits, and who tells whom of changes. */
import type { ChangeBell } from './cluster/change-bell.ts'
import type { RedisLink, RedisMeter } from './cluster/redis-link.ts'
import type { Clock } from './lib/clock.ts'
import { derive } from './lib/crypto.ts'
import type { SharedLimits } from './limits/shared-limits.ts'
import type { ResolvedOptions } from './options/resolved.ts'
import type { Listen } from './storage/listen.ts'

export interface ClusteringOptions {
  readonly options: Pick<ResolvedOptions, 'redis' | 'cluster' | 'rateLimit' | 'secrets'>
  /** Hears what PostgreSQL tells; null where none does. */
  readonly listen: Listen | null
  readonly clock: Clock
  readonly warn: (message: string) => void
  /** Null when nothing is measured. */
  readonly meter: RedisMeter | null
}

export interface Clustering {
  /** Null where nobody tells of changes at once: then the log of them is read more often. */
  readonly bell: ChangeBell | null
  /** Null where each process counts for itself. */
  readonly shared: SharedLimits | null
  /** Null without Redis. */
  readonly redis: {
    readonly link: RedisLink
    readonly bell: ChangeBell
    readonly limits: SharedLimits | null
  } | null
  /** Begins to connect; waits for the first attempt, two seconds at most. Never rejects. */
  start(): Promise<void>
  stop(): Promise<void>
}

/** Synchronous `require`, so that who has no Redis never loads what it takes. */
const loadRedis = () => ({
  ...(require('./cluster/redis-link.ts') as typeof import('./cluster/redis-link.ts')),
  ...(require('./cluster/redis-bell.ts') as typeof import('./cluster/redis-bell.ts')),
  ...(require('./limits/redis/redis-limits.ts') as typeof import('./limits/redis/redis-limits.ts')),
})

function composeWithRedis(url: string, { options, clock, warn, meter }: ClusteringOptions): Clustering {
  const { RedisLink, RedisBell, RedisLimits } = loadRedis()
  const { name, limits, processes, withoutRedis, redisTimeout: timeout } = options.cluster
  const link = new RedisLink({ url, timeout, warn, meter })
  const bell = new RedisBell({ link, url, channel: `${name}:changes`, timeout, warn })
  const shared =
    limits === 'local'
      ? null
      : new RedisLimits({
          link,
          name,
          // Of the one that is used for what is new: of the steps of a rotation only one changes it.
          nameKey: derive(options.secrets[0] ?? '', 'shared-limits'),
          maxSubjects: options.rateLimit.maxSubjects,
          withoutRedis,
          processes: () => processes ?? bell.listeners,
          clock,
          warn,
        })
  return {
    bell,
    shared,
    redis: { link, bell, limits: shared },
    async start() {
      link.start()
      // What comes before that would be counted here alone.
      await link.attempted
    },
    async stop() {
      await shared?.stop()
      await link.stop()
    },
  }
}

/** As above: who has SQLite loads nothing that tries again. */
const loadListenBell = () => require('./cluster/listen-bell.ts') as typeof import('./cluster/listen-bell.ts')

/** Makes nothing that is not asked for: one process on SQLite shares nothing. */
export function composeClustering(given: ClusteringOptions): Clustering {
  const { options, listen, warn } = given
  if (options.redis !== null) return composeWithRedis(options.redis, given)
  return {
    bell: listen === null ? null : new (loadListenBell().ListenBell)({ listen, warn }),
    shared: null,
    redis: null,
    start: async () => undefined,
    stop: async () => undefined,
  }
}
