/** The table of results, for the terminal and as Markdown. */
import { formatFigure, formatGoal, isMet, type Result } from './report.ts'
import type { GroupRun, Results } from './results.ts'

type Row = readonly [group: string, what: string, figure: string, goal: string, verdict: string]

const TITLES: Row = ['group', 'what', 'figure', 'goal', '']

const VERDICTS = { true: 'met', false: 'missed', null: '' } as const

export function verdictOf(result: Pick<Result, 'goal' | 'value'>): string {
  return VERDICTS[`${isMet(result)}`]
}

function rowsOf(group: string, { results, failure }: GroupRun): readonly Row[] {
  const rows = results.map(
    (result): Row => [group, result.name, formatFigure(result), formatGoal(result), verdictOf(result)],
  )
  return failure === undefined ? rows : [...rows, [group, failure, '', '', 'failed']]
}

/** All groups in one table of columns that stand under each other. */
export function formatTable(results: Results): string {
  const rows = [TITLES, ...Object.entries(results).flatMap(([group, run]) => rowsOf(group, run))]
  const widths = TITLES.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const isNumber = (column: number) => column === 2 || column === 3
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          isNumber(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** How many goals there are among results, and which of them are missed. */
export function countGoals(results: Results): { readonly goals: number; readonly missed: readonly string[] } {
  const all = Object.values(results).flatMap((run) => run.results)
  const missed = all.filter((result) => isMet(result) === false)
  return {
    goals: all.filter((result) => result.goal !== undefined).length,
    missed: missed.map(({ group, name }) => `${group}: ${name}`),
  }
}

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ').trim()

/** @param lines cells of one row each; the first are the titles, and a title that ends with `:` stands to the right */
export function formatMarkdownTable([titles = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`
  const isRight = titles.map((title) => title.endsWith(':'))
  return [
    line(titles.map((title) => title.replace(/:$/, ''))),
    `| ${isRight.map((right) => (right ? '--:' : '---')).join(' | ')} |`,
    ...rows.map(line),
  ].join('\n')
}

function formatVersions(versions: Readonly<Record<string, string>>): string {
  return Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')
}

function formatGroup(group: string, run: GroupRun): string {
  const length = run.isQuick ? 'a quick run' : `${Math.max(1, Math.round(run.seconds / 60))} min`
  const lines = run.results.map((result) => [
    result.name,
    formatFigure(result),
    formatGoal(result),
    verdictOf(result),
    result.note ?? '',
  ])
  return [
    `## ${group}`,
    `${run.date.slice(0, 10)}, ${length}: ${formatVersions(run.versions)}, on ${run.processor}.`,
    ...(run.failure === undefined ? [] : [`**Failed**: ${cell(run.failure)}`]),
    ...(lines.length === 0 ? [] : [formatMarkdownTable([['what', 'figure:', 'goal:', '', 'note'], ...lines])]),
  ].join('\n\n')
}

/** The page of all figures. */
export function formatMarkdown(results: Results): string {
  const head =
    '# Results\n\nWritten by `bun run bench`. What the figures mean, and how they are measured, is in [docs/performance.md](../docs/performance.md).'
  return `${[head, ...Object.entries(results).map(([group, run]) => formatGroup(group, run))].join('\n\n')}\n`
}
