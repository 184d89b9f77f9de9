/** Prometheus text, as tests read it. */
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
