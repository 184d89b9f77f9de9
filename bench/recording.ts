/**
 * What it costs to record requests, as ratios to the same route with recording off, and to a bare Elysia route, all of
 * them in one run: `bun bench/recording.ts [--quick] [rounds] [seconds] [variants]`.
 *
 * Databases are files. Beside it, what is recorded of one request in a process that does nothing else.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseChoice } from './arguments.ts'
import { reportRecordedAlone } from './recording-alone.ts'
import { SETTINGS, type Variant } from './recording-server.ts'
import { createPrintingReport, type Goal, type Report } from './report.ts'
import { measureInRounds, type Rounds } from './rounds.ts'
import { measure, type Reading } from './wrk.ts'

const GROUP = 'recording'

const GOALS: Partial<Readonly<Record<string, Goal>>> = {
  'usage and metrics, more than without': { atMost: 0.5 },
  'API key, limit, usage and metrics, to bare': { atLeast: 0.65 },
}

const TITLES: Readonly<Record<Variant, string>> = {
  bare: 'bare Elysia route',
  off: 'API key, nothing recorded',
  buffered: 'usage',
  journaled: 'usage in the journal',
  metrics: 'metrics',
  default: 'usage and metrics',
  logged: 'usage, metrics and the request log',
  'bare-1000': 'bare Elysia route, 1,000 keys in turn',
  'off-1000': 'nothing recorded, 1,000 keys in turn',
  'buffered-1000': 'usage, 1,000 keys in turn',
  'journaled-1000': 'usage in the journal, 1,000 keys in turn',
  'default-1000': 'usage and metrics, 1,000 keys in turn',
  'limited-off': 'API key and limit, nothing recorded',
  everything: 'API key, limit, usage and metrics',
}

/** What a variant is compared to. */
function offOf(variant: Variant): Variant {
  if (variant.endsWith('-1000')) return 'off-1000'
  return variant === 'everything' || variant === 'limited-off' ? 'limited-off' : 'off'
}

const bareOf = (variant: Variant): Variant => (variant.endsWith('-1000') ? 'bare-1000' : 'bare')

async function measureOne(variant: Variant, seconds: number): Promise<Reading> {
  const directory = mkdtempSync(join(tmpdir(), 'machine-auth-bench-'))
  try {
    return await measure(['recording-server.ts', variant, directory], seconds)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function reportVariant(report: Report, rounds: Rounds<Variant>, variant: Variant): void {
  const [title, off, bare] = [TITLES[variant], offOf(variant), bareOf(variant)]
  const rate = rounds.of(variant, 'requestsPerSecond').toLocaleString('en', { maximumFractionDigits: 0 })
  const cpu = rounds.of(variant, 'cpu')
  const p99 = rounds.of(variant, 'p99').toFixed(2)
  report.add({ group: GROUP, name: title, value: cpu, unit: 'µs', note: `${rate} requests/s, p99 ${p99} ms` })
  const added = cpu - rounds.of(off, 'cpu')
  if (variant !== off && variant !== bare && !Number.isNaN(added)) {
    const name = `${title}, more than without`
    const goal = GOALS[name]
    const note = `processor time; ${rounds.ratio(variant, off, 'requestsPerSecond').toFixed(2)} of its requests`
    report.add({ group: GROUP, name, value: added, unit: 'µs', note, ...(goal && { goal }) })
  }
  const toBare = rounds.ratio(variant, bare, 'requestsPerSecond')
  if (variant === bare || Number.isNaN(toBare)) return
  const name = `${title}, to bare`
  const goal = GOALS[name]
  const note = `by processor time ${rounds.ratio(variant, bare, 'cpu').toFixed(2)}`
  report.add({ group: GROUP, name, value: toBare, unit: 'ratio', note, ...(goal && { goal }) })
}

interface Choice {
  readonly rounds: number
  readonly seconds: number
  readonly variants: readonly Variant[]
}

async function compare(report: Report, { rounds, seconds, variants }: Choice): Promise<void> {
  const measured = await measureInRounds(variants, rounds, report, (variant) => measureOne(variant, seconds))
  for (const variant of variants) reportVariant(report, measured, variant)
}

const VARIANTS = Object.keys(SETTINGS) as Variant[]
/** The rest says no more of many keys than of one, and can be measured by itself. */
const USUAL = VARIANTS.filter((variant) => !/^(journaled|buffered-)/.test(variant))

export async function run(report: Report, { isQuick }: { readonly isQuick: boolean }): Promise<void> {
  await reportRecordedAlone(report, isQuick)
  await compare(report, { rounds: isQuick ? 1 : 3, seconds: isQuick ? 1 : 2, variants: USUAL })
}

if (import.meta.main) {
  const choice = parseChoice(process.argv.slice(2), VARIANTS, { rounds: 3, seconds: 6 })
  const report = createPrintingReport()
  if (choice.variants === VARIANTS) await reportRecordedAlone(report, choice.isQuick)
  await compare(report, choice)
}
