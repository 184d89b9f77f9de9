/** How several processes share one app, and what happens when what they share is away. */
import type { DurationInput } from '../lib/duration.ts'

/** Connections to PostgreSQL. */
export interface PostgresOption {
  /** Connections at most, 1 to 1000. Default 10. */
  readonly poolSize?: number
  /** How long a call may take before it counts as failed, as text or seconds, above zero, at most `'5m'`. Default `'5s'`. */
  readonly timeout?: DurationInput
  /** `false` names no prepared statements: for PgBouncer in transaction mode. Default: on. */
  readonly prepare?: boolean
  /** A file with the certificates of whoever signs the server's, in PEM form. Default: those of the system. */
  readonly ca?: string
}

/** What processes that serve one app share by Redis. */
export interface ClusterOption {
  /** Of what is in Redis: apps that share a Redis need names of their own; letters, digits, `-`, `_`. Default `'machine-auth'`. */
  readonly name?: string
  /** `'local'`: limits count in each process for itself, also with `redis`. Default `'shared'`. */
  readonly limits?: 'shared' | 'local'
  /** How many processes there are, 1 to 100,000. Default: as many as were last seen in Redis. */
  readonly processes?: number
  /**
   * While Redis is away: `'local'` counts in each process, up to its share of each limit; `'refuse'` answers 503 to what
   * a limit concerns. Default `'local'`.
   */
  readonly withoutRedis?: 'local' | 'refuse'
  /** How long a call to Redis may take before it counts as failed, as text or seconds, above zero, at most `'30s'`. Default `'250ms'`. */
  readonly redisTimeout?: DurationInput
  /**
   * How long a credential that was verified is believed while the database is away, as text or seconds, at most `'1h'`;
   * `'0s'`: no longer than `apiKeys.cacheTtl`. Default `'5m'`.
   */
  readonly staleness?: DurationInput
}
