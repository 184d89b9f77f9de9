import { expect, test } from 'bun:test'
import { resolve } from 'node:path'
import { resolveJournalDirectory } from '../../../../src/recording/usage/journal/place.ts'

test.each([
  ['./there', 'sqlite:/data/auth.db', resolve('there')],
  ['/there', 'postgres://localhost/auth', '/there'],
  [null, 'sqlite:/data/auth.db', '/data/auth.db.usage'],
  [null, 'sqlite:auth.db', resolve('auth.db.usage')],
  [null, 'sqlite::memory:', resolve('.machine-auth/usage')],
  [null, 'postgres://localhost/auth', resolve('.machine-auth/usage')],
] as const)('%p on %p is %p', (given, database, expected) => {
  expect(resolveJournalDirectory(given, database)).toBe(expected)
})
