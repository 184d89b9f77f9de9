import { expect, test } from 'bun:test'
import { isForeignId } from '../../src/credentials/foreign-id.ts'

const FOREIGN_TO_BOTH = ['org_x', 'key_x', 'sess_x', 'rt_x', 'tok_x', 'blk_x', 'evt_x', 'KEY_x', 'key_']
const NAMES = ['system', 'master', 'cli', 'anonymous', 'token', 'Master', 'CLI']

test.each([...FOREIGN_TO_BOTH, ...NAMES])('%s passes for something else, whoever has it', (id) => {
  expect([isForeignId(id, 'user'), isForeignId(id, 'client')]).toEqual([true, true])
})

test.each([
  ['user_x', false, true],
  ['User_x', false, true],
  ['client_x', true, false],
  ['key', false, false],
  ['keys_x', false, false],
  ['my_key_x', false, false],
  ['systems', false, false],
  ['cli-2', false, false],
  ['tokens', false, false],
  ['my.token', false, false],
  ['x', false, false],
])('%s: foreign to a user %p, to a client %p', (id, toUser, toClient) => {
  expect([isForeignId(id, 'user'), isForeignId(id, 'client')]).toEqual([toUser, toClient])
})
