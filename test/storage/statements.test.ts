import { Database } from 'bun:sqlite'
import { describe, expect, spyOn, test } from 'bun:test'
import { drizzle } from 'drizzle-orm/bun-sqlite'
import { openStorage } from '../../src/storage/open.ts'
import type { Storage } from '../../src/storage/ports.ts'
import { aFamily, aKey, anOrganization, aSession, aToken, aUser, NOW } from '../contract/fixtures.ts'

async function openCounted() {
  const client = new Database(':memory:')
  const statements: string[] = []
  const db = drizzle(client, { logger: { logQuery: (text) => void statements.push(text) } })
  const { storage, ready } = openStorage({ db }, { migrate: 'auto' })
  await ready
  const organization = anOrganization()
  const user = aUser({ id: 'user_1', organizationId: organization.id })
  await storage.organizations.insert(organization)
  await storage.users.insert(user)
  await storage.keys.insert(aKey({ id: 'key_1', userId: user.id, credits: 100 }))
  await storage.refreshFamilies.insert(aFamily({ id: 'rt_1', userId: user.id }))
  await storage.bearerTokens.insert(aToken({ id: 'tok_1', userId: user.id }))
  await storage.sessions.insert(aSession({ id: 'sess_1', hash: 'hash', userId: user.id }))
  return { client, storage, statements }
}

const ONE = { subject: 'key:1', period: '2030-01', amount: 1, limit: 100 }

/** What a request may cost when nothing is cached. */
const HOT: readonly { readonly name: string; readonly verb: (storage: Storage) => Promise<unknown> }[] = [
  { name: 'keys.findWithOwner', verb: ({ keys }) => keys.findWithOwner('key_1') },
  { name: 'keys.claimCredits', verb: ({ keys }) => keys.claimCredits('key_1', 1, NOW) },
  { name: 'quotas.claim', verb: ({ quotas }) => quotas.claim(ONE) },
  { name: 'loginAddresses.knows', verb: ({ loginAddresses }) => loginAddresses.knows('user_1', '192.0.2.1') },
  { name: 'sessions.findByHash', verb: ({ sessions }) => sessions.findByHash('hash') },
  { name: 'sessions.touch', verb: ({ sessions }) => sessions.touch('sess_1', NOW + 1) },
  { name: 'refreshFamilies.find', verb: ({ refreshFamilies }) => refreshFamilies.find('rt_1') },
  { name: 'refreshFamilies.rotate', verb: ({ refreshFamilies }) => refreshFamilies.rotate('rt_1', 0, NOW, NOW) },
  { name: 'bearerTokens.findWithOwner', verb: ({ bearerTokens }) => bearerTokens.findWithOwner('tok_1') },
  { name: 'users.find', verb: ({ users }) => users.find('user_1') },
  { name: 'users.findByEmail', verb: ({ users }) => users.findByEmail('user_1@example.com') },
  { name: 'users.findWithOrganization', verb: ({ users }) => users.findWithOrganization('user_1') },
  { name: 'changes.latest', verb: ({ changes }) => changes.latest() },
  { name: 'changes.since', verb: ({ changes }) => changes.since(0, NOW, 1000) },
]

describe('on the way of a request', () => {
  test.each([...HOT])('$name is one statement, prepared once', async ({ verb }) => {
    const { client, storage, statements } = await openCounted()
    const prepare = spyOn(client, 'prepare')
    statements.length = 0
    for (let call = 1; call <= 3; call++) {
      await verb(storage)
      expect(statements).toHaveLength(call)
    }
    expect(prepare).toHaveBeenCalledTimes(1)
    client.close()
  })

  test('each is found by an index', async () => {
    const { client, storage, statements } = await openCounted()
    for (const { name, verb } of HOT) {
      // The change log is read from its end; the overlap makes a scan of its few rows as good.
      if (name.startsWith('changes.')) continue
      statements.length = 0
      await verb(storage)
      const [statement = ''] = statements
      const parameters = statement.match(/\?/g)?.map(() => null) ?? []
      const plan = client.query<{ detail: string }, null[]>(`explain query plan ${statement}`).all(...parameters)
      expect([name, plan.filter(({ detail }) => detail.startsWith('SCAN'))]).toEqual([name, []])
    }
    client.close()
  })
})
