/** Puts together what is recorded of requests, off their path: usage, metrics, request log. */
import type { Observers } from './guards/observation.ts'
import type { Clock } from './lib/clock.ts'
import type { ResolvedOptions } from './options/resolved.ts'
import type { Meters } from './recording/metrics/meters.ts'
import { type IsMountedAt, RequestLogRecorder } from './recording/requests/recorder.ts'
import { resolveJournalDirectory } from './recording/usage/journal/place.ts'
import { UsageRecorder } from './recording/usage/recorder.ts'
import type { Storage } from './storage/ports.ts'

export interface RecorderOptions {
  readonly options: ResolvedOptions
  readonly storage: Storage
  readonly clock: Clock
  readonly warn: (message: string) => void
  /** Null when nothing is measured. */
  readonly meters: Meters | null
}

export interface Recorders {
  readonly observers: Observers
  /** Null when usage is not counted. */
  readonly usage: UsageRecorder | null
  /** Null when requests are not logged. */
  readonly log: RequestLogRecorder | null
  /**
   * Says that an app is served: what would keep its requests from being recorded as they are meant to be refuses the
   * start.
   *
   * @throws Error that says what to do, when the start is over already
   */
  serve(isMountedAt: IsMountedAt): void
  /** Begins to write what is recorded; what was left by a process that was killed is written first. */
  start(): Promise<void>
  /** Writes what has not been written yet, tells what there was no time for, and ends. @param patience ms */
  stop(patience?: number): Promise<void>
}

function composeUsage({ options, storage, clock, warn }: RecorderOptions): UsageRecorder | null {
  const { usage } = options
  if (usage === false) return null
  const { flushInterval, batchSize, durability } = usage
  const journalDirectory = durability === 'buffered' ? null : resolveJournalDirectory(usage.journal, options.database)
  return new UsageRecorder({ store: storage.usage, clock, warn, flushInterval, batchSize, journalDirectory })
}

function composeLog({ options, storage, clock, warn }: RecorderOptions): RequestLogRecorder | null {
  if (options.logging.mode === 'off') return null
  return new RequestLogRecorder({ options, store: storage.requestLog, clock, warn })
}

export function composeRecorders(options: RecorderOptions): Recorders {
  const usage = composeUsage(options)
  const log = composeLog(options)
  return {
    observers: { usage, meter: options.meters?.requests ?? null, log },
    usage,
    log,
    serve(isMountedAt) {
      log?.serve(isMountedAt)
      usage?.serve()
    },
    async start() {
      options.meters?.lag.start()
      await usage?.start()
      log?.start()
    },
    async stop(patience) {
      options.meters?.lag.stop()
      await Promise.all([usage?.stop(patience), log?.stop(patience)])
    },
  }
}
