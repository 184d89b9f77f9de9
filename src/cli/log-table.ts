/** Entries of the request log in columns, as they come. */
import type { RequestLogEntry } from '../options/recording-types.ts'
import type { CliIo } from './terminal/io.ts'
import { type Column, formatTable } from './terminal/table.ts'
import { toMoment } from './terminal/text.ts'

/** Of most importance first: where there is no room, the last ones are left out. */
const COLUMNS: readonly Column<RequestLogEntry>[] = [
  { title: 'TIME (UTC)', text: ({ at }) => toMoment(at), isWhole: true },
  { title: 'STATUS', text: ({ status }) => String(status), isWhole: true },
  { title: 'METHOD', text: ({ method }) => method },
  { title: 'PATH', text: ({ path }) => path, least: 16 },
  { title: 'LATENCY', text: ({ latencyMs }) => `${latencyMs.toFixed(1)} ms`, isWhole: true, isNumber: true },
  { title: 'CODE', text: ({ code }) => code ?? '-', least: 12 },
  // Ids and addresses are whole, or left out.
  { title: 'WHO', text: ({ keyId, userId }) => keyId ?? userId ?? '-', least: 20 },
  { title: 'ADDRESS', text: ({ address }) => address ?? '-', least: 39 },
  { title: 'REQUEST ID', text: ({ requestId }) => requestId, least: 36 },
]

/** Rows that what comes is lined up with. */
const ON_SCREEN = 50

export class LogTable {
  readonly #io: Pick<CliIo, 'stdout' | 'columns'>
  #shown: readonly RequestLogEntry[] = []

  constructor(io: Pick<CliIo, 'stdout' | 'columns'>) {
    this.#io = io
  }

  /** Writes entries below those before; the first ones below the titles. */
  add(entries: readonly RequestLogEntry[]): void {
    if (entries.length === 0) return
    const rows = [...this.#shown, ...entries]
    const lines = formatTable(rows, COLUMNS, this.#io.columns).split('\n')
    const known = this.#shown.length === 0 ? 0 : 1 + this.#shown.length
    this.#io.stdout.write(lines.slice(known).join('\n'))
    this.#shown = rows.slice(-ON_SCREEN)
  }
}
