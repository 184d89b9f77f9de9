/** Holds the figures of docs/performance.md and README to what `bun run bench` measured. */
import { expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AIMS } from '../../bench/goals.ts'
import { GROUP_NAMES } from '../../bench/groups.ts'
import { BLOCKS, PLOTS, ROOT, replaceBlock } from '../../bench/publish.ts'
import { findResult, onlyFull, readResults } from '../../bench/results.ts'
import { formatMarkdown } from '../../bench/table.ts'
import { findMistakes } from '../bench/svg.ts'

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const results = readResults()
const shown = onlyFull(results)
const page = read('docs/performance.md')

test.each(BLOCKS)('%s has the %s that were measured', (path, name, render) => {
  expect(read(path)).toBe(replaceBlock(read(path), name, render(shown)))
})

test('a page without the place is refused', () => {
  expect(() => replaceBlock('# Page', 'goals', '')).toThrow('no place for goals')
  expect(replaceBlock('a\n<!-- bench: x -->\nold\n<!-- /bench -->\nb', 'x', 'new')).toBe(
    'a\n<!-- bench: x -->\n\nnew\n\n<!-- /bench -->\nb',
  )
})

test('bench/results.md is made of bench/results.json', () => {
  expect(read('bench/results.md')).toBe(formatMarkdown(results))
})

test.each(Object.entries(PLOTS))('%s is drawn from what was measured, and shown', (path, plot) => {
  const svg = plot(shown)
  if (svg !== null) expect(read(path)).toBe(svg)
  expect(page.includes(`](${path.replace('docs/', '')})`)).toBe(svg !== null)
})

const PICTURES = existsSync(join(ROOT, 'docs/plots')) ? readdirSync(join(ROOT, 'docs/plots')) : []

test.each(PICTURES)('docs/plots/%s is well-formed', (name) => {
  expect(findMistakes(read(`docs/plots/${name}`))).toEqual([])
})

test('every goal has a figure where its group was measured in full', () => {
  const measured = AIMS.filter(({ group }) => shown[group] !== undefined)
  const missing = measured.filter(({ group, name }) => findResult(shown, group, name) === undefined)
  expect(missing.map(({ group, name }) => `${group}: ${name}`)).toEqual([])
})

test('every goal is of a group that there is', () => {
  expect(AIMS.filter(({ group }) => !GROUP_NAMES.some((name) => name === group))).toEqual([])
})

test('package.json has the command that the page tells', () => {
  expect(JSON.parse(read('package.json')).scripts.bench).toBe('bun bench/run.ts')
  expect(page).toContain('bun run bench')
})
