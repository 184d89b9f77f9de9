import { beforeEach, describe, expect, test } from 'bun:test'
import type { KeyRotation } from '../../src/storage/ports/keys.ts'
import type { ApiKeyRecord } from '../../src/storage/records.ts'
import { aKey, NOW } from './fixtures.ts'
import { changesOf, codeOf, expectAtomic, fiftyTimes, type Open, type Opened } from './support.ts'

const GRACE = 1000
const PERIOD = '2030-01'
const REVOKED = { revokedAt: NOW, revokedReason: 'rotated', revokedBy: 'user_1' }

const rotationOf = (old: ApiKeyRecord, next: ApiKeyRecord, oldExpiresAt: number | null): KeyRotation => ({
  old,
  at: NOW,
  oldExpiresAt,
  reason: 'rotated',
  by: 'user_1',
  quota: { period: PERIOD, from: `apiKey:${old.id}`, to: `apiKey:${next.id}` },
})

const successorOf = (old: ApiKeyRecord): ApiKeyRecord => {
  const { id, prefix, hash } = aKey()
  return { ...old, id, prefix, hash, pepper: 'pepper-2', createdAt: NOW, createdBy: 'user_1', rotatedFrom: old.id }
}

export function describeKeyRotation(name: string, open: Open): void {
  describe(name, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    const keys = () => opened.storage.keys
    const insert = async (given: Partial<ApiKeyRecord> = {}) => {
      const key = aKey(given)
      await keys().insert(key)
      return key
    }
    const rotate = (old: ApiKeyRecord, next: ApiKeyRecord, oldExpiresAt: number | null) =>
      keys().rotate(next, rotationOf(old, next, oldExpiresAt))
    const countAll = async () => (await keys().list({}, { limit: 100 }, NOW)).items.length

    test('inserts the successor and ends the old key after the grace, with a change', async () => {
      const old = await insert({ description: 'searched for' })
      const bystander = await insert()
      const next = successorOf(old)
      expect(await rotate(old, next, NOW + GRACE)).toEqual(next)
      expect(await keys().find(next.id)).toEqual(next)
      expect(await keys().find(old.id)).toEqual({ ...old, expiresAt: NOW + GRACE, expiryWarnedAt: NOW })
      expect(await keys().find(bystander.id)).toEqual(bystander)
      expect(await changesOf(opened.storage)).toEqual([`key ${old.id}`])
      const found = await keys().list({ q: 'searched' }, { limit: 10 }, NOW)
      expect(found.items.map(({ id }) => id).sort()).toEqual([old.id, next.id].sort())
    })

    test.each([
      { name: 'none', before: null, after: NOW + GRACE },
      { name: 'a later one', before: NOW + GRACE + 1, after: NOW + GRACE },
      { name: 'the same', before: NOW + GRACE, after: NOW + GRACE },
      { name: 'an earlier one', before: NOW + 1, after: NOW + 1 },
    ])('the old key had $name as expiry: it is never extended', async ({ before, after }) => {
      const old = await insert({ expiresAt: before })
      await rotate(old, successorOf(old), NOW + GRACE)
      expect(await keys().find(old.id)).toEqual({ ...old, expiresAt: after, expiryWarnedAt: NOW })
    })

    test('without a grace the old key is revoked at once, and its credits move', async () => {
      const old = await insert({ credits: 9, expiresAt: NOW + 5 })
      const next = successorOf(old)
      // Used since the caller read it.
      await keys().claimCredits(old.id, 2, NOW)
      expect(await rotate(old, next, null)).toEqual({ ...next, credits: 7 })
      expect(await keys().find(next.id)).toEqual({ ...next, credits: 7 })
      expect(await keys().find(old.id)).toEqual({ ...old, credits: 7, ...REVOKED })
    })

    test('the successor takes over what is used of the month, and of no other', async () => {
      const old = await insert()
      const other = await insert()
      const { quotas } = opened.storage
      await quotas.claim({ subject: `apiKey:${old.id}`, period: PERIOD, amount: 30, limit: 100 })
      await quotas.claim({ subject: `apiKey:${old.id}`, period: '2029-12', amount: 99, limit: 100 })
      await quotas.claim({ subject: `apiKey:${other.id}`, period: PERIOD, amount: 5, limit: 100 })
      const next = successorOf(old)
      await rotate(old, next, NOW + GRACE)
      const used = (id: string, period = PERIOD) => quotas.used(`apiKey:${id}`, period)
      expect([await used(old.id), await used(next.id), await used(other.id)]).toEqual([30, 30, 5])
      expect([await used(old.id, '2029-12'), await used(next.id, '2029-12')]).toEqual([99, 0])
    })

    test.each([
      { name: 'a disabled', given: { enabled: false } },
      { name: 'an expired', given: { expiresAt: NOW } },
      { name: 'a revoked', given: { revokedAt: NOW - 1, revokedReason: 'leaked', revokedBy: 'user_0' } },
    ])('of $name key there is no successor', async ({ given }) => {
      for (const oldExpiresAt of [NOW + GRACE, null]) {
        const old = await insert(given)
        const next = successorOf(old)
        expect(await rotate(old, next, oldExpiresAt)).toBeNull()
        expect(await keys().find(old.id)).toEqual(old)
        expect(await keys().find(next.id)).toBeNull()
      }
      expect(await changesOf(opened.storage)).toEqual([])
    })

    test.each(['key_unknown', null])('of key %p there is none either', async (rotatedFrom) => {
      const next = { ...successorOf(aKey()), rotatedFrom }
      expect(await rotate(aKey({ id: 'key_unknown' }), next, NOW + GRACE)).toBeNull()
      expect(await countAll()).toBe(0)
    })

    test.each([
      { name: 'with a grace', oldExpiresAt: NOW + GRACE, conflicts: 49 },
      { name: 'without one', oldExpiresAt: null, conflicts: 0 },
    ])('of 50 callers $name one gets a successor', async ({ oldExpiresAt, conflicts }) => {
      const old = await insert()
      await opened.storage.quotas.claim({ subject: `apiKey:${old.id}`, period: PERIOD, amount: 1, limit: 100 })
      const candidates = Array.from({ length: 50 }, () => successorOf(old))
      const stored: ApiKeyRecord[] = []
      const codes = await fiftyTimes(async (index) => {
        const answer = rotate(old, candidates[index] ?? old, oldExpiresAt)
        return codeOf(answer.then((next) => void (next !== null && stored.push(next))))
      })
      const [winner, ...more] = stored
      expect(more).toEqual([])
      expect(codes.filter((code) => code === 'conflict')).toHaveLength(conflicts)
      expect([...new Set(codes)].filter((code) => code !== 'conflict')).toEqual(['none'])
      expect(await keys().find(winner?.id ?? '')).toEqual(winner ?? null)
      expect(await countAll()).toBe(2)
      expect(await changesOf(opened.storage)).toEqual([`key ${old.id}`])
    })

    test.each([
      { name: 'renamed' },
      { description: 'another' },
      { permissions: [] },
      { ipAllowlist: [] },
      { rateLimit: null },
      { monthlyQuota: null },
      { metadata: { team: 'other' } },
      { creditsRefillAmount: 5, creditsRefillEvery: 1000 },
      { expiresAt: NOW + 5 },
    ])('of a key that got %j since it was read there is a conflict, and nothing is written', async (patch) => {
      const old = await insert({ expiresAt: NOW + 9 })
      const changed = await keys().update(old.id, patch, NOW)
      for (const oldExpiresAt of [NOW + GRACE, null]) {
        const next = successorOf(old)
        expect(await codeOf(rotate(old, next, oldExpiresAt))).toBe('conflict')
        expect(await keys().find(next.id)).toBeNull()
      }
      expect(await keys().find(old.id)).toEqual(changed)
      expect(await changesOf(opened.storage)).toEqual([`key ${old.id}`])
    })

    test('that it was used or hashed anew since it was read is no matter', async () => {
      const refill = { creditsRefillAmount: 10, creditsRefillEvery: 1000, creditsRefilledAt: NOW - 1500 }
      const old = await insert({ credits: 2, ...refill })
      await keys().claimCredits(old.id, 1, NOW)
      await keys().rehash(old.id, old.pepper, 'hash-2', 'pepper-2')
      const next = successorOf(old)
      // The refill that came meanwhile comes no second time.
      expect(await rotate(old, next, null)).toEqual({ ...next, credits: 9, creditsRefilledAt: NOW - 500 })
    })

    test('a second rotation while the old key still works is a conflict, and changes nothing', async () => {
      const old = await insert()
      await rotate(old, successorOf(old), NOW + GRACE)
      const known = { ...old, expiresAt: NOW + GRACE, expiryWarnedAt: NOW }
      for (const oldExpiresAt of [NOW + 1, null]) {
        const late = successorOf(known)
        const error: unknown = await rotate(known, late, oldExpiresAt).catch((thrown: unknown) => thrown)
        expect(error).toMatchObject({ code: 'conflict', detail: expect.stringContaining('rotate its successor') })
        expect(await keys().find(late.id)).toBeNull()
      }
      expect(await keys().find(old.id)).toEqual({ ...old, expiresAt: NOW + GRACE, expiryWarnedAt: NOW })
      expect(await changesOf(opened.storage)).toEqual([`key ${old.id}`])
    })

    test('a successor is rotated in its turn', async () => {
      const first = await insert()
      const second = successorOf(first)
      await rotate(first, second, null)
      const third = successorOf(second)
      expect(await rotate(second, third, null)).toEqual(third)
    })

    test.each([NOW + GRACE, null])('to end at %p, when it cannot be recorded, is not done', async (oldExpiresAt) => {
      const old = await insert({ credits: 3 })
      const next = successorOf(old)
      await opened.storage.quotas.claim({ subject: `apiKey:${old.id}`, period: PERIOD, amount: 1, limit: 100 })
      await expectAtomic(opened, () => rotate(old, next, oldExpiresAt))
      expect(await keys().find(old.id)).toEqual(old)
      expect(await keys().find(next.id)).toBeNull()
      expect(await opened.storage.quotas.used(`apiKey:${next.id}`, PERIOD)).toBe(0)
    })

    test('50 pairs of a rotation and a revocation leave the old key revoked or ending, never as it was', async () => {
      const made = await Promise.all(Array.from({ length: 50 }, () => insert()))
      await Promise.all(
        made.flatMap((old, index) => {
          const revoke = () => keys().revoke(old.id, { at: NOW, reason: 'leaked', by: 'user_2' })
          const rotation = () => rotate(old, successorOf(old), index % 3 === 0 ? null : NOW + GRACE)
          return index % 2 === 0 ? [revoke(), rotation()] : [rotation(), revoke()]
        }),
      )
      for (const { id } of made) expect((await keys().find(id))?.revokedAt).toBe(NOW)
    })
  })
}
