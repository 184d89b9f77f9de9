import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { findCookie } from '../../src/credentials/cookie.ts'

const NAME = 'session_id'
const find = (header: string, name = NAME) => {
  const cookie = findCookie(header, name)
  return cookie.kind === 'present' ? `=${cookie.value}` : cookie.kind
}

describe('findCookie', () => {
  test.each([
    ['', 'absent'],
    ['session_id=a', '=a'],
    ['session_id=', '='],
    ['session_id', 'absent'],
    ['session_id;session_id=a', '=a'],
    ['session_id =a', 'absent'],
    [' session_id=a', '=a'],
    ['   session_id=a', '=a'],
    ['x=1; session_id=a', '=a'],
    ['x=1;session_id=a', '=a'],
    ['x=1;  session_id=a ; y=2', '=a'],
    ['session_id=a; y=2', '=a'],
    ['session_id=a;', '=a'],
    [';session_id=a', '=a'],
    [';; ;session_id=a;;', '=a'],
    ['session_id=a=b', '=a=b'],
    ['session_id="a"', '="a"'],
    ['session_id=%61', '=%61'],
    ['session_id=a b', '=a b'],
    ['Session_Id=a', 'absent'],
    ['SESSION_ID=a', 'absent'],
    ['xsession_id=a', 'absent'],
    ['session_idx=a', 'absent'],
    ['session_id.=a', 'absent'],
    ['x=session_id=a', 'absent'],
    ['x="; session_id=a"', '=a"'],
    ['__Host-session_id=a', 'absent'],
    ['session_id=a; session_id=a', '=a'],
    ['session_id=a; session_id=b', 'ambiguous'],
    ['session_id=; session_id=b', 'ambiguous'],
    ['session_id=a; x=1; session_id=b; session_id=a', 'ambiguous'],
    ['session_id=a, session_id=b', '=a, session_id=b'],
    ['__proto__=x', 'absent'],
    ['\tsession_id=a', 'absent'],
  ])('%j: %s', (header, expected) => {
    expect(find(header)).toBe(expected)
  })

  test.each([
    ['__Host-session_id=a', '__Host-session_id', '=a'],
    ['__proto__=x', '__proto__', '=x'],
    ['constructor=x', 'constructor', '=x'],
    ['a.b*=x', 'a.b*', '=x'],
    ['a.b*=x', 'a.b', 'absent'],
    ['toString=x', 'valueOf', 'absent'],
  ])('%j under the name %j: %s', (header, name, expected) => {
    expect(find(header, name)).toBe(expected)
  })

  const token = fc.string({ unit: fc.constantFrom('a', 's', '_', 'd', 'i', '-', '.'), minLength: 1, maxLength: 4 })
  const value = fc.string({ unit: fc.constantFrom('a', 'b', '=', '%', '"', '-'), maxLength: 5 })
  const pair = fc.record({ name: fc.oneof(token, fc.constant(NAME)), value })
  const separator = fc.constantFrom(';', '; ', ';  ', ' ; ')

  test('agrees with taking the header apart', () => {
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 6 }), separator, (pairs, between) => {
        const header = pairs.map((each) => `${each.name}=${each.value}`).join(between)
        const values = [...new Set(pairs.filter((each) => each.name === NAME).map((each) => each.value))]
        const expected = values.length === 0 ? 'absent' : values.length === 1 ? `=${values[0]}` : 'ambiguous'
        expect(find(header)).toBe(expected)
      }),
      { numRuns: 400 },
    )
  })

  test('never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 30 }), fc.string({ minLength: 1 }), (header, name) => {
        expect(['absent', 'present', 'ambiguous']).toContain(findCookie(header, name).kind)
      }),
      { numRuns: 250 },
    )
  })

  test('P49: takes a bomb of cookies in its stride', () => {
    const started = performance.now()
    const bomb = Array.from({ length: 2000 }, (_, index) => `c${index}=x`).join('; ')
    expect(find(`${bomb}; session_id=a`)).toBe('=a')
    for (const text of [' ', ';', '=', 'session_id', 'session_id=a;', '; ']) find(text.repeat(5000))
    expect(performance.now() - started).toBeLessThan(500)
  })
})
