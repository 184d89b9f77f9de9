import { describe, expect, test } from 'bun:test'
import { type Column, formatTable } from '../../src/cli/terminal/table.ts'
import { formatValue } from '../../src/cli/terminal/text.ts'

interface Row {
  readonly id: string
  readonly name: string
  readonly note: string
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'ID', text: ({ id }) => id, isWhole: true },
  { title: 'NAME', text: ({ name }) => name },
  { title: 'NOTE', text: ({ note }) => note },
]

const ROWS: readonly Row[] = [
  { id: 'key_4dTyWz8Qm1nBvK3c', name: 'Nightly import', note: 'a rather long remark about it' },
  { id: 'key_9hQm2LxVbT0sWcPa', name: '夜間インポート処理', note: '-' },
]

describe('a table', () => {
  test('is as wide as it must be where nobody looks', () => {
    expect(formatTable(ROWS.slice(0, 1), COLUMNS, null)).toBe(
      'ID                    NAME            NOTE\nkey_4dTyWz8Qm1nBvK3c  Nightly import  a rather long remark about it\n',
    )
  })

  test.each([200, 80, 60, 50, 40, 36, 30, 25, 20, 10, 1])('fits %p columns, ids whole', (available) => {
    const lines = formatTable(ROWS, COLUMNS, available).trimEnd().split('\n')
    expect(lines).toHaveLength(3)
    for (const line of lines) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(Math.max(available, 20))
    for (const [index, { id }] of ROWS.entries()) expect(lines[index + 1]).toStartWith(id)
  })

  test('has the digits of numbers below each other', () => {
    const columns: readonly Column<number>[] = [
      { title: 'N', text: String, isNumber: true },
      { title: 'SQUARE', text: (n) => String(n * n), isNumber: true },
      { title: 'HALF', text: (n) => String(n / 2) },
    ]
    expect(formatTable([1, 100], columns, null)).toBe('  N  SQUARE  HALF\n  1       1  0.5\n100   10000  50\n')
  })

  test('cuts the widest column first, and says that it did', () => {
    const [, first] = formatTable(ROWS, COLUMNS, 60).split('\n')
    expect(first).toBe('key_4dTyWz8Qm1nBvK3c  Nightly import      a rather long rem…')
  })

  test('leaves a column out that is of no use in part, and cuts the others less', () => {
    const day: Column<Row> = { title: 'MADE', text: () => '2030-01-31', least: 10 }
    const columns = [...COLUMNS.slice(0, 2), day]
    expect(formatTable(ROWS.slice(0, 1), columns, 40)).toBe(
      'ID                    NAME    MADE\nkey_4dTyWz8Qm1nBvK3c  Night…  2030-01-31\n',
    )
    expect(formatTable(ROWS.slice(0, 1), columns, 39)).toBe(
      'ID                    NAME\nkey_4dTyWz8Qm1nBvK3c  Nightly import\n',
    )
  })

  test.each([
    { name: 'the screen', text: '\u001b[2J\u001b[31mred', shown: ' [2J [31mred' },
    { name: 'lines', text: 'a\nkey_0000  forged\r\nb', shown: 'a key_0000  forged b' },
    { name: 'the direction of writing', text: 'a\u202eb\u2066c', shown: 'a b c' },
    { name: 'older terminals', text: 'a\u009b31mb', shown: 'a 31mb' },
  ])('lets no text move $name', ({ text, shown }) => {
    const out = formatTable([{ id: '1', name: text, note: '' }], COLUMNS, null)
    expect(out).toBe(`ID  NAME${' '.repeat(shown.length - 4)}  NOTE\n1   ${shown}\n`)
  })
})

test.each([
  [null, '-'],
  [[], '-'],
  [['a', 'b'], 'a, b'],
  [{ limit: 5, window: '1m' }, '5/1m'],
  [{ remaining: 5 }, '{"remaining":5}'],
  ['a\u001bb', 'a b'],
  [0, '0'],
])('formatValue(%j) is %p', (value, text) => {
  expect(formatValue(value)).toBe(text)
})
