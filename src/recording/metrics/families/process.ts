/** Metrics of the process. */
import type { EventLoopLag } from '../event-loop-lag.ts'
import type { Family, Sample } from '../family.ts'
import { countOpenFiles, readCpu, readMostFiles, readResident, readStart } from '../process-figures.ts'

/** Names of the field, which every dashboard knows. */
const PROCESS: readonly (readonly [
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  read: () => number | null,
])[] = [
  ['counter', 'process_cpu_seconds_total', 'User and system CPU time that the process spent.', readCpu],
  ['gauge', 'process_resident_memory_bytes', 'Resident memory of the process.', readResident],
  ['gauge', 'process_start_time_seconds', 'When the process was started, in Unix time.', readStart],
  ['gauge', 'process_open_fds', 'Open file descriptors.', countOpenFiles],
  ['gauge', 'process_max_fds', 'How many file descriptors may be open.', readMostFiles],
]

function sampleOf(value: number | null): readonly Sample[] {
  return value === null ? [] : [{ value }]
}

export function processFamilies(version: string, { lags }: EventLoopLag): readonly Family[] {
  // What the system does not tell has no place among the others.
  const told = PROCESS.filter(([, , , read]) => read() !== null)
  return [
    {
      type: 'histogram',
      name: 'machine_auth_event_loop_lag_seconds',
      help: 'By how much a timer, sampled about ten times a second, came too late: what blocks the event loop.',
      read: () => [{ distribution: lags }],
    },
    {
      type: 'gauge',
      name: 'machine_auth_build_info',
      help: 'Always 1; the labels tell which version of the library runs on what.',
      labels: ['version', 'runtime', 'runtime_version'],
      read: () => [{ labels: { version, runtime: 'bun', runtime_version: Bun.version }, value: 1 }],
    },
    ...told.map(([type, name, help, read]): Family => ({ type, name, help, read: () => sampleOf(read()) })),
  ]
}
