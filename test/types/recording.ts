/** What the options of recording, and what is told of it, are typed as. */
import {
  createMachineAuth,
  defineConfig,
  type LoggingMode,
  machineAuth,
  type RequestLogEntry,
  type RequestLogSink,
} from '../../src/index.ts'
import { same } from './support.ts'

same<LoggingMode, 'off' | 'metadata_only' | 'redacted' | 'raw'>(true)

machineAuth({
  usage: { flushInterval: '5s', batchSize: 100, durability: 'journaled', journal: '/var/lib/app', retention: 3600 },
  logging: {
    mode: 'redacted',
    sink: {
      write(batch) {
        same<typeof batch, readonly RequestLogEntry[]>(true)
      },
    },
  },
  metrics: { open: true },
  shutdown: { delay: 5, timeout: '20s' },
})
defineConfig({ usage: false, metrics: false, shutdown: false })

// @ts-expect-error: not a mode
machineAuth({ logging: { mode: 'verbose' } })
// @ts-expect-error: `logging.mode` says whether anything is logged
machineAuth({ logging: false })
// @ts-expect-error: not a durability
machineAuth({ usage: { durability: 'exact' } })
// @ts-expect-error: a sink is an object
machineAuth({ logging: { sink: () => undefined } })

declare const entry: RequestLogEntry
same<typeof entry.at, string>(true)
same<typeof entry.latencyMs, number>(true)
same<typeof entry.requestHeaders, Readonly<Record<string, string>> | null>(true)

class Queue implements RequestLogSink {
  readonly entries: RequestLogEntry[] = []

  write(batch: readonly RequestLogEntry[]): void {
    this.entries.push(...batch)
  }
}
const core = createMachineAuth({ logging: { mode: 'metadata_only', sink: new Queue() } })

const usage = await core.usage.ofKey('key_1', { bucket: 'day' })
same<typeof usage.total, number>(true)
same<typeof usage.latency.p99, number | null>(true)
const { items } = await core.logs.list()
same<typeof items, readonly RequestLogEntry[]>(true)
// @ts-expect-error: not a bucket
core.usage.ofKey('key_1', { bucket: 'week' })
