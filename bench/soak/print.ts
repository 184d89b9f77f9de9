/** The lines and the picture of a run of mixed load. */
import { median } from '../median.ts'
import { renderLines, type Series, type Tone } from '../plot.ts'
import { driftOf, type Sample, timesOf } from './samples.ts'
import type { Tally } from './tally.ts'

const MB = 1_000_000
const ms = (µs: number) => (µs / 1000).toFixed(2)

/** One line of a few seconds: `name median/p99` of what matters most. */
export function formatSample({ at, seconds, look, tally }: Sample): string {
  const kinds = ['key', 'key, unknown', 'key, limited', 'jwt', 'session', 'login'].map((name) => {
    const times = tally.times.get(name)
    return times === undefined ? `${name} –` : `${name} ${ms(times.quantile(0.5))}/${ms(times.quantile(0.99))}`
  })
  return [
    `${at.toFixed(0).padStart(4)} s`,
    `${(tally.total / seconds).toFixed(0).padStart(6)}/s`,
    `own ${(look.own / MB).toFixed(0)} MB`,
    `heap ${(look.heap / MB).toFixed(2)} MB`,
    `${look.objects} objects`,
    `loop ${look.delay.toFixed(0)} ms`,
    `ms: ${kinds.join(', ')}`,
  ].join('  ')
}

/** Every kind: how often, how it was answered, how long it took, and whether that changed. */
export function formatKinds(samples: readonly Sample[], tally: Tally): readonly string[] {
  return [...tally.answers]
    .toSorted(([one], [other]) => one.localeCompare(other))
    .map(([name, answers]) => {
      const times = timesOf(samples, name)
      const said = [...answers].map(([answer, count]) => `${answer}: ${count.toLocaleString('en')}`).join(', ')
      const cells = [name.padEnd(18), ms(times.quantile(0.5)).padStart(8), ms(times.quantile(0.99)).padStart(8)]
      return `${cells.join(' ')} ${driftOf(samples, name).toFixed(2).padStart(7)}  ${said}`
    })
}

/** In percent of their median, so that what has nothing in common fits into one picture. */
function lineOf(name: string, tone: Tone, samples: readonly Sample[], of: (sample: Sample) => number): Series {
  const usual = median(samples.map(of))
  return { name, tone, points: samples.map((sample) => [sample.at / 60, (of(sample) / usual) * 100] as const) }
}

/** Memory and p99 over time. */
export function drawSoak(samples: readonly Sample[]): string {
  const heap = median(samples.map(({ look }) => look.heap))
  const p99Of = ({ tally }: Sample) => tally.times.get('key')?.quantile(0.99) ?? 0
  const p99 = median(samples.map(p99Of))
  return renderLines({
    title: 'Memory and tail under mixed load',
    subtitle: 'Valid, wrong, forged, expired, revoked and limited keys, blocked addresses, logins, tokens, sessions',
    x: { label: 'minutes' },
    y: { label: '% of the median' },
    series: [
      lineOf(`heap (${(heap / MB).toFixed(0)} MB)`, 'own', samples, ({ look }) => look.heap),
      lineOf('memory of the process', 'muted', samples, ({ look }) => look.own),
      lineOf(`p99 of a valid key (${ms(p99)} ms)`, 'other', samples, p99Of),
    ],
  })
}
