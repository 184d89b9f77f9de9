/** `machine-auth key usage`: what a key is used for. */
import { type Command, Option } from 'commander'
import type { ApiKeyView } from '../authentication/views.ts'
import type { UsageInput } from '../recording/usage/periods.ts'
import type { KeyUsage } from '../recording/usage/views.ts'
import { findKey } from './find/key.ts'
import { WHICH_KEY } from './find/which.ts'
import { withExamples } from './help.ts'
import { noteIncomplete } from './incomplete.ts'
import { parseTime } from './input/values.ts'
import { formatCount, formatLatency, formatShare } from './terminal/figures.ts'
import { sparkline } from './terminal/sparkline.ts'
import type { Column } from './terminal/table.ts'
import { toMoment } from './terminal/text.ts'
import { CLI_ACTOR, type Cli, type Session, withCore } from './with-core.ts'

/** A status or an endpoint, with its part of all requests. */
interface Part {
  readonly name: string
  readonly requests: number
  readonly all: number
}

function partsOf(counts: Readonly<Record<string, number>>, all: number): readonly Part[] {
  return Object.entries(counts).map(([name, requests]) => ({ name, requests, all }))
}

const columnsOf = (title: string): readonly Column<Part>[] => [
  { title, text: ({ name }) => name },
  { title: 'REQUESTS', text: ({ requests }) => formatCount(requests), isWhole: true, isNumber: true },
  { title: 'SHARE', text: ({ requests, all }) => formatShare(requests, all), isWhole: true, isNumber: true },
]

/** Room for bars where nobody says how wide the terminal is, and beside their title. */
const USUAL_WIDTH = 80
const TITLE_WIDTH = 14

function figuresOf(
  { id, name }: ApiKeyView,
  usage: KeyUsage,
  columns: number | null,
): readonly (readonly [name: string, figure: string])[] {
  const { bucket, from, to, total, errors, latency, series } = usage
  const totals = series.map((point) => point.total)
  const room = Math.max(1, (columns ?? USUAL_WIDTH) - TITLE_WIDTH)
  return [
    ['Key', `${id} (${name})`],
    ['From', `${toMoment(from)} UTC`],
    ['To', `${toMoment(to)} UTC`],
    ['Requests', formatCount(total)],
    ['Errors', `${formatCount(errors)} (${formatShare(errors, total)})`],
    ['Mean latency', formatLatency(latency.mean)],
    [
      'Percentiles',
      `50 % ${formatLatency(latency.p50)}, 90 % ${formatLatency(latency.p90)}, 99 % ${formatLatency(latency.p99)}`,
    ],
    [`By the ${bucket}`, sparkline(totals, room)],
    ['', `up to ${formatCount(Math.max(...totals))}`],
  ]
}

async function show({ core, io, output }: Session, text: string, input: UsageInput): Promise<void> {
  const key = await findKey(core, text)
  const usage = await core.usage.ofKey(key.id, input, CLI_ACTOR)
  if (output.isJson) return output.json(usage)
  noteIncomplete(output, usage)
  output.figures(figuresOf(key, usage, io.columns))
  if (usage.total === 0) return
  output.line('')
  output.table(partsOf(usage.byEndpoint, usage.total), columnsOf('ENDPOINT'))
  output.line('')
  output.table(partsOf(usage.byStatus, usage.total), columnsOf('STATUS'))
}

export function addKeyUsage(group: Command, cli: Cli): void {
  const command = group
    .command('usage')
    .description('show what a key is used for: requests, errors, latency, endpoints')
    .argument(...WHICH_KEY)
    .option('--from <time>', 'from this RFC 3339 time on (default: the last 24 hours, or 30 days)', parseTime)
    .option('--to <time>', 'before this RFC 3339 time (default: now)', parseTime)
    .addOption(new Option('--bucket <period>', 'what to count by (default hour)').choices(['hour', 'day']))
    .action((text: string, input: UsageInput, self: Command) =>
      withCore(cli, self, (session) => show(session, text, input)),
    )
  withExamples(
    command,
    'key usage mac_live_4dTy --bucket day',
    'key usage key_4dTyWz8Qm1nBvK3c --from 2029-12-01T00:00:00Z --to 2029-12-08T00:00:00Z --json',
  )
}
