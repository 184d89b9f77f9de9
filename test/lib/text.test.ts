import { describe, expect, test } from 'bun:test'
import { isMultiLine, isSingleLine, nameMistake, remarkMistake } from '../../src/lib/text.ts'

describe('text for people', () => {
  test.each([
    { name: 'words', text: 'Acme & Söhne 🔑 <b>', single: true, multi: true },
    { name: 'nothing', text: '', single: true, multi: true },
    { name: 'lines and tabs', text: 'two\nlines\tand a tab\r\n', single: false, multi: true },
    { name: 'a bell', text: 'bell\u0007', single: false, multi: false },
    { name: 'an escape sequence', text: 'escape\u001b[31m', single: false, multi: false },
    { name: 'NUL', text: 'nul\0', single: false, multi: false },
    { name: 'DEL', text: 'delete\u007f', single: false, multi: false },
    { name: 'a C1 control', text: 'next line\u0085', single: false, multi: false },
    { name: 'a line separator', text: 'separator\u2028', single: false, multi: false },
    { name: 'an override of direction', text: 'turned\u202e', single: false, multi: false },
    { name: 'an isolate', text: 'isolated\u2066', single: false, multi: false },
    { name: 'a lone surrogate', text: 'lone \ud800', single: false, multi: false },
  ])('$name', ({ text, single, multi }) => {
    expect(isSingleLine(text)).toBe(single)
    expect(isMultiLine(text)).toBe(multi)
  })

  test('a name is not blank and at most 255 characters', () => {
    expect(['x', 'x'.repeat(255)].map((name) => nameMistake(name))).toEqual([null, null])
    for (const name of ['', '  ', 'x'.repeat(256), undefined as unknown as string])
      expect(nameMistake(name)).toBeString()
  })

  test('a remark may be empty', () => {
    expect(remarkMistake('', 5)).toBeNull()
    expect(remarkMistake('12345', 5)).toBeNull()
    expect(remarkMistake('123456', 5)).toBeString()
    expect(remarkMistake(1 as unknown as string, 5)).toBeString()
  })
})
