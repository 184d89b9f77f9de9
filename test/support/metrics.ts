/** Prometheus text, as tests read it. */
import { Meters } from '../../src/recording/metrics/meters.ts'
import { Metrics } from '../../src/recording/metrics/metrics.ts'
import type { TestApp } from './test-app.ts'

/** Value by series: the name with its labels, as it stands in the text. */
export type Series = ReadonlyMap<string, number>

const SAMPLE = /^([a-z_]+(?:\{.*\})?) (\S+)$/

/** @throws Error for a line that is none of the format */
export function parseMetrics(text: string): Series {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const [, series = '', value = ''] = SAMPLE.exec(line) ?? []
      if (series === '') throw new Error(`not a sample: ${line}`)
      return [series, value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value)]
    }),
  )
}

/** What a core counts now. */
export async function scrape({ core }: Pick<TestApp, 'core'>): Promise<Series> {
  if (core.metrics === null) throw new Error('nothing is measured')
  return parseMetrics(await core.metrics.text())
}

/** By how much series changed, of those whose name begins so; without `machine_auth_`. */
export function changes(before: Series, after: Series, ...names: readonly string[]): Readonly<Record<string, number>> {
  const found: Record<string, number> = {}
  for (const [series, value] of after) {
    const name = series.replace(/^machine_auth_/, '')
    const change = value - (before.get(series) ?? 0)
    if (change !== 0 && names.some((each) => name.startsWith(each))) found[name] = change
  }
  return found
}

/** The text of a process that measures everything there is to measure. */
export function textOfAll(): Promise<string> {
  const meters = new Meters()
  meters.storage.verb('keys', 1, false)
  const none = { hits: 0, misses: 0, stale: 0, evictions: 0, size: 0 }
  const caches = { api_key: none, imported_key: none, jwt: none, bearer: none, session: none }
  const usage = { buffered: 0, dropped: 0, flushes: 0, failures: 0, isFailing: false, journalBytes: 0 }
  const log = { queued: 0, written: 0, dropped: 0, failures: 0, isFailing: false }
  const recorders = { usage: { figures: usage }, log: { figures: log } }
  const redis = {
    link: { isUp: true },
    limits: { figures: { shared: 0, remembered: 0, local: 0, unavailable: 0 } },
  }
  return new Metrics({ meters, caches: () => caches, recorders, redis, bell: { isHeard: true } }).text()
}

/** What the text says that each metric is, and which labels its series have besides those of its type. */
export function describeMetrics(text: string): { name: string; type: string; labels: string[] }[] {
  return [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => {
    const rows = text.split('\n').filter((line) => /^[a-z_]+/.exec(line)?.[0].replace(/_count$/, '') === name)
    const [labels = ''] = /\{.*\}/.exec(rows[0] ?? '') ?? []
    return { name, type, labels: [...labels.matchAll(/(\w+)="/g)].map(([, label = '']) => label) }
  })
}
