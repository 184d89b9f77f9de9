/** What the tests that follow pages take for the same. */
import { expect, test } from 'bun:test'
import { PageIds } from './page-ids.ts'

const KEY = 'key_0000000000000001'
const OTHER = 'key_0000000000000002'
const SHOWN = 'key_4dTyWz8Qm1nBvK3c'
const RAW = `mac_live_0000000000000001_${'a'.repeat(49)}`

test.each([
  ['the same but for white space', '{"a":1,\n"b":2}', '{ "a": 1, "b": 2 }', true],
  ['another value', '{"a":1}', '{ "a": 2 }', false],
  ['more than is shown', '{"a":1,"b":2}', '{ "a": 1 }', false],
  ['something for a gap', '{"a":1,"b":2}', '{ "a": 1, … }', true],
  ['nothing of what follows a gap', '{"a":1,"b":2}', '{ …, "c": 3 }', false],
  ['an id for an id', KEY, SHOWN, true],
  ['an id of another kind', KEY.replace('key_', 'org_'), SHOWN, false],
  ['one id for one id twice', `${KEY} ${KEY}`, `${SHOWN} ${SHOWN}`, true],
  ['two ids for one', `${KEY} ${OTHER}`, `${SHOWN} ${SHOWN}`, false],
  ['an id within what is shown of a key', RAW.slice(0, 25), 'mac_live_4dTyWz8Qm1nBvK3c', true],
  ['signs that mean something in expressions', 'a.b(c)*', 'a.b(c)*', true],
  ['what only an expression would take for it', 'axb', 'a.b', false],
])('%s', (_, answer, shown, isSame) => {
  expect(new PageIds().matches(answer, shown)).toBe(isSame)
})

test('an id stands for the same one from then on, also its beginning, and with its secret', () => {
  const ids = new PageIds()
  expect(ids.fill(SHOWN)).toBe(SHOWN)
  expect(ids.matches(KEY, SHOWN)).toBe(true)
  expect(ids.matches(OTHER, SHOWN)).toBe(false)
  ids.learn(`{"rawKey":"${RAW}"}`)
  expect(ids.fill(`${SHOWN} mac_live_4dTy mac_live_4dTyWz8Qm1nBvK3c_…`)).toBe(`${KEY} mac_live_0000 ${RAW}`)
})
