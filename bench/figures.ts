/** What pages and plots show of the results: pure functions of them. */
import { AIMS } from './goals.ts'
import { type Bar, renderBars, renderLines, type Series, type Tone } from './plot.ts'
import { formatFigure, formatGoal, type Result } from './report.ts'
import { findResult, type Results } from './results.ts'
import { formatMarkdownTable, verdictOf } from './table.ts'

/** Every goal with what was measured. */
export function renderGoals(results: Results): string {
  const rows = AIMS.map(({ group, name, goal, unit = 'ratio' }) => {
    const wanted = formatGoal({ goal, unit })
    const result = findResult(results, group, name)
    if (result === undefined) return [group, name, wanted, 'not measured', '', '']
    // A figure that was found to compare nothing has no goal.
    const verdict = result.goal === undefined ? 'not judged' : verdictOf({ ...result, goal })
    return [group, name, wanted, formatFigure({ ...result, goal }), verdict, result.note ?? '']
  })
  return formatMarkdownTable([['`bun run bench`', 'figure', 'goal:', 'measured:', '', 'note'], ...rows])
}

/** When what was measured where, for the sentence above a table. */
export function renderRuns(results: Results): string {
  const runs = Object.values(results)
  if (runs.length === 0) return NOT_MEASURED
  const days = runs.map(({ date }) => date.slice(0, 10)).toSorted()
  const [first = '', last = first] = [days[0], days.at(-1)]
  const processors = [...new Set(runs.map(({ processor }) => processor))].join('; ')
  const versions = [...new Set(runs.map((run) => `Bun ${run.versions.Bun}, elysia ${run.versions.elysia}`))].join('; ')
  return `Measured ${first === last ? `on ${first}` : `from ${first} to ${last}`} with ${versions}, on ${processors}.`
}

const SUMMARY = [
  ['guards', 'API key, limit and three headers, to bare', 'API key, limit and three headers'],
  ['guards', 'repeated JWT, to bare', 'JWT, seen before'],
  ['guards', 'session by cookie, to bare', 'session by cookie'],
  ['guards', 'refusal, over the limit, to bare', 'refusal, over the limit'],
  ['guards', 'everything on, to bare', 'API key, limit, headers, usage and metrics'],
] as const

/** A few lines for README: how much of a bare route's throughput is left. */
export function renderSummary(results: Results): string {
  const rows = SUMMARY.map(([group, name, title]) => {
    const result = findResult(results, group, name)
    return [title, result === undefined ? 'not measured' : formatFigure(result)]
  })
  return formatMarkdownTable([['guarded by', 'of a bare route:'], ...rows])
}

const NOT_MEASURED = 'Not measured yet.'

export function showPeers(results: Results): string {
  const words = 'Requests a second of ours, better-auth, @elysiajs/jwt, elysia-rate-limit and hono'
  return plotPeers(results) === null ? NOT_MEASURED : `![${words}](plots/peers.svg)`
}

export function showKeys(results: Results): string {
  const words = 'Processor time of a request against the number of keys in use'
  return plotKeys(results) === null ? NOT_MEASURED : `![${words}](plots/keys.svg)`
}

/** All figures of a group. */
export function renderGroup(results: Results, group: string): string {
  const run = results[group]
  if (run === undefined) return NOT_MEASURED
  const rows = run.results.map((result) => [
    result.name,
    formatFigure(result),
    formatGoal(result),
    verdictOf(result),
    result.note ?? '',
  ])
  return formatMarkdownTable([['what', 'figure:', 'goal:', '', 'note'], ...rows])
}

/** How ten minutes of mixed load went, with the plot that they drew. */
export function renderSoak(results: Results): string {
  const table = renderGroup(results, 'soak')
  if (results.soak === undefined) return table
  return `![Memory and p99 over the time of the run](plots/soak.svg)\n\n${table}`
}

const number = (value: number) => value.toLocaleString('en', { maximumFractionDigits: 0 })

function toneOf(name: string): Tone {
  if (name.startsWith('ours')) return 'own'
  return name.startsWith('bare') ? 'muted' : 'other'
}

/** Throughput of every peer, the fastest first; null before peers were measured. */
export function plotPeers(results: Results): string | null {
  const rates = (results.peers?.results ?? []).filter(({ unit }) => unit === 'requests/s')
  const bare = rates.find(({ name }) => name.startsWith('bare'))?.value
  if (rates.length === 0 || bare === undefined) return null
  const bars = rates
    .toSorted((a, b) => b.value - a.value)
    .map(({ name, value }): Bar => {
      const ratio = formatFigure({ value: value / bare, unit: 'ratio' })
      return {
        label: name.replace(/, requests\/s$/, ''),
        value,
        text: `${number(value)} · ${ratio}`,
        tone: toneOf(name),
      }
    })
  const subtitle =
    'One core, 32 connections: requests a second, and what that is of a bare Elysia route in the same run'
  return renderBars({ title: 'Throughput', subtitle, bars })
}

const LINES = [
  { name: 'ours', prefix: 'ours', tone: 'own' },
  { name: 'hand-written minimum', prefix: 'hand-written', tone: 'reference' },
  { name: 'bare Elysia', prefix: 'bare', tone: 'muted' },
] as const satisfies readonly (Omit<Series, 'points'> & { readonly prefix: string })[]

/** How many keys a result of `keys-in-use` is about. */
function keysOf({ name }: Result): number {
  return Number(/([\d,]+) keys? in use$/.exec(name)?.[1]?.replaceAll(',', ''))
}

/** Cost of a request against the number of keys in use; null before that was measured. */
export function plotKeys(results: Results): string | null {
  const costs = (results['keys-in-use']?.results ?? []).filter(({ unit }) => unit === 'µs')
  const series = LINES.map(({ name, prefix, tone }): Series => {
    const own = costs.filter((result) => result.name.startsWith(prefix))
    return { name, tone, points: own.map((result) => [keysOf(result), result.value] as const) }
  }).filter(({ points }) => points.length > 0)
  if (series.length === 0) return null
  return renderLines({
    title: 'Cost of a request by number of keys in use',
    subtitle: 'Processor time of the server: a key, its limit and three headers; so many of all known keys in turn',
    x: { label: 'keys in use', isLogarithmic: true },
    y: { label: 'µs a request' },
    series,
  })
}
