/** What single options cannot say of what is recorded, and of the end. */
import { quotedDuration, type Report } from './mistakes.ts'
import type { ResolvedOptions } from './resolved.ts'

const SECOND = 1000
const HOUR = 3600 * SECOND
/** Longer, and whoever stops the process kills it first. */
const MAX_SHUTDOWN = 60 * SECOND

function checkUsage({ usage }: ResolvedOptions, report: Report): void {
  if (usage === false) return
  if (usage.flushInterval > HOUR) {
    report.add(['usage', 'flushInterval'], quotedDuration(usage.flushInterval), "at most '1h'")
  }
  if (usage.journal !== null && usage.durability === 'buffered') {
    report.warn("usage.journal has no effect without usage.durability 'journaled'.")
  }
  if (usage.dailyRetention < usage.retention) {
    report.warn('usage.dailyRetention is shorter than usage.retention: days are forgotten before their hours.')
  }
}

function checkLogging({ logging }: ResolvedOptions, report: Report): void {
  const { mode, unsafeRaw, sink } = logging
  if (mode === 'raw' && unsafeRaw) {
    report.warn(
      'logging.unsafeRaw is on: credentials and cookies are in the request log, and whoever reads it can act as anybody.',
    )
  } else if (mode === 'raw') {
    report.warn(
      "logging.mode is 'raw': the request log holds what people send and get, but for credentials and cookies.",
    )
  } else if (unsafeRaw) {
    report.warn("logging.unsafeRaw has no effect without logging.mode 'raw'.")
  }
  if (mode === 'off' && sink !== undefined) report.warn("logging.sink is given nothing: logging.mode is 'off'.")
}

function checkShutdown({ shutdown }: ResolvedOptions, report: Report): void {
  if (shutdown === false) return
  for (const [name, milliseconds] of Object.entries(shutdown)) {
    if (milliseconds > MAX_SHUTDOWN) report.add(['shutdown', name], quotedDuration(milliseconds), "at most '60s'")
  }
}

/** Reports contradictions in what is recorded, and warns of what is dangerous or has no effect. */
export function checkRecording(options: ResolvedOptions, report: Report): void {
  checkUsage(options, report)
  checkLogging(options, report)
  checkShutdown(options, report)
}
