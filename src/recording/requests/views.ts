/** How entries of the request log are shown. */
import { toTimestamp } from '../../lib/timestamp.ts'
import type { RequestLogEntry } from '../../options/recording-types.ts'
import type { RequestLogRecord } from '../../storage/records.ts'

export function toRequestLogEntry(record: RequestLogRecord): RequestLogEntry {
  const { id, at, duration, ...rest } = record
  return { id, at: toTimestamp(at), latencyMs: duration / 1000, ...rest }
}
