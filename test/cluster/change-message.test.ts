import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Change } from '../../src/cluster/change-bell.ts'
import { formatChange, parseChange } from '../../src/cluster/change-message.ts'

const KINDS = ['key', 'user', 'organization', 'family', 'token', 'session', 'role', 'block', 'signing_key'] as const

const subject = fc.string({ minLength: 1, maxLength: 256, unit: 'binary' }).filter(({ length }) => length <= 256)
const change: fc.Arbitrary<Change> = fc.record({ kind: fc.constantFrom(...KINDS), subject })

describe('what processes tell each other', () => {
  test('is read as it was written, whatever the subject', () => {
    fc.assert(fc.property(change, (given) => expect(parseChange(formatChange(given))).toEqual(given)))
  })

  test('is what the transactions of PostgreSQL write', () => {
    expect(formatChange({ kind: 'key', subject: 'k1' })).toBe('key k1')
  })

  test.each([
    ['', 'nothing'],
    ['key', 'no subject'],
    ['key ', 'an empty subject'],
    [' k1', 'no kind'],
    ['KEY k1', 'a kind of another case'],
    ['keys k1', 'a kind that is none'],
    ['toString x', 'what every object has'],
    ['__proto__ x', 'what every object has'],
    ['["key","k1"]', 'another form'],
    [`key ${'k'.repeat(257)}`, 'a subject that is too long'],
    [undefined, 'no text'],
    [null, 'no text'],
    [{ kind: 'key', subject: 'k1' }, 'no text'],
    [new Uint8Array(8), 'no text'],
  ])('%p is ignored: %s', (text) => {
    expect(parseChange(text)).toBeNull()
  })

  test('of a stranger is a change that there is, or nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const parsed = parseChange(text)
        expect(parsed === null || formatChange(parsed) === text).toBeTrue()
      }),
    )
  })
})
