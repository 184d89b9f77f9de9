/** Metrics of what is recorded of requests: whether it keeps up, and what it lost. */
import type { QueueFigures } from '../../requests/queue.ts'
import type { UsageFigures } from '../../usage/recorder.ts'
import type { Family } from '../family.ts'

type Single = readonly [type: 'counter' | 'gauge', name: string, help: string, read: () => number]

function single([type, name, help, read]: Single): Family {
  return { type, name, help, read: () => [{ value: read() }] }
}

export function usageFamilies(usage: () => UsageFigures): readonly Family[] {
  const rows: readonly Single[] = [
    [
      'gauge',
      'machine_auth_usage_buffered_counters',
      'Usage counters in memory, still to be written.',
      () => usage().buffered,
    ],
    [
      'counter',
      'machine_auth_usage_dropped_total',
      'Requests missing from usage: the buffer was full.',
      () => usage().dropped,
    ],
    [
      'counter',
      'machine_auth_usage_flushes_total',
      'Times that writing usage to the database was tried.',
      () => usage().flushes,
    ],
    [
      'counter',
      'machine_auth_usage_flush_failures_total',
      'Tries to write usage that failed; it is kept and tried again.',
      () => usage().failures,
    ],
    [
      'gauge',
      'machine_auth_usage_flush_failing',
      '1 while the last attempt to write usage has failed, else 0.',
      () => Number(usage().isFailing),
    ],
    [
      'gauge',
      'machine_auth_usage_journal_bytes',
      'Size of the local journal files of usage that is still to be counted; 0 without a journal.',
      () => usage().journalBytes,
    ],
  ]
  return rows.map(single)
}

export function requestLogFamilies(log: () => QueueFigures): readonly Family[] {
  const rows: readonly Single[] = [
    [
      'gauge',
      'machine_auth_request_log_queued_entries',
      'Request log entries still to be written.',
      () => log().queued,
    ],
    [
      'counter',
      'machine_auth_request_log_written_total',
      'Request log entries that were written.',
      () => log().written,
    ],
    [
      'counter',
      'machine_auth_request_log_dropped_total',
      'Requests missing from the request log: the queue was full.',
      () => log().dropped,
    ],
    [
      'counter',
      'machine_auth_request_log_failures_total',
      'Times that request log entries could not be written; they are kept and tried again.',
      () => log().failures,
    ],
  ]
  return rows.map(single)
}
