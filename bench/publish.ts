/** Writes what is made of the results: `bun bench/publish.ts`. `bun run bench` does so at its end. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  plotKeys,
  plotPeers,
  renderGoals,
  renderGroup,
  renderRuns,
  renderSoak,
  renderSummary,
  showKeys,
  showPeers,
} from './figures.ts'
import { onlyFull, type Results, readResults } from './results.ts'
import { formatMarkdown } from './table.ts'

export const ROOT = join(import.meta.dir, '..')

/**
 * Replaces what stands between `<!-- bench: NAME -->` and `<!-- /bench -->`.
 *
 * @throws Error when the page has no such place
 */
export function replaceBlock(page: string, name: string, content: string): string {
  const begin = `<!-- bench: ${name} -->\n`
  const start = page.indexOf(begin)
  const end = page.indexOf('<!-- /bench -->', start)
  if (start === -1 || end === -1) throw new Error(`There is no place for ${name} on the page`)
  return `${page.slice(0, start + begin.length)}\n${content}\n\n${page.slice(end)}`
}

/** Page, place and content, which is made of full runs. */
export const BLOCKS: readonly (readonly [page: string, name: string, render: (results: Results) => string])[] = [
  ['docs/performance.md', 'runs', renderRuns],
  ['docs/performance.md', 'goals', renderGoals],
  ['docs/performance.md', 'peers', showPeers],
  ['docs/performance.md', 'keys', showKeys],
  ['docs/performance.md', 'scale', (results) => renderGroup(results, 'scale')],
  ['docs/performance.md', 'logins', (results) => renderGroup(results, 'logins')],
  ['docs/performance.md', 'soak', renderSoak],
  ['README.md', 'summary', renderSummary],
]

export const PLOTS: Readonly<Record<string, (results: Results) => string | null>> = {
  'docs/plots/peers.svg': plotPeers,
  'docs/plots/keys.svg': plotKeys,
}

export function publish(results: Results): void {
  writeFileSync(join(ROOT, 'bench/results.md'), formatMarkdown(results))
  const shown = onlyFull(results)
  for (const [page, name, render] of BLOCKS) {
    const path = join(ROOT, page)
    writeFileSync(path, replaceBlock(readFileSync(path, 'utf8'), name, render(shown)))
  }
  mkdirSync(join(ROOT, 'docs/plots'), { recursive: true })
  for (const [path, plot] of Object.entries(PLOTS)) {
    const svg = plot(shown)
    if (svg !== null) writeFileSync(join(ROOT, path), svg)
  }
}

if (import.meta.main) publish(readResults())
