import { expect, test } from 'bun:test'
import { differencesOf } from '../../../src/recording/audit/differences.ts'

const KNOWN = { name: 'a', list: ['x', 'y'], rate: { limit: 1, window: '1m' }, note: null, enabled: true }

test.each<[string, object, ReturnType<typeof differencesOf>]>([
  ['nothing', {}, null],
  ['what it was', { name: 'a', list: ['x', 'y'], rate: { window: '1m', limit: 1 }, note: null }, null],
  ['undefined', { name: undefined, enabled: undefined }, null],
  ['another text', { name: 'b' }, { before: { name: 'a' }, after: { name: 'b' } }],
  ['another order of a list', { list: ['y', 'x'] }, { before: { list: ['x', 'y'] }, after: { list: ['y', 'x'] } }],
  ['null', { rate: null }, { before: { rate: KNOWN.rate }, after: { rate: null } }],
  ['from null', { note: 'n' }, { before: { note: null }, after: { note: 'n' } }],
  ['false', { enabled: false }, { before: { enabled: true }, after: { enabled: false } }],
  ['a member that was not there', { extra: 0 }, { before: { extra: null }, after: { extra: 0 } }],
  ['some of several', { name: 'a', enabled: false }, { before: { enabled: true }, after: { enabled: false } }],
])('changed to %s', (_, changed, expected) => {
  expect(differencesOf(KNOWN, changed)).toEqual(expected)
})

test('hidden members are named without what they were and are', () => {
  const hidden = ['note', 'list']
  expect(differencesOf(KNOWN, { note: 'secret', list: [], name: 'b' }, hidden)).toEqual({
    before: { name: 'a' },
    after: { note: 'changed', list: 'changed', name: 'b' },
  })
  expect(differencesOf(KNOWN, { note: null, list: ['x', 'y'] }, hidden)).toBeNull()
})
