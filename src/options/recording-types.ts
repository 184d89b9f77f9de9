/** What is recorded of requests, and what becomes of it at the end, as an app says it. */
import type { DurationInput } from '../lib/duration.ts'
import type { RequestLogRecord } from '../storage/records.ts'

/** How requests are counted. */
export interface UsageOption {
  /** How long what was counted waits in memory at most, as text or seconds, above zero, at most `'1h'`. Default `'1s'`. */
  readonly flushInterval?: DurationInput
  /** How many counters are written in one transaction, 1 to 10,000. Default 200. */
  readonly batchSize?: number
  /**
   * `'buffered'`: a process that is killed loses what it counted since the last flush. `'journaled'`: nothing, each
   * request is noted in a local file before it is answered. Default `'buffered'`.
   */
  readonly durability?: 'buffered' | 'journaled'
  /** Directory of those files. Default: beside the SQLite file, else `.machine-auth/usage`. */
  readonly journal?: string
  /** How long hourly counts are kept, as text or seconds, above zero. Default `'90d'`. */
  readonly retention?: DurationInput
  /** How long daily counts are kept. Default `'730d'`. */
  readonly dailyRetention?: DurationInput
}

/** What is logged of a request: from nothing to everything. */
export type LoggingMode = 'off' | 'metadata_only' | 'redacted' | 'raw'

/** Takes what is logged, in place of the database. */
export interface RequestLogSink {
  /** Called with one batch at a time, oldest first; one that fails is given again. */
  write(batch: readonly RequestLogEntry[]): void | Promise<void>
}

/** A request as it is logged; `at` is RFC 3339 UTC, `latencyMs` in ms. What the mode leaves out is null. */
export interface RequestLogEntry extends Omit<RequestLogRecord, 'at' | 'duration'> {
  readonly at: string
  readonly latencyMs: number
}

/** What the request log holds, where, and for how long. */
export interface LoggingOption {
  /**
   * `'metadata_only'`: who asked for what, when, and how it ended. `'redacted'`: also query, headers and bodies, without
   * what is secret or a number of a person. `'raw'`: the same without what lets somebody in, by the same names. Environment:
   * `MACHINE_AUTH_LOGGING`. Default `'off'`.
   */
  readonly mode?: LoggingMode
  /** How long entries are kept, as text or seconds, above zero. Default `'30d'`. */
  readonly retention?: DurationInput
  /** Bytes of a body that are logged at most, 0 to 1,048,576; the rest is cut. Default 8192. */
  readonly maxBody?: number
  /** Names besides the usual ones whose values are taken out in every mode, in whatever case. Default `[]`. */
  readonly redact?: readonly string[]
  /** Has `'raw'` log credentials and cookies too: whoever reads the log can then act as anybody. Default: off. */
  readonly unsafeRaw?: boolean
  /** Takes the entries in place of the database, for a queue. Default: none. */
  readonly sink?: RequestLogSink
}

/** How long the end of a process may take. */
export interface ShutdownOption {
  /**
   * How long readiness is refused before connections are, for load balancers, as text or seconds, at most `'60s'`.
   * Default `'0s'`.
   */
  readonly delay?: DurationInput
  /** How long requests under way may take, as text or seconds, at most `'60s'`. Default `'3s'`. */
  readonly timeout?: DurationInput
}
