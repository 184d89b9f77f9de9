/** Whether a verb may be tried again is said for every one of them. */
import { expect, test } from 'bun:test'
import { drizzle } from 'drizzle-orm/bun-sqlite'
import { VERB_KINDS, type VerbKind } from '../../src/storage/drizzle/verb-kinds.ts'
import { openStorage } from '../../src/storage/open.ts'
import { openMigrated } from '../support/migrated.ts'

const client = openMigrated()
const { storage, ready } = openStorage({ db: drizzle(client) }, { migrate: 'check' })
await ready
client.close()

/** Asks no table. */
const SYNCHRONOUS = new Set(['version'])
const { dialect, ping, close, ...ports } = storage

test('every port is there, and no other', () => {
  expect(Object.keys(VERB_KINDS).toSorted()).toEqual(Object.keys(ports).toSorted())
})

test.each(Object.entries(ports))(
  'every verb of %s is a read, a watch, a report or a write, and no other is named',
  (name, port) => {
    const kinds: Readonly<Record<string, VerbKind>> = VERB_KINDS[name as keyof typeof VERB_KINDS]
    const verbs = Object.keys(port).filter((verb) => !SYNCHRONOUS.has(verb))
    expect(Object.keys(kinds).toSorted()).toEqual(verbs.toSorted())
    for (const kind of Object.values(kinds)) expect(['read', 'watch', 'report', 'write']).toContain(kind)
  },
)

test('what claims, spends or revokes is a write', () => {
  const reads = Object.values(VERB_KINDS).flatMap((kinds) =>
    Object.entries(kinds).flatMap(([verb, kind]) => (kind === 'write' ? [] : [verb])),
  )
  expect(
    reads.filter(
      (verb) => !/^(find|list|count|latest|since|exists|knows|used|checkpoint|sums|overall|busiest|foreign)/.test(verb),
    ),
  ).toEqual([])
})
