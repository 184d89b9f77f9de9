import { beforeEach, describe, expect, test } from 'bun:test'
import { anOrganization, aSession, aUser, NOW } from './fixtures.ts'
import { changesOf, expectAtomic, fiftyTimes, type Open, type Opened } from './support.ts'

export function describeSessionStore(name: string, open: Open): void {
  describe(name, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    const sessions = () => opened.storage.sessions
    const read = async (hash: string) => (await sessions().findByHash(hash))?.session ?? null

    test('reads a session with its user and the user’s organization', async () => {
      const organization = anOrganization()
      const user = aUser({ organizationId: organization.id })
      const session = aSession({ userId: user.id })
      const foreign = aSession({ userId: 'user_of_the_app', address: null, userAgent: null })
      await opened.storage.organizations.insert(organization)
      await opened.storage.users.insert(user)
      await sessions().insert(session)
      await sessions().insert(foreign)
      expect(await sessions().findByHash(session.hash)).toEqual({ session, user, organization })
      expect(await sessions().findByHash(foreign.hash)).toEqual({ session: foreign, user: null, organization: null })
      expect(await sessions().findByHash(session.id)).toBeNull()
    })

    test('lists the unexpired sessions of a user, newest first', async () => {
      const old = aSession({ createdAt: NOW - 1, expiresAt: NOW + 1 })
      const young = aSession()
      for (const one of [old, young, aSession({ expiresAt: NOW }), aSession({ userId: 'user_2' })]) {
        await sessions().insert(one)
      }
      expect(await sessions().listByUser('user_1', NOW)).toEqual([young, old])
    })

    test('touch moves the last sight forward, never back', async () => {
      const session = aSession()
      await sessions().insert(session)
      await sessions().touch(session.id, NOW + 10)
      await sessions().touch(session.id, NOW + 5)
      await sessions().touch('sess_unknown', NOW + 20)
      expect(await read(session.hash)).toEqual({ ...session, lastSeenAt: NOW + 10 })
      await fiftyTimes((index) => sessions().touch(session.id, NOW + 100 + ((index * 7) % 50)))
      expect((await read(session.hash))?.lastSeenAt).toBe(NOW + 149)
    })

    test('one of 50 deletions receives the session and records one change', async () => {
      const session = aSession()
      await sessions().insert(session)
      const answers = await fiftyTimes(() => sessions().delete(session.id))
      expect(answers.filter((answer) => answer !== null)).toEqual([session])
      expect(await read(session.hash)).toBeNull()
      expect(await changesOf(opened.storage)).toEqual([`session ${session.id}`])
    })

    test('deletes only a user’s own when told whose', async () => {
      const session = aSession({ userId: 'user_a' })
      await sessions().insert(session)
      expect(await sessions().delete(session.id, 'user_b')).toBeNull()
      expect(await sessions().exists(session.id)).toBe(true)
      expect(await read(session.hash)).toEqual(session)
      expect(await changesOf(opened.storage)).toEqual([])
      expect(await sessions().delete(session.id, 'user_a')).toEqual(session)
      expect(await sessions().exists(session.id)).toBe(false)
    })

    test('deletes all of a user in one change', async () => {
      const other = aSession({ userId: 'user_b' })
      for (const one of [aSession({ userId: 'user_a' }), aSession({ userId: 'user_a' }), other]) {
        await sessions().insert(one)
      }
      expect(await sessions().deleteByUser('user_a', NOW)).toBe(2)
      expect(await sessions().deleteByUser('user_a', NOW)).toBe(0)
      expect(await read(other.hash)).toEqual(other)
      expect(await changesOf(opened.storage)).toEqual(['user user_a'])
    })

    test('a deletion whose change cannot be recorded does not happen', async () => {
      const session = aSession()
      await sessions().insert(session)
      await expectAtomic(opened, () => sessions().delete(session.id))
      await expectAtomic(opened, () => sessions().deleteByUser(session.userId, NOW))
      expect(await read(session.hash)).toEqual(session)
    })

    test('purges what expired before a moment, without a change', async () => {
      const gone = aSession({ expiresAt: NOW - 1 })
      const kept = aSession({ expiresAt: NOW })
      await sessions().insert(gone)
      await sessions().insert(kept)
      expect(await sessions().purge(NOW)).toBe(1)
      expect(await read(gone.hash)).toBeNull()
      expect(await read(kept.hash)).toEqual(kept)
      expect(await changesOf(opened.storage)).toEqual([])
    })
  })
}
