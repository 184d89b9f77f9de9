import { expect, test } from 'bun:test'
import type { Result } from '../../bench/report.ts'
import { findResult, type GroupRun, mergeResults, onlyFull, type Results } from '../../bench/results.ts'
import { countGoals, formatMarkdown, formatMarkdownTable, formatTable } from '../../bench/table.ts'

const ORDER = ['guards', 'peers', 'memory']

const figure: Result = { group: 'guards', name: 'a key', value: 0.7, unit: 'ratio', goal: { atLeast: 0.75 } }

function createRun(changed: Partial<GroupRun> = {}): GroupRun {
  return {
    ...{ date: '2026-11-26T05:00:00.000Z', isQuick: false, seconds: 60, processor: '2 × a processor' },
    ...{ versions: { Bun: '1.4.5' }, results: [figure] },
    ...changed,
  }
}

const full = createRun()
const later = createRun({ date: '2026-11-27T05:00:00.000Z' })
const quick = createRun({ isQuick: true })
const laterQuick = createRun({ isQuick: true, seconds: 1 })
const failed = createRun({ failure: 'no wrk', results: [] })
const laterFailed = createRun({ failure: 'no processor', results: [] })

test.each<[what: string, former: GroupRun | undefined, latter: GroupRun | undefined, kept: GroupRun | undefined]>([
  ['the first', undefined, full, full],
  ['a later one', full, later, later],
  ['the former of a group that was not run', full, undefined, full],
  ['nothing of what was never run', undefined, undefined, undefined],
  ['a full one in spite of a later quick one', full, quick, full],
  ['a full one after a quick one', quick, full, full],
  ['a later quick one after a quick one', quick, laterQuick, laterQuick],
  ['one that did not fail in spite of a later failure', quick, failed, quick],
  ['a later failure after a failure', failed, laterFailed, laterFailed],
  ['a quick one after a failure', failed, quick, quick],
])('keeps %s', (_, former, latter, kept) => {
  const merged = mergeResults(former ? { guards: former } : {}, latter ? { guards: latter } : {}, ORDER)
  expect(merged.guards).toBe(kept)
})

test('keeps groups in their order, and none that there is no more', () => {
  const merged = mergeResults({ memory: full, gone: full }, { guards: full }, ORDER)
  expect(Object.keys(merged)).toEqual(['guards', 'memory'])
})

test('pages show neither what was measured in short nor what failed', () => {
  expect(onlyFull({ guards: full, peers: quick, memory: failed })).toEqual({ guards: full })
})

const results: Results = {
  guards: createRun({
    results: [
      figure,
      { group: 'guards', name: 'a | b', value: 0.8, unit: 'ratio', goal: { atLeast: 0.8 }, note: 'by hand' },
      { group: 'guards', name: 'bare', value: 8, unit: 'µs' },
    ],
  }),
  peers: failed,
}

test('finds a figure by its group and name', () => {
  expect(findResult(results, 'guards', 'bare')?.value).toBe(8)
  expect(findResult(results, 'guards', 'nothing')).toBeUndefined()
  expect(findResult(results, 'memory', 'bare')).toBeUndefined()
})

test('the table says what is met, missed and failed', () => {
  expect(formatTable(results).split('\n')).toEqual([
    'group   what     figure    goal',
    'guards  a key      0.70  ≥ 0.75  missed',
    'guards  a | b      0.80   ≥ 0.8  met',
    'guards  bare    8.00 µs',
    'peers   no wrk                   failed',
  ])
})

test('goals are counted', () => {
  expect(countGoals(results)).toEqual({ goals: 2, missed: ['guards: a key'] })
})

test('Markdown keeps cells apart, and numbers to the right', () => {
  const table = formatMarkdownTable([
    ['what', 'figure:'],
    ['a | b\nc', '1'],
  ])
  expect(table).toBe('| what | figure |\n| --- | --: |\n| a \\| b c | 1 |')
})

test('the page says of each group when and by what it was measured, and why not', () => {
  const page = formatMarkdown(results)
  expect(page).toContain('## guards\n\n2026-11-26, 1 min: Bun 1.4.5, on 2 × a processor.\n\n| what |')
  expect(page).toContain('| a \\| b | 0.80 | ≥ 0.8 | met | by hand |')
  expect(page).toContain('## peers\n\n2026-11-26, 1 min: Bun 1.4.5, on 2 × a processor.\n\n**Failed**: no wrk\n')
})
