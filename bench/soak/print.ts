/** The lines and the picture of a run of mixed load. */
import { type LinePlot, renderLines } from '../plot.ts'
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

/** Memory and p99 over time, each as a part of what it was at the end of the first third, when all bounds are reached. */
export function drawSoak(samples: readonly Sample[]): string {
  const minutes = (at: number) => at / 60
  const plot: LinePlot = {
    title: 'Under mixed load',
    subtitle: 'Valid, wrong, forged, expired, revoked, limited, blocked, logins, tokens, sessions',
    x: { label: 'minutes' },
    y: { label: 'MB; ms × 10' },
    series: [
      { name: 'heap, MB', tone: 'own', points: samples.map(({ at, look }) => [minutes(at), look.heap / MB]) },
      {
        name: 'memory of its own, MB',
        tone: 'muted',
        points: samples.map(({ at, look }) => [minutes(at), look.own / MB]),
      },
      {
        name: 'p99 of a valid key, ms × 10',
        tone: 'other',
        points: samples.map(({ at, tally }) => [minutes(at), (tally.times.get('key')?.quantile(0.99) ?? 0) / 100]),
      },
    ],
  }
  return renderLines(plot)
}
