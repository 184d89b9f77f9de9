import { expect, test } from 'bun:test'
import { parseChoice, parseCount } from '../../bench/arguments.ts'

const ALL = ['bare', 'key', 'jwt'] as const
const USUAL = { rounds: 3, seconds: 8 }

test.each([
  ['', { isQuick: false, rounds: 3, seconds: 8, variants: [...ALL] }],
  ['5', { isQuick: false, rounds: 5, seconds: 8, variants: [...ALL] }],
  ['5 2', { isQuick: false, rounds: 5, seconds: 2, variants: [...ALL] }],
  ['5 2 jwt bare', { isQuick: false, rounds: 5, seconds: 2, variants: ['bare', 'jwt'] }],
  ['jwt', { isQuick: false, rounds: 3, seconds: 8, variants: ['jwt'] }],
  ['--quick', { isQuick: true, rounds: 1, seconds: 1, variants: [...ALL] }],
  ['--quick key', { isQuick: true, rounds: 1, seconds: 1, variants: ['key'] }],
] as const)('"%s" is understood', (words, choice) => {
  expect(parseChoice(words.split(' ').filter(Boolean), ALL, USUAL)).toEqual({
    ...choice,
    variants: [...choice.variants],
  })
})

test.each([
  ['--slow', 'There is no --slow; name some of: bare, key, jwt'],
  ['3 8 keys', 'There is no keys'],
  ['3 8 9', 'There is no 9'],
  ['0', 'rounds are a whole number, not 0'],
  ['3 1.5', 'seconds are a whole number, not 1.5'],
])('"%s" is refused', (words, message) => {
  expect(() => parseChoice(words.split(' '), ALL, USUAL)).toThrow(message)
})

test.each(['', '-1', '--quick', '1e3'])('%p is no count', (word) => {
  expect(() => parseCount(word, 'events')).toThrow('events are a whole number')
})
