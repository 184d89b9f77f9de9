import { beforeEach, describe, expect, test } from 'bun:test'
import type { MachineAuthError } from '../../src/errors.ts'
import type { KeyPatch } from '../../src/storage/ports/keys.ts'
import type { ApiKeyRecord } from '../../src/storage/records.ts'
import { aKey, NOW } from './fixtures.ts'
import { changesOf, codeOf, expectAtomic, fiftyTimes, type Open, type Opened } from './support.ts'

/** Each member that can be changed, set and taken away. */
const PATCHES: readonly KeyPatch[] = [
  { name: 'Renamed' },
  { description: "it's another" },
  { description: null },
  { permissions: ['posts.view'] },
  { permissions: [] },
  { ipAllowlist: ['192.0.2.0/24'] },
  { ipAllowlist: [] },
  { rateLimit: { limit: 1, window: '1s' } },
  { rateLimit: null },
  { monthlyQuota: 2 ** 40 },
  { monthlyQuota: null },
  { credits: 7, creditsRefillAmount: 5, creditsRefillEvery: 2 ** 41, creditsRefilledAt: NOW + 1 },
  { credits: null, creditsRefillAmount: null, creditsRefillEvery: null, creditsRefilledAt: null },
  { expiresAt: NOW + 2 ** 40, expiryWarnedAt: null },
  { expiresAt: null },
  { metadata: { other: [{ deep: 'é' }] } },
  { metadata: null },
  { enabled: false },
  { enabled: true },
]

/** Every member that may be missing is there. */
const FULL: Partial<ApiKeyRecord> = {
  ...{ description: 'the first', expiresAt: NOW + 1000, expiryWarnedAt: NOW, enabled: true },
  ...{ credits: 3, creditsRefillAmount: 10, creditsRefillEvery: 1000, creditsRefilledAt: NOW },
}

export function describeKeyChanges(name: string, open: Open): void {
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
    const found = async (q: string) => (await keys().list({ q }, { limit: 100 }, NOW)).items.map(({ id }) => id)

    test.each([...PATCHES])('%j is written, and nothing else; a change tells of it', async (patch) => {
      const [key, other] = [await insert(FULL), await insert(FULL)]
      const expected = { ...key, ...patch }
      expect(await keys().update(key.id, patch, NOW)).toEqual(expected)
      expect(await keys().find(key.id)).toEqual(expected)
      expect(await keys().find(other.id)).toEqual(other)
      expect(await changesOf(opened.storage)).toEqual([`key ${key.id}`])
    })

    test('no members, or undefined ones, write and record nothing', async () => {
      const key = await insert(FULL)
      expect(await keys().update(key.id, {}, NOW)).toEqual(key)
      // @ts-expect-error an explicit undefined is not in the type, but JavaScript sends it
      expect(await keys().update(key.id, { name: undefined, expiresAt: undefined }, NOW)).toEqual(key)
      expect(await keys().find(key.id)).toEqual(key)
      expect(await changesOf(opened.storage)).toEqual([])
    })

    test.each([
      { patch: { enabled: true }, what: 'a member' },
      { patch: { name: 'risen', expiresAt: null }, what: 'members that are searched for' },
      { patch: {}, what: 'nothing' },
    ])('of a revoked key and an unknown one $what is not written', async ({ patch }) => {
      const key = await insert({ enabled: false, expiresAt: NOW, revokedAt: NOW, revokedReason: 'leaked' })
      expect(await keys().update(key.id, patch, NOW)).toBeNull()
      expect(await keys().update('key_unknown', patch, NOW)).toBeNull()
      expect(await keys().find(key.id)).toEqual(key)
      expect(await found('risen')).toEqual([])
      expect(await changesOf(opened.storage)).toEqual([])
    })

    test.each([
      { patch: { enabled: false }, what: 'a member' },
      { patch: { name: 'Renamed' }, what: 'a name' },
    ])('$what whose change cannot be recorded is not written', async ({ patch }) => {
      const key = await insert()
      await expectAtomic(opened, () => keys().update(key.id, patch, NOW))
      expect(await keys().find(key.id)).toEqual(key)
      expect(await found('renamed')).toEqual([])
      expect(await found('deploy')).toEqual([key.id])
    })

    test('of 50 pairs of an update and a revocation none leaves a key that is not revoked', async () => {
      const made = await Promise.all(Array.from({ length: 50 }, () => insert({ enabled: false, expiresAt: NOW + 1 })))
      await Promise.all(
        made.flatMap(({ id }, index) => {
          const revoke = () => keys().revoke(id, { at: NOW, reason: 'leaked', by: 'user_1' })
          const update = () => keys().update(id, { name: 'risen', enabled: true, expiresAt: null }, NOW)
          return index % 2 === 0 ? [revoke(), update()] : [update(), revoke()]
        }),
      )
      for (const { id } of made) {
        expect(await keys().find(id)).toMatchObject({ revokedAt: NOW, revokedReason: 'leaked', revokedBy: 'user_1' })
      }
    })

    test.each<KeyPatch>([
      { permissions: ['*'] },
      { ipAllowlist: [] },
      { rateLimit: null },
      { monthlyQuota: null },
      { expiresAt: NOW + 5 },
      { enabled: false },
      { metadata: { other: 1 } },
    ])('of a key that has become %j since it was read is a conflict, and not written', async (patch) => {
      const key = await insert(FULL)
      const changed = await keys().update(key.id, patch, NOW)
      expect(await codeOf(keys().update(key.id, { name: 'late' }, NOW, key))).toBe('conflict')
      expect(await keys().find(key.id)).toEqual(changed)
      expect(await found('late')).toEqual([])
      expect(await changesOf(opened.storage)).toHaveLength(1)
      expect(await keys().update(key.id, { name: 'late' }, NOW, changed ?? key)).toMatchObject({ name: 'late' })
    })

    test('of a key that was only used, told of or hashed anew since it was read is written', async () => {
      const key = await insert({ ...FULL, creditsRefilledAt: NOW - 1000, expiryWarnedAt: null, pepper: 'old' })
      await keys().claimCredits(key.id, 1, NOW)
      await keys().claimExpiryWarnings(NOW, NOW + 1000, 10)
      await keys().rehash(key.id, 'old', 'hash', 'new', 'lookup')
      expect(await keys().update(key.id, { enabled: false }, NOW, key)).toMatchObject({ enabled: false, pepper: 'new' })
      expect(await keys().update('key_unknown', { enabled: false }, NOW, key)).toBeNull()
    })

    test('of 50 callers who have read the same key one writes', async () => {
      const key = await insert(FULL)
      const answers = await fiftyTimes((index) =>
        keys()
          .update(key.id, { monthlyQuota: index + 1 }, NOW, key)
          .catch(() => null),
      )
      const [written, ...more] = answers.filter((answer) => answer !== null)
      expect([more.length, await keys().find(key.id)]).toEqual([0, written ?? null])
    })

    test.each([
      { name: 'later', expiresAt: NOW + 1001, code: 'conflict' },
      { name: 'none', expiresAt: null, code: 'conflict' },
      { name: 'the same', expiresAt: NOW + 1000, code: null },
      { name: 'earlier', expiresAt: NOW + 1, code: null },
    ])('of a key that has a successor an expiry that is $name: $code', async ({ expiresAt, code }) => {
      const key = await insert(FULL)
      const { id } = await insert({ rotatedFrom: key.id })
      const updating = keys().update(key.id, { expiresAt, name: 'late' }, NOW)
      if (code !== null) expect(await updating.catch((error: MachineAuthError) => error.detail)).toContain(id)
      else expect(await updating).toMatchObject({ expiresAt, name: 'late' })
      const expected = code === null ? { ...key, expiresAt, name: 'late' } : key
      expect(await keys().find(key.id)).toEqual(expected)
      expect(await keys().update(id, { expiresAt: null }, NOW)).toMatchObject({ expiresAt: null })
    })

    test('different members given by 50 callers at once all take effect', async () => {
      const key = await insert(FULL)
      const patches: readonly KeyPatch[] = [
        { name: 'Alpha' },
        { description: 'omega' },
        { permissions: ['posts.view'] },
        { enabled: false },
        { metadata: null },
      ]
      await fiftyTimes((index) => keys().update(key.id, patches[index % patches.length] ?? {}, NOW))
      const expected: ApiKeyRecord = Object.assign({}, key, ...patches)
      expect(await keys().find(key.id)).toEqual(expected)
      expect(await found('alpha')).toEqual([key.id])
      expect(await found('omega')).toEqual([key.id])
      expect([await found('deploy'), await found('the first')]).toEqual([[], []])
      expect((await changesOf(opened.storage)).length).toBe(50)
    })

    test.each([
      { patch: { name: 'ÜBER name' }, finds: ['über', 'first'], loses: ['deploy'] },
      { patch: { description: 'ΣΊΣΥΦΟΣ' }, finds: ['deploy', 'σίσυφος'], loses: ['first'] },
      { patch: { description: null }, finds: ['deploy'], loses: ['first', 'null'] },
      { patch: { name: 'new', description: 'also' }, finds: ['new', 'also'], loses: ['deploy', 'first', 'newalso'] },
      { patch: { permissions: [] }, finds: ['deploy', 'first'], loses: [] },
    ])('after $patch.name $patch.description it is found by what it is called now', async ({ patch, finds, loses }) => {
      const key = await insert(FULL)
      await keys().update(key.id, patch, NOW)
      for (const q of finds) expect([q, await found(q)]).toEqual([q, [key.id]])
      for (const q of loses) expect([q, await found(q)]).toEqual([q, []])
    })
  })
}
