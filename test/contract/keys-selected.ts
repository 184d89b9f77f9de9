import { beforeEach, describe, expect, test } from 'bun:test'
import type { KeySelection } from '../../src/storage/ports/keys.ts'
import type { ApiKeyRecord } from '../../src/storage/records.ts'
import { aKey, anOrganization, aUser, NOW } from './fixtures.ts'
import { changesOf, codeOf, expectAtomic, fiftyTimes, type Open, type Opened } from './support.ts'

const REVOCATION = { at: NOW, reason: 'breach', by: 'user_boss' }
const OLD = NOW - 1000

/** Keys by name: organization, user and age, in all combinations that matter. */
const MADE: Readonly<Record<string, Partial<ApiKeyRecord>>> = {
  'a old': { organizationId: 'org_a', createdAt: OLD },
  'a new': { organizationId: 'org_a' },
  'a of u': { organizationId: 'org_a', userId: 'user_u' },
  'b of u old': { organizationId: 'org_b', userId: 'user_u', createdAt: OLD },
  'own of u': { userId: 'user_u' },
  'own of v old': { userId: 'user_v', createdAt: OLD },
  nobodys: {},
  'a disabled': { organizationId: 'org_a', enabled: false, createdAt: OLD },
  'a expired': { organizationId: 'org_a', expiresAt: 1, createdAt: OLD },
}
const GONE: Partial<ApiKeyRecord> = {
  ...{ name: 'a revoked', organizationId: 'org_a', userId: 'user_u', createdAt: OLD },
  ...{ revokedAt: OLD, revokedReason: 'leaked', revokedBy: 'user_1' },
}

const SELECTIONS: readonly (readonly [KeySelection, readonly string[]])[] = [
  [{ organizationId: 'org_a' }, ['a disabled', 'a expired', 'a new', 'a of u', 'a old']],
  [{ organizationId: null }, ['nobodys', 'own of u', 'own of v old']],
  [{ userId: 'user_u' }, ['a of u', 'b of u old', 'own of u']],
  [{ createdBefore: NOW }, ['a disabled', 'a expired', 'a old', 'b of u old', 'own of v old']],
  [{ createdBefore: OLD }, []],
  [{ organizationId: 'org_a', userId: 'user_u' }, ['a of u']],
  [{ organizationId: null, userId: 'user_u' }, ['own of u']],
  [{ organizationId: null, createdBefore: NOW }, ['own of v old']],
  [{ organizationId: 'org_a', createdBefore: NOW }, ['a disabled', 'a expired', 'a old']],
  [{ userId: 'user_u', createdBefore: NOW }, ['b of u old']],
  [{ organizationId: 'org_b', userId: 'user_u', createdBefore: OLD + 1 }, ['b of u old']],
  [{ organizationId: 'org_b', userId: 'user_v', createdBefore: NOW }, []],
  [{ organizationId: 'org_unknown' }, []],
  [{ userId: "' or '1'='1" }, []],
  [{}, Object.keys(MADE).sort()],
]

export function describeKeySelections(name: string, open: Open): void {
  describe(name, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    const keys = () => opened.storage.keys
    const insertAll = async (...records: ApiKeyRecord[]) => {
      for (const record of records) await keys().insert(record)
    }
    const insertMade = () => {
      const made = [...Object.entries(MADE).map(([key, given]) => aKey({ name: key, ...given })), aKey(GONE)]
      return insertAll(...made).then(() => made)
    }

    test.each([...SELECTIONS])('%j selects %j', async (selection, expected) => {
      const made = await insertMade()
      expect(await keys().countSelected(selection)).toBe(expected.length)
      expect(await changesOf(opened.storage)).toEqual([])
      const selected = made.filter(({ name }) => expected.includes(name))
      const revoked = await keys().revokeSelected(selection, REVOCATION)
      const whose = (some: typeof revoked) => some.map(({ id, organizationId }) => `${id} ${organizationId}`).sort()
      expect(whose(revoked)).toEqual(whose(selected))
      for (const key of made) {
        const isSelected = expected.includes(key.name)
        const end = isSelected ? { revokedAt: NOW, revokedReason: 'breach', revokedBy: 'user_boss' } : {}
        expect(await keys().find(key.id)).toEqual({ ...key, ...end })
      }
      expect(await changesOf(opened.storage)).toEqual(expected.length === 0 ? [] : ['key *'])
      expect(await keys().countSelected(selection)).toBe(0)
    })

    test('50 lockdowns at once revoke each key once', async () => {
      await insertMade()
      const counts = await fiftyTimes(() => keys().revokeSelected({ organizationId: 'org_a' }, REVOCATION))
      expect(counts.flat()).toHaveLength(5)
    })

    test('a lockdown whose change cannot be recorded does not happen', async () => {
      const made = await insertMade()
      await expectAtomic(opened, () => keys().revokeSelected({ organizationId: 'org_a' }, REVOCATION))
      for (const key of made) expect(await keys().find(key.id)).toEqual(key)
    })

    test('keys are found by the beginning of their id, taken literally', async () => {
      const ids = ['key_ab%cd', 'key_abXcd', 'key_ab_cd', 'key_abcd', 'key_ABCD', 'key_b', "key_'q", 'key_ab']
      await insertAll(...ids.map((id) => aKey({ id })))
      const cases: readonly (readonly [start: string, found: readonly string[]])[] = [
        ['key_abcd', ['key_abcd']],
        ['key_ab%', ['key_ab%cd']],
        ['key_ab_', ['key_ab_cd']],
        ['key_b', ['key_b']],
        ['%', []],
        ['_ey', []],
        ["key_'", ["key_'q"]],
        ['key_abcde', []],
        ['key_\u{1f511}', []],
        ['ab', []],
      ]
      for (const [start, found] of cases) {
        expect([start, (await keys().findByIdStart(start, 10)).map(({ id }) => id)]).toEqual([start, [...found]])
      }
    })

    test('of many that begin so the first by id are answered, at most as many as asked for', async () => {
      const made = ['c', 'a', 'e', 'b', 'd'].map((end) => aKey({ id: `key_0${end}`, revokedAt: NOW }))
      await insertAll(...made)
      const ids = async (limit: number) => (await keys().findByIdStart('key_0', limit)).map(({ id }) => id)
      expect(await ids(3)).toEqual(['key_0a', 'key_0b', 'key_0c'])
      expect(await ids(9)).toHaveLength(5)
      expect(await keys().findByIdStart('key_0e', 1)).toEqual([made[2] ?? aKey()])
    })

    test('a key of a foreign text is found by its lookup, with its owner', async () => {
      const organization = anOrganization()
      const user = aUser({ organizationId: organization.id })
      const [own, personal] = [aKey({ lookup: 'one' }), aKey({ lookup: 'two', userId: user.id })]
      await opened.storage.organizations.insert(organization)
      await opened.storage.users.insert(user)
      await insertAll(own, personal, aKey(), aKey())
      expect(await keys().findByLookup(['one'])).toEqual({ key: own, user: null, organization: null })
      expect(await keys().findByLookup(['zero', 'two'])).toEqual({ key: personal, user, organization })
      expect((await keys().findByLookup(['two', 'one']))?.key.id).toBe(personal.id)
      expect((await keys().findByLookup(['one', 'two']))?.key.id).toBe(own.id)
      for (const none of [[], [''], ['three'], ['null'], ['%']]) expect(await keys().findByLookup(none)).toBeNull()
    })

    test('a lookup twice is a conflict that names no value', async () => {
      await insertAll(aKey({ lookup: 'secret-lookup' }))
      expect(await codeOf(keys().insert(aKey({ lookup: 'secret-lookup' })))).toBe('conflict')
      const error: unknown = await keys()
        .insert(aKey({ lookup: 'secret-lookup' }))
        .catch((thrown: unknown) => thrown)
      expect(Bun.inspect(error)).not.toContain('secret-lookup')
    })

    test('the keys of each organization are counted, but for revoked ones', async () => {
      await insertMade()
      const counted = await keys().countByOrganization(['org_a', 'org_b', 'org_unknown'])
      expect([...counted].toSorted()).toEqual([
        ['org_a', 5],
        ['org_b', 1],
      ])
      expect([...(await keys().countByOrganization([]))]).toEqual([])
    })

    test('all keys are counted, and those that are usable at a moment', async () => {
      expect(await keys().count(NOW)).toEqual({ all: 0, active: 0 })
      const revoked = { revokedAt: NOW, revokedReason: null, revokedBy: 'user_1' }
      const given = [{}, { enabled: false }, { expiresAt: NOW }, { expiresAt: NOW + 1 }, revoked]
      for (const each of given) await keys().insert(aKey(each))
      expect(await keys().count(NOW)).toEqual({ all: 5, active: 2 })
      expect(await keys().count(NOW + 1)).toEqual({ all: 5, active: 1 })
    })
  })
}

export function describeExpiryWarnings(name: string, open: Open): void {
  describe(name, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    const keys = () => opened.storage.keys
    const UNTIL = NOW + 1000
    const insertAll = async (...records: ApiKeyRecord[]) => {
      for (const record of records) await keys().insert(record)
    }

    test('tells of usable keys that expire in time, and notes it', async () => {
      const due = [aKey({ expiresAt: NOW + 1 }), aKey({ expiresAt: UNTIL })]
      const others = [
        aKey(),
        aKey({ expiresAt: UNTIL + 1 }),
        aKey({ expiresAt: NOW }),
        aKey({ expiresAt: NOW + 1, enabled: false }),
        aKey({ expiresAt: NOW + 1, revokedAt: NOW }),
        aKey({ expiresAt: NOW + 1, expiryWarnedAt: 1 }),
      ]
      await insertAll(...due, ...others)
      const told = await keys().claimExpiryWarnings(NOW, UNTIL, 10)
      expect(told.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual(
        due.map((key) => ({ ...key, expiryWarnedAt: NOW })),
      )
      for (const key of due) expect((await keys().find(key.id))?.expiryWarnedAt).toBe(NOW)
      for (const key of others) expect(await keys().find(key.id)).toEqual(key)
      expect(await keys().claimExpiryWarnings(NOW + 1, UNTIL, 10)).toEqual([])
      expect(await changesOf(opened.storage)).toEqual([])
    })

    test('tells again of a key that was given another expiry', async () => {
      const key = aKey({ expiresAt: NOW + 1 })
      await insertAll(key)
      expect(await keys().claimExpiryWarnings(NOW, UNTIL, 10)).toHaveLength(1)
      await keys().update(key.id, { expiresAt: NOW + 2, expiryWarnedAt: null }, NOW)
      expect((await keys().claimExpiryWarnings(NOW, UNTIL, 10)).map(({ id }) => id)).toEqual([key.id])
      expect(await keys().claimExpiryWarnings(NOW, UNTIL, 10)).toEqual([])
    })

    test('the first to expire come first, as many as asked for', async () => {
      const made = [3, 1, 2].map((after) => aKey({ expiresAt: NOW + after }))
      await insertAll(...made)
      const told = await keys().claimExpiryWarnings(NOW, UNTIL, 2)
      expect(told.map(({ expiresAt }) => expiresAt).toSorted()).toEqual([NOW + 1, NOW + 2])
      expect((await keys().claimExpiryWarnings(NOW, UNTIL, 2)).map(({ id }) => id)).toEqual([made[0]?.id ?? ''])
    })

    test('50 callers at once are told of each key once', async () => {
      await insertAll(...Array.from({ length: 20 }, (_, index) => aKey({ expiresAt: NOW + 1 + index })))
      const told = (await fiftyTimes(() => keys().claimExpiryWarnings(NOW, UNTIL, 3))).flat().map(({ id }) => id)
      expect(new Set(told).size).toBe(told.length)
      let left = await keys().claimExpiryWarnings(NOW, UNTIL, 100)
      expect(told.length + left.length).toBe(20)
      left = await keys().claimExpiryWarnings(NOW, UNTIL, 100)
      expect(left).toEqual([])
    })
  })
}
