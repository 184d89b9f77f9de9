/** Tables that fit the terminal. */
import { toLine } from './text.ts'

export interface Column<Row> {
  readonly title: string
  readonly text: (row: Row) => string
  /** Never cut: an id with a part missing is of no use. */
  readonly isWhole?: true
  /** A number, whose digits stand below each other. */
  readonly isNumber?: true
  /** Not cut to less than this, 6 unless given: where that does not fit, columns are left out. */
  readonly least?: number
}

const GAP = 2
const NARROWEST = 6

function cut(text: string, width: number): string {
  if (Bun.stringWidth(text) <= width) return text
  let kept = ''
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (Bun.stringWidth(kept) + Bun.stringWidth(segment) > width - 1) break
    kept += segment
  }
  return `${kept}…`
}

function pad(text: string, width: number, isNumber: boolean): string {
  const space = ' '.repeat(Math.max(0, width - Bun.stringWidth(text)))
  return isNumber ? space + text : text + space
}

function sumOf(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + GAP * Math.max(0, widths.length - 1)
}

/** Widths of columns that fit, the widest ones cut first; null when they cannot fit. */
function fit(natural: readonly number[], least: readonly number[], available: number): readonly number[] | null {
  if (sumOf(least) > available) return null
  const widths = [...natural]
  while (sumOf(widths) > available) {
    let widest = -1
    for (const [index, width] of widths.entries()) {
      if (width > (least[index] ?? 0) && width > (widths[widest] ?? 0)) widest = index
    }
    widths[widest] = (widths[widest] ?? 0) - 1
  }
  return widths
}

/**
 * Lays rows out in columns. What does not fit is cut with an ellipsis, the widest columns first; where even that does
 * not fit, columns that may be cut are left out, the last one first.
 *
 * @param available columns of the terminal; null for no limit
 */
export function formatTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  available: number | null,
): string {
  const cells = rows.map((row) => columns.map(({ text }) => toLine(text(row))))
  const natural = columns.map(({ title }, index) =>
    Math.max(title.length, ...cells.map((row) => Bun.stringWidth(row[index] ?? ''))),
  )
  const shown = columns.map((_, index) => index)
  let widths: readonly number[] | null = null
  while (widths === null) {
    const wanted = shown.map((index) => natural[index] ?? 0)
    const least = shown.map((index) => {
      const { isWhole, least = NARROWEST } = columns[index] ?? {}
      return isWhole ? (natural[index] ?? 0) : Math.min(natural[index] ?? 0, least)
    })
    widths = available === null ? wanted : fit(wanted, least, available)
    if (widths !== null) break
    const last = shown.findLastIndex((index) => columns[index]?.isWhole !== true)
    // Only ids are left: they are shown whole, however narrow the terminal is.
    if (last === -1) widths = wanted
    else shown.splice(last, 1)
  }
  const final = widths
  const lines = [columns.map(({ title }) => title), ...cells].map((line) =>
    shown
      .map((index, position) => {
        const width = final[position] ?? 0
        return pad(cut(line[index] ?? '', width), width, columns[index]?.isNumber === true)
      })
      .join(' '.repeat(GAP))
      .trimEnd(),
  )
  return `${lines.join('\n')}\n`
}
