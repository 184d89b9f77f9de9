/** What holds when several processes ask one database at the same moment. */
import { describe, expect, test } from 'bun:test'
import { START_OF_JOURNAL } from '../../src/storage/ports/usage.ts'
import type { Storage } from '../../src/storage/ports.ts'
import { aFamily, aKey, anEvent, aSigningKey, aUsage, aUser, NOW } from '../contract/fixtures.ts'
import { atOnce, changesOf, codeOf } from '../contract/support.ts'

const BY = { at: NOW, reason: null, by: 'usr_admin' }
const made = <T>(answers: readonly (T | null)[]): readonly T[] => answers.filter((answer) => answer !== null)

/** @param storages answers those of the processes, on one database that may hold what was there before */
export function describeRaces(name: string, storages: () => readonly [Storage, Storage]): void {
  /** Asks the processes in turn, all at once. */
  const all = <T>(count: number, ask: (storage: Storage, index: number) => Promise<T>): Promise<T[]> =>
    atOnce(count, (index) => ask(storages()[index % 2 === 0 ? 0 : 1], index))
  const one = () => storages()[0]

  describe(name, () => {
    test('50 refreshes give one successor', async () => {
      const user = aUser()
      await one().users.insert(user)
      const family = aFamily({ userId: user.id })
      await one().refreshFamilies.insert(family)
      const from = family.sequence
      const answers = await all(50, (storage) => storage.refreshFamilies.rotate(family.id, from, NOW, NOW + 1000))
      expect(made(answers)).toHaveLength(1)
      expect((await one().refreshFamilies.find(family.id))?.family.sequence).toBe(from + 1)
    })

    test('a refresh and a revocation leave a family that is revoked', async () => {
      const user = aUser()
      await one().users.insert(user)
      for (let round = 0; round < 10; round++) {
        const family = aFamily({ userId: user.id })
        await one().refreshFamilies.insert(family)
        const [, revoked] = await Promise.all([
          storages()[0].refreshFamilies.rotate(family.id, family.sequence, NOW, NOW + 1000),
          storages()[1].refreshFamilies.revoke(family.id, 'logout', NOW),
        ])
        expect(revoked).toBe(true)
        expect((await one().refreshFamilies.find(family.id))?.family.revokedAt).toBe(NOW)
      }
    })

    test('a quota of 100 admits 100, each with a number of its own', async () => {
      const claim = { subject: `key_${crypto.randomUUID()}`, period: '2030-01', amount: 1, limit: 100 }
      const answers = made(await all(150, (storage) => storage.quotas.claim(claim)))
      expect(answers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1))
    })

    test('credits are refilled once, and no more are taken than there are', async () => {
      const key = aKey({ credits: 0, creditsRefillAmount: 20, creditsRefillEvery: 1000, creditsRefilledAt: NOW - 1500 })
      await one().keys.insert(key)
      const answers = made(await all(50, (storage) => storage.keys.claimCredits(key.id, 1, NOW)))
      expect(answers.map(({ left }) => left).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n))
      expect(await one().keys.find(key.id)).toMatchObject({ credits: 0, creditsRefilledAt: NOW - 500 })
    })

    test('one of 30 requests with the same idempotency key makes its claim, also of one that has expired', async () => {
      const claim = (createdAt: number, index: number) => ({
        principal: 'p',
        endpoint: 'POST /auth/keys',
        key: 'same',
        fingerprint: `of ${index}`,
        answer: null,
        createdAt,
        expiresAt: createdAt + 1000,
      })
      for (const createdAt of [NOW, NOW + 1000]) {
        const answers = await all(30, (storage, index) => storage.idempotency.claim(claim(createdAt, index)))
        expect(answers.filter((answer) => answer === null)).toHaveLength(1)
        const winner = answers.indexOf(null)
        expect(new Set(made(answers).map(({ fingerprint }) => fingerprint))).toEqual(new Set([`of ${winner}`]))
      }
    })

    test('a key is revoked once, rotated once, and no change brings it back', async () => {
      const [key, rotated] = [aKey(), aKey()]
      for (const each of [key, rotated]) await one().keys.insert(each)
      const revoked = await all(20, async (storage, index) => {
        if (index % 4 < 2) return storage.keys.revoke(key.id, BY)
        await storage.keys.update(key.id, { name: `name ${index}`, enabled: true }, NOW)
        return null
      })
      expect(made(revoked)).toHaveLength(1)
      expect(await one().keys.find(key.id)).toMatchObject({ revokedAt: NOW })
      const rotation = { old: rotated, at: NOW, oldExpiresAt: NOW + 1000, reason: 'rotated', by: 'usr_admin' }
      const codes = await all(20, (storage) => {
        const quota = { period: '2030-01', from: rotated.id, to: crypto.randomUUID() }
        return codeOf(storage.keys.rotate(aKey({ rotatedFrom: rotated.id }), { ...rotation, quota }))
      })
      expect(codes.toSorted()).toEqual([...Array.from({ length: 19 }, () => 'conflict'), 'none'])
    })

    test('all receive one signing key, one change tells of it, and rotations leave one', async () => {
      const encryptionKey = crypto.randomUUID()
      const candidate = () => aSigningKey({ encryptionKey })
      const current = await all(30, (storage) => storage.signingKeys.ensureCurrent(candidate()))
      const [{ kid } = { kid: '' }] = current
      expect(new Set(current.map((each) => each.kid))).toEqual(new Set([kid]))
      expect((await changesOf(one())).filter((change) => change === `signing_key ${kid}`)).toHaveLength(1)
      const mixed = await all(30, (storage, index) =>
        index % 5 === 0
          ? codeOf(storage.signingKeys.rotate(candidate()))
          : storage.signingKeys.ensureCurrent(candidate()).then(({ kid }) => kid),
      )
      const keys = (await one().signingKeys.list()).filter((each) => each.encryptionKey === encryptionKey)
      expect(keys.filter(({ retiredAt }) => retiredAt === null)).toHaveLength(1)
      const known = new Set([...keys.map((each) => each.kid), 'none', 'conflict'])
      expect(mixed.filter((answer) => !known.has(answer))).toEqual([])
      expect(mixed).toContain('none')
    })

    test('roles close no circle', async () => {
      for (let round = 0; round < 5; round++) {
        const [a, b] = [crypto.randomUUID(), crypto.randomUUID()]
        for (const role of [a, b]) await one().roles.put({ name: role, permissions: [], inherits: [] }, NOW)
        const answers = await all(2, (storage, index) =>
          storage.roles.put({ name: index === 0 ? a : b, permissions: [], inherits: [index === 0 ? b : a] }, NOW),
        )
        expect(answers.toSorted()).toEqual([false, true])
      }
    })

    test('each key that expires is told of by one', async () => {
      const keys = Array.from({ length: 20 }, () => aKey({ expiresAt: NOW + 500 }))
      for (const key of keys) await one().keys.insert(key)
      const told = (await all(8, (storage) => storage.keys.claimExpiryWarnings(NOW, NOW + 1000, 5))).flat()
      const ids = told.map(({ id }) => id)
      expect(new Set(ids).size).toBe(ids.length)
    })

    test('a journal is counted once, and journals with the same counters in any order never fail', async () => {
      const keyId = `key_${crypto.randomUUID()}`
      const rows = Array.from({ length: 20 }, (_, index) => aUsage({ keyId, route: `/api/${index}` }))
      const write = (journal: string, index: number) => ({
        journal,
        from: START_OF_JOURNAL,
        to: { position: 1, target: 1, written: 0 },
        rows: index % 4 < 2 ? rows : rows.toReversed(),
        now: NOW,
      })
      const journal = crypto.randomUUID()
      const racing = await all(10, (storage, index) => storage.usage.record(write(journal, index)))
      expect(racing.filter(Boolean)).toHaveLength(1)
      const own = await all(10, (storage, index) => storage.usage.record(write(crypto.randomUUID(), index)))
      expect(own.every(Boolean)).toBe(true)
      const { statuses } = await one().usage.sumsOfKey({ keyId, period: 'hour', from: NOW, to: NOW + 1 })
      expect(statuses.map(({ requests }) => requests)).toEqual([11 * rows.length])
    })

    test('one of those that seal the same events does it', async () => {
      const mark = await one().audit.findMark('head')
      const from = mark?.sequence ?? null
      const event = anEvent()
      await one().audit.append(event)
      const sequence = (from ?? 0) + 1
      const head = { name: 'head', sequence, at: NOW, mac: 'mac', macKey: 'key' } as const
      const seals = [{ id: event.id, sequence, mac: 'mac', macKey: 'key' }]
      const answers = await all(10, (storage) => storage.audit.seal(from, seals, head))
      expect(answers.filter(Boolean)).toHaveLength(1)
    })
  })
}
