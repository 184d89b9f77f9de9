import { expect, test } from 'bun:test'
import { plotKeys, plotPeers } from '../../bench/figures.ts'
import { powersOfTen, renderBars, renderLines, type Series, ticksUpTo } from '../../bench/plot.ts'
import type { Result } from '../../bench/report.ts'
import type { Results } from '../../bench/results.ts'
import { findMistakes } from './svg.ts'

test.each([
  [0, [0, 1]],
  [14, [0, 5, 10, 15]],
  [5, [0, 1, 2, 3, 4, 5]],
  [0.9, [0, 0.2, 0.4, 0.6, 0.8, 1]],
  [123_456, [0, 50_000, 100_000, 150_000]],
])('an axis up to %d has the ticks %p', (greatest, ticks) => {
  expect(ticksUpTo(greatest)).toEqual(ticks)
})

test.each([
  [1, 100, [1, 10, 100]],
  [3, 2000, [1, 10, 100, 1000, 10_000]],
  [1, 1, [1]],
])('a logarithmic axis from %d to %d has the ticks %p', (least, greatest, ticks) => {
  expect(powersOfTen(least, greatest)).toEqual(ticks)
})

const line = (points: Series['points']): Series => ({ name: 'a < b & c', tone: 'own', points })
const words = { title: 'Title & more', subtitle: '<what>', x: { label: 'x' }, y: { label: 'y' } }
const bar = { label: 'ours <1>', value: 3, text: '3 & more', tone: 'own' } as const

test.each([
  ['bars', renderBars({ ...words, bars: [bar, { ...bar, value: 0, tone: 'muted' }] })],
  ['a line', renderLines({ ...words, series: [line([[0, 1] as const, [50, 3] as const])] })],
  ['a line of one point', renderLines({ ...words, series: [line([[5, 0] as const])] })],
  [
    'a line of many points',
    renderLines({ ...words, series: [line(Array.from({ length: 300 }, (_, index) => [index, index % 7] as const))] }),
  ],
  [
    'lines over powers of ten',
    renderLines({
      ...words,
      x: { label: 'keys', isLogarithmic: true },
      series: [line([[1, 8] as const, [1e5, 9] as const])],
    }),
  ],
])('%s are well-formed, and inside the picture', (_, svg) => {
  expect(findMistakes(svg)).toEqual([])
})

test.each([
  ['<svg viewBox="0 0 10 10"><g></svg>', 'g is not closed'],
  ['<svg viewBox="0 0 10 10"><text>a & b</text></svg>', 'a bare & in: a & b'],
  ['<svg viewBox="0 0 10 10"><rect x="NaN" y="1"/></svg>', 'x="NaN"'],
  ['<svg viewBox="0 0 10 10"><rect x="11" y="1"/></svg>', 'x="11" is outside'],
])('a mistake is seen in %s', (svg, mistake) => {
  expect(findMistakes(svg)).toContain(mistake)
})

function resultsOf(group: string, results: readonly Omit<Result, 'group'>[]): Results {
  const run = { date: '2026-11-26', isQuick: false, seconds: 1, versions: {}, processor: '' }
  return { [group]: { ...run, results: results.map((result) => ({ ...result, group })) } }
}

test('peers are drawn from the fastest to the slowest, each with what it is of a bare route', () => {
  const svg = plotPeers(
    resultsOf('peers', [
      { name: 'other, requests/s', value: 2000, unit: 'requests/s' },
      { name: 'bare Elysia, requests/s', value: 100_000, unit: 'requests/s' },
      { name: 'ours: key, requests/s', value: 75_000, unit: 'requests/s' },
      { name: 'ours: key, to bare', value: 0.75, unit: 'ratio' },
    ]),
  )
  const texts = [...(svg ?? '').matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text)
  expect(texts.slice(2)).toEqual([
    ...['bare Elysia', '100,000 · 1.00', 'ours: key', '75,000 · 0.75', 'other', '2,000 · 0.020'],
  ])
  expect(plotPeers({})).toBeNull()
})

test('keys in use are drawn as one line for each server', () => {
  const svg = plotKeys(
    resultsOf('keys-in-use', [
      { name: 'bare Elysia, 1 key in use', value: 8, unit: 'µs' },
      { name: 'bare Elysia, 1,000 keys in use', value: 8, unit: 'µs' },
      { name: 'ours, 1 key in use', value: 10, unit: 'µs' },
      { name: 'ours, 1,000 keys in use', value: 11, unit: 'µs' },
    ]),
  )
  const lines = [...(svg ?? '').matchAll(/<polyline points="([^"]*)"/g)].map(
    ([, points = '']) => points.split(' ').length,
  )
  expect(lines).toEqual([2, 2])
  expect(findMistakes(svg ?? '')).toEqual([])
  expect(plotKeys({})).toBeNull()
})
