/**
 * What a guard costs, as a ratio to a bare Elysia route in the same run:
 * `bun bench/guards.ts [--quick] [rounds] [seconds] [variants]`.
 */
import { parseChoice } from './arguments.ts'
import { goalOf } from './goals.ts'
import { createPrintingReport, type Report } from './report.ts'
import { measureInRounds, type Rounds } from './rounds.ts'
import { VARIANTS, type Variant } from './server.ts'
import { measure, type Reading, startServer } from './wrk.ts'

const TITLES: Readonly<Record<Variant, string>> = {
  bare: 'bare Elysia route',
  unguarded: 'route without a guard beside guarded ones',
  'minimum-key': 'hand-written API key',
  key: 'API key',
  'minimum-limit-x-alone': 'hand-written API key, limit, and nothing but its three headers',
  'minimum-limit-x': 'hand-written API key, limit and three headers',
  'limit-x': 'API key, limit and three headers',
  'minimum-limit-both': 'hand-written API key, limit and five headers',
  'limit-both': 'API key, limit and five headers',
  'minimum-jwt': 'hand-written repeated JWT',
  jwt: 'repeated JWT',
  'minimum-session': 'hand-written session by cookie',
  session: 'session by cookie',
  'minimum-refusal': 'hand-written refusal',
  refusal: 'refusal, malformed key',
  'refusal-none': 'refusal, no credential',
  'refusal-wrong': 'refusal, wrong key',
  'refusal-over': 'refusal, over the limit',
  everything: 'everything on',
}

/** What ours is compared to besides bare. */
const MINIMUM_OF: Partial<Readonly<Record<Variant, Variant>>> = {
  key: 'minimum-key',
  'limit-x': 'minimum-limit-x',
  'limit-both': 'minimum-limit-both',
  jwt: 'minimum-jwt',
  session: 'minimum-session',
  refusal: 'minimum-refusal',
  'refusal-none': 'minimum-refusal',
  'refusal-wrong': 'minimum-refusal',
  'refusal-over': 'minimum-refusal',
  everything: 'minimum-limit-x',
}

const STEADY: readonly Variant[] = ['bare', 'limit-x', 'everything']
/** What all of them are asked for, of what the slowest of them can. */
const LOAD = 0.5
/** Of the rates: where they are further apart, that is not the same load. */
const MOST_APART = 0.05

async function measureSteady(variant: Variant, rate: number, seconds: number): Promise<Reading> {
  const server = await startServer(['server.ts', variant])
  try {
    await server.measure(2)
    return await server.measure(seconds, { ...server.announcement, rate })
  } finally {
    await server.stop()
  }
}

function reportVariant(report: Report, rounds: Rounds<Variant>, variant: Variant): void {
  const group = 'guards'
  const title = TITLES[variant]
  const cpu = rounds.of(variant, 'cpu')
  const rate = rounds.of(variant, 'requestsPerSecond').toLocaleString('en', { maximumFractionDigits: 0 })
  const p99 = rounds.of(variant, 'p99').toFixed(2)
  report.add({ group, name: title, value: cpu, unit: 'µs', note: `processor time; ${rate} requests/s, p99 ${p99} ms` })
  if (variant === 'bare') return
  const others = { 'to bare': 'bare', 'to the hand-written minimum': MINIMUM_OF[variant] } as const
  for (const [words, other] of Object.entries(others)) {
    if (other === undefined) continue
    const value = rounds.ratio(variant, other, 'requestsPerSecond')
    if (Number.isNaN(value)) continue
    const name = `${title}, ${words}`
    const goal = goalOf(group, name)
    const note = `by processor time ${rounds.ratio(variant, other, 'cpu').toFixed(2)}`
    report.add({ group, name, value, unit: 'ratio', note, ...(goal && { goal }) })
  }
}

interface Choice {
  readonly rounds: number
  readonly seconds: number
  readonly variants: readonly Variant[]
}

async function compare(report: Report, { rounds, seconds, variants }: Choice): Promise<Rounds<Variant>> {
  const measured = await measureInRounds(variants, rounds, report, (variant) =>
    measure(['server.ts', variant], seconds),
  )
  for (const variant of variants) reportVariant(report, measured, variant)
  return measured
}

/** The same number of requests for all, so that what is compared is waiting and not speed. */
async function compareSteady(report: Report, rate: number, { rounds, seconds }: Choice): Promise<void> {
  const measured = await measureInRounds(STEADY, rounds, report, (variant) => measureSteady(variant, rate, seconds))
  const names: Partial<Record<Variant, string>> = {
    'limit-x': 'p99 with a limit',
    everything: 'p99 with everything on',
  }
  for (const variant of STEADY) {
    const title = names[variant]
    if (title === undefined) continue
    const name = `${title} at the same load, to bare`
    const [own, bare] = [measured.of(variant, 'p99'), measured.of('bare', 'p99')]
    const rateOf = (each: Variant) =>
      measured.of(each, 'requestsPerSecond').toLocaleString('en', { maximumFractionDigits: 0 })
    const isSame = Math.abs(1 - measured.ratio(variant, 'bare', 'requestsPerSecond')) <= MOST_APART
    const load = isSame ? `at ${rateOf(variant)} requests/s` : `not the same load, so not judged: ${rateOf(variant)}`
    const note = `${own.toFixed(2)} ms, bare ${bare.toFixed(2)} ms, ${load}, bare ${rateOf('bare')} requests/s`
    const goal = isSame ? goalOf('guards', name) : undefined
    const value = measured.ratio(variant, 'bare', 'p99')
    report.add({ group: 'guards', name, value, unit: 'ratio', note, ...(goal && { goal }) })
  }
}

/** All but a key of another form, which costs less than one that is wrong. */
const USUAL = VARIANTS.filter((variant) => variant !== 'refusal')

export async function run(report: Report, { isQuick }: { readonly isQuick: boolean }): Promise<void> {
  const choice = { rounds: isQuick ? 1 : 3, seconds: isQuick ? 1 : 3, variants: USUAL }
  const measured = await compare(report, choice)
  const most = Math.min(...STEADY.map((variant) => measured.of(variant, 'requestsPerSecond')))
  await compareSteady(report, LOAD * most, { ...choice, seconds: isQuick ? 1 : 2 })
}

if (import.meta.main) {
  const choice = parseChoice(process.argv.slice(2), VARIANTS, { rounds: 3, seconds: 8 })
  const variants = VARIANTS.filter((name) => name === 'bare' || choice.variants.includes(name))
  await compare(createPrintingReport(), { ...choice, variants })
}
