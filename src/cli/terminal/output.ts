/** Writes what a command found: tables for people, JSON for programs. */
import type { Page } from '../../storage/ports/page.ts'
import type { CliIo } from './io.ts'
import { type Column, formatTable } from './table.ts'
import { formatValue, withoutControls } from './text.ts'

/** Controls that JSON leaves as they are. */
const C1_CONTROLS = /[\u007f-\u009f]/g

export class Output {
  readonly #io: Pick<CliIo, 'stdout' | 'stderr' | 'columns'>
  readonly isJson: boolean

  constructor(io: Pick<CliIo, 'stdout' | 'stderr' | 'columns'>, isJson: boolean) {
    this.#io = io
    this.isJson = isJson
  }

  /** An answer in the shape that HTTP gives it. */
  json(value: unknown): void {
    const toEscape = (control: string) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`
    this.#io.stdout.write(`${JSON.stringify(value, null, 2).replaceAll(C1_CONTROLS, toEscape)}\n`)
  }

  /** A line of the answer. */
  line(text: string): void {
    this.#io.stdout.write(`${withoutControls(text)}\n`)
  }

  /** A line beside the answer, on standard error. */
  note(text: string): void {
    this.#io.stderr.write(`${withoutControls(text)}\n`)
  }

  /** A list: a table, or `{ items, nextCursor }`. */
  list<Row>({ items, nextCursor }: Page<Row>, columns: readonly Column<Row>[]): void {
    if (this.isJson) {
      this.json({ items, nextCursor })
      return
    }
    if (items.length === 0) this.note('Nothing to list.')
    else this.table(items, columns)
    if (nextCursor !== null) this.note(`There is more: add --cursor ${nextCursor}`)
  }

  /** A part of an answer to a person. */
  table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): void {
    this.#io.stdout.write(formatTable(rows, columns, this.#io.columns))
  }

  /** Lines of an answer to a person, each by its name. */
  figures(figures: readonly (readonly [name: string, figure: string])[]): void {
    const width = Math.max(0, ...figures.map(([name]) => name.length))
    for (const [name, figure] of figures) this.line(`${name.padEnd(width)}  ${figure}`)
  }

  /** A single thing, one member a line, or as JSON. */
  show(view: object): void {
    if (this.isJson) this.json(view)
    else this.figures(Object.entries(view).map(([name, value]) => [name, formatValue(value)] as const))
  }

  /** A single thing that was changed: a sentence, or the thing as JSON. */
  done(view: object, sentence: string): void {
    if (this.isJson) this.json(view)
    else this.line(sentence)
  }
}
