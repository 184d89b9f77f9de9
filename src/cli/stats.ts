/** `machine-auth stats`: the figures of the installation. */
import type { Command } from 'commander'
import type { TopKey, UsageStats } from '../recording/usage/views.ts'
import { orNull } from './find/or-null.ts'
import { withExamples } from './help.ts'
import { noteIncomplete } from './incomplete.ts'
import { formatCount, formatShare } from './terminal/figures.ts'
import { sparkline } from './terminal/sparkline.ts'
import type { Column } from './terminal/table.ts'
import { CLI_ACTOR, type Cli, type Session, withCore } from './with-core.ts'

/** A key with the name of its organization. */
interface Row extends TopKey {
  readonly organization: string
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'KEY', text: ({ id }) => id, isWhole: true },
  { title: 'NAME', text: ({ name }) => name },
  { title: 'REQUESTS', text: ({ requests }) => formatCount(requests), isWhole: true, isNumber: true },
  { title: 'ERRORS', text: ({ requests, errors }) => formatShare(errors, requests), isWhole: true, isNumber: true },
  { title: 'ORGANIZATION', text: ({ organization }) => organization },
]

function figuresOf(stats: UsageStats): readonly (readonly [name: string, figure: string])[] {
  const totals = stats.series.map(({ total }) => total)
  const ofDay = totals.reduce((sum, total) => sum + total, 0)
  return [
    ['Organizations', formatCount(stats.organizations)],
    ['API keys', `${formatCount(stats.keys)}, ${formatCount(stats.activeKeys)} active`],
    ['Requests', `${formatCount(stats.requests)} in all, ${formatCount(stats.requestsLastHour)} in the last hour`],
    ['Last 24 hours', `${formatCount(ofDay)}, ${formatShare(stats.errorRate, 1)} errors`],
    ['', `${sparkline(totals)}  up to ${formatCount(Math.max(0, ...totals))} an hour`],
  ]
}

/** People know organizations by their names; an id stands in for one that is gone. */
async function toRows(core: Session['core'], topKeys: readonly TopKey[]): Promise<readonly Row[]> {
  const names = new Map<string | null, string>([[null, '-']])
  for (const { organizationId: id } of topKeys) {
    if (id !== null && !names.has(id)) names.set(id, (await orNull(core.organizations.find(id, CLI_ACTOR)))?.name ?? id)
  }
  return topKeys.map((key) => ({ ...key, organization: names.get(key.organizationId) ?? '-' }))
}

async function show({ core, output }: Session): Promise<void> {
  const stats = await core.usage.stats(CLI_ACTOR)
  if (output.isJson) return output.json(stats)
  noteIncomplete(output, stats)
  output.figures(figuresOf(stats))
  if (stats.topKeys.length === 0) return
  output.line('')
  output.line('Most used keys, today and yesterday:')
  output.table(await toRows(core, stats.topKeys), COLUMNS)
}

export function addStatsCommand(program: Command, cli: Cli): void {
  const command = program
    .command('stats')
    .description('show organizations, keys, requests of the last 24 hours and the most used keys')
    .action((_: object, self: Command) => withCore(cli, self, show))
  withExamples(command, 'stats', 'stats --json')
}
