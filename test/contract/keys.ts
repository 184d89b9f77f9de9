import { beforeEach, describe, expect, test } from 'bun:test'
import { MachineAuthError } from '../../src/errors.ts'
import { keyStatus } from '../../src/storage/key-status.ts'
import type { KeyFilter, KeyStatus } from '../../src/storage/ports/keys.ts'
import type { ApiKeyRecord } from '../../src/storage/records.ts'
import { aKey, anOrganization, aUser, NOW } from './fixtures.ts'
import {
  changesOf,
  codeOf,
  expectAtomic,
  fiftyTimes,
  HOSTILE_CURSORS,
  type Open,
  type Opened,
  readAll,
} from './support.ts'

export function describeKeyStore(name: string, open: Open): void {
  describe(name, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    const keys = () => opened.storage.keys
    const insertAll = async (...records: ApiKeyRecord[]) => {
      for (const record of records) await keys().insert(record)
    }
    const names = async (filter: KeyFilter) =>
      (await keys().list(filter, { limit: 100 }, NOW)).items.map((key) => key.name)

    test('answers a key as it was inserted', async () => {
      const full = aKey({
        ...{ description: 'd', expiresAt: NOW, lastUsedAt: NOW, rotatedFrom: 'key_0' },
        ...{ credits: 0, creditsRefillAmount: 2 ** 40, creditsRefillEvery: 2 ** 41, creditsRefilledAt: NOW },
      })
      const bare = aKey({ permissions: [], ipAllowlist: [], rateLimit: null, monthlyQuota: null, metadata: null })
      await insertAll(full, bare)
      expect(await keys().find(full.id)).toEqual(full)
      expect(await keys().find(bare.id)).toEqual(bare)
      expect(await keys().find('key_unknown')).toBeNull()
    })

    test('answers many keys at once, each once, without those that there are not', async () => {
      const records = Array.from({ length: 3 }, (_, index) => aKey({ revokedAt: index === 0 ? NOW : null }))
      await insertAll(...records)
      const [first, second] = records.map(({ id }) => id)
      const unknown = Array.from({ length: 1000 }, (_, index) => `key_unknown_${index}`)
      const found = await keys().findMany([`${second}`, ...unknown, `${first}`, `${first}`])
      expect(found.toSorted((one, other) => (one.id < other.id ? -1 : 1))).toEqual(
        records.slice(0, 2).toSorted((one, other) => (one.id < other.id ? -1 : 1)),
      )
      expect(await keys().findMany([])).toEqual([])
    })

    test('refuses an id twice as an internal error that names no value', async () => {
      const key = aKey()
      await keys().insert(key)
      expect(await codeOf(keys().insert(key))).toBe('internal_error')
    })

    test('reads a key with its user and organization', async () => {
      const organization = anOrganization()
      const user = aUser()
      const key = aKey({ userId: user.id, organizationId: organization.id })
      await opened.storage.organizations.insert(organization)
      await opened.storage.users.insert(user)
      await insertAll(key)
      expect(await keys().findWithOwner(key.id)).toEqual({ key, user, organization })
      expect(await keys().findWithOwner('key_unknown')).toBeNull()
    })

    test('reads a key whose owners are unknown here, and one of its user’s organization', async () => {
      const organization = anOrganization()
      const user = aUser({ organizationId: organization.id })
      const foreign = aKey({ userId: 'user_of_the_app', organizationId: 'org_of_the_app' })
      const personal = aKey({ userId: user.id })
      await opened.storage.organizations.insert(organization)
      await opened.storage.users.insert(user)
      await insertAll(foreign, personal)
      expect(await keys().findWithOwner(foreign.id)).toEqual({ key: foreign, user: null, organization: null })
      expect(await keys().findWithOwner(personal.id)).toEqual({ key: personal, user, organization })
    })

    test('filters by organization, user, environment and each status', async () => {
      await insertAll(
        aKey({ name: 'active', organizationId: 'org_a', userId: 'user_a' }),
        aKey({ name: 'expires next', expiresAt: NOW + 1, environment: 'test' }),
        aKey({ name: 'disabled', enabled: false }),
        aKey({ name: 'expired', expiresAt: NOW }),
        aKey({ name: 'disabled and expired', enabled: false, expiresAt: NOW - 1 }),
        aKey({ name: 'revoked', revokedAt: NOW, enabled: false, expiresAt: NOW - 1 }),
      )
      expect(await names({ organizationId: 'org_a' })).toEqual(['active'])
      expect(await names({ userId: 'user_a' })).toEqual(['active'])
      expect(await names({ environment: 'test' })).toEqual(['expires next'])
      expect(await names({ environment: 'test', organizationId: 'org_a' })).toEqual([])
      const all = (await keys().list({}, { limit: 100 }, NOW)).items
      expect(all).toHaveLength(6)
      const statuses: KeyStatus[] = ['active', 'disabled', 'revoked', 'expired']
      for (const status of statuses) {
        const expected = all.filter((key) => keyStatus(key, NOW) === status).map((key) => key.name)
        expect(await names({ status })).toEqual(expected)
        expect(expected).not.toBeEmpty()
      }
    })

    test('looks for q literally, in name and description, in any case and script', async () => {
      await insertAll(
        aKey({ name: '100% sure' }),
        aKey({ name: '1000 sure', description: 'snake_case' }),
        aKey({ name: 'snakeXcase', description: "it's back\\slash" }),
        aKey({ name: 'ÜBER', description: 'ΣΊΣΥΦΟΣ' }),
      )
      const cases: readonly (readonly [q: string, found: readonly string[]])[] = [
        ['100%', ['100% sure']],
        ['%', ['100% sure']],
        ['SURE', ['1000 sure', '100% sure']],
        ['snake_case', ['1000 sure']],
        ['_', ['1000 sure']],
        ["'", ['snakeXcase']],
        ["' or '1'='1", []],
        ['back\\s', ['snakeXcase']],
        ['über', ['ÜBER']],
        ['σίσυφος', ['ÜBER']],
        ['sure\u001f', ['1000 sure', '100% sure']],
        ['suresnake', []],
        ['', ['ÜBER', 'snakeXcase', '1000 sure', '100% sure']],
      ]
      for (const [q, found] of cases) expect([q, await names({ q, sort: 'name' })]).toEqual([q, [...found]])
    })

    test('sorts by each member in both orders, page by page', async () => {
      const records = Array.from({ length: 7 }, (_, index) =>
        aKey({
          name: `name ${(index * 5) % 7}`,
          // Ties, so that the id has to decide.
          createdAt: NOW + Math.floor(index / 3),
          lastUsedAt: index % 3 === 0 ? null : NOW + (index % 3),
        }),
      )
      await insertAll(...records)
      const sorts = {
        createdAt: (key: ApiKeyRecord) => key.createdAt,
        name: (key: ApiKeyRecord) => key.name,
        lastUsedAt: (key: ApiKeyRecord) => key.lastUsedAt ?? 0,
      }
      for (const [sort, sortValue] of Object.entries(sorts) as ['name', (key: ApiKeyRecord) => string][]) {
        const ascending = records
          .toSorted((a, b) => (a.id < b.id ? -1 : 1))
          .toSorted((a, b) => (sortValue(a) < sortValue(b) ? -1 : sortValue(a) > sortValue(b) ? 1 : 0))
          .map(({ id }) => id)
        for (const [order, expected] of [
          ['asc', ascending],
          ['desc', ascending.toReversed()],
        ] as const) {
          const read = await readAll((page) => keys().list({ sort, order }, page, NOW), 2)
          expect(read.map(({ id }) => id)).toEqual(expected)
        }
      }
    })

    test('pages stay stable while keys are added', async () => {
      const before = Array.from({ length: 9 }, (_, index) => aKey({ createdAt: NOW + (index % 2) }))
      await insertAll(...before)
      const known = new Set(before.map(({ id }) => id))
      const read = await readAll(
        (page) => keys().list({}, page, NOW),
        2,
        () => insertAll(aKey({ createdAt: NOW }), aKey({ createdAt: NOW + 5 })),
      )
      const ids = read.map(({ id }) => id)
      expect(new Set(ids).size).toBe(ids.length)
      expect(ids.filter((id) => known.has(id))).toHaveLength(9)
    })

    test.each([...HOSTILE_CURSORS])('refuses a cursor that is $name', async ({ cursor }) => {
      await insertAll(aKey(), aKey())
      const error = await keys()
        .list({}, { limit: 1, cursor }, NOW)
        .then(
          () => null,
          (thrown: unknown) => thrown,
        )
      expect(error).toBeInstanceOf(MachineAuthError)
      if (!(error instanceof MachineAuthError)) return
      expect([error.code, error.extras.errors?.map(({ path }) => path)]).toEqual(['validation_failed', ['cursor']])
    })

    test('one of 50 revocations wins and records one change', async () => {
      const key = aKey()
      await insertAll(key)
      const answers = await fiftyTimes((index) =>
        keys().revoke(key.id, { at: NOW + index, reason: 'leaked', by: `user_${index}` }),
      )
      const [winner, ...others] = answers.filter((answer) => answer !== null)
      expect(others).toEqual([])
      expect(winner).toEqual({
        ...key,
        revokedAt: winner?.revokedAt ?? 0,
        revokedReason: 'leaked',
        revokedBy: winner?.revokedBy ?? '',
      })
      expect(await keys().find(key.id)).toEqual(winner ?? null)
      expect(await changesOf(opened.storage)).toEqual([`key ${key.id}`])
    })

    test('revoking an unknown key answers null and records nothing', async () => {
      expect(await keys().revoke('key_unknown', { at: NOW, reason: null, by: 'system' })).toBeNull()
      expect(await changesOf(opened.storage)).toEqual([])
    })

    test('a revocation whose change cannot be recorded does not happen', async () => {
      const key = aKey()
      await insertAll(key)
      await expectAtomic(opened, () => keys().revoke(key.id, { at: NOW, reason: null, by: 'system' }))
      expect(await keys().find(key.id)).toEqual(key)
    })

    test('rehash replaces the hash only under the pepper it was made with', async () => {
      const key = aKey()
      await insertAll(key)
      expect(await keys().rehash(key.id, 'pepper-0', 'wrong', 'pepper-2')).toBeFalse()
      expect(await keys().find(key.id)).toEqual(key)
      const won = await fiftyTimes((index) => keys().rehash(key.id, 'pepper-1', `hash-${index}`, 'pepper-2'))
      expect(won.filter(Boolean)).toHaveLength(1)
      const hash = `hash-${won.indexOf(true)}`
      expect(await keys().find(key.id)).toEqual({ ...key, hash, pepper: 'pepper-2' })
    })

    test('rehash changes what a foreign text is found by together with the hash, or neither', async () => {
      const key = aKey({ pepper: 'import:sha256', lookup: 'sha256:a' })
      const other = aKey({ lookup: 'hmac:taken' })
      await insertAll(key, other)
      expect(await keys().rehash(key.id, 'pepper-1', 'h', 'pepper-2', 'hmac:h')).toBeFalse()
      expect(await codeOf(keys().rehash(key.id, 'import:sha256', 'h', 'pepper-2', 'hmac:taken'))).toBe('conflict')
      expect(await keys().find(key.id)).toEqual(key)
      const won = await fiftyTimes((at) => keys().rehash(key.id, 'import:sha256', `h${at}`, 'pepper-2', `hmac:h${at}`))
      const hash = `h${won.indexOf(true)}`
      expect(won.filter(Boolean)).toHaveLength(1)
      expect(await keys().find(key.id)).toEqual({ ...key, hash, pepper: 'pepper-2', lookup: `hmac:${hash}` })
    })

    test('of several that a foreign text is found by, the first of the list is answered', async () => {
      const all = [aKey({ lookup: 'hmac:a' }), aKey({ lookup: 'sha256:a' }), aKey({ lookup: 'sha256:b' }), aKey()]
      await insertAll(...all)
      const idOf = async (...lookups: string[]) => (await keys().findByLookup(lookups))?.key.id
      expect(await idOf('sha256:a', 'hmac:a')).toBe(all[1]?.id)
      expect(await idOf('hmac:a', 'sha256:a', 'sha256:b')).toBe(all[0]?.id)
      expect(await idOf('sha256:none', 'sha256:b')).toBe(all[2]?.id)
      expect([await idOf('sha256:none'), await idOf(''), await idOf()]).toEqual([undefined, undefined, undefined])
    })

    test('answers the peppers of usable keys of foreign texts, each once', async () => {
      expect(await keys().foreignPeppers()).toEqual([])
      await insertAll(
        aKey({ pepper: 'own' }),
        aKey({ pepper: 'import:sha256', lookup: 'sha256:a' }),
        aKey({ pepper: 'import:sha256', lookup: 'sha256:b' }),
        aKey({ pepper: 'adopted', lookup: 'hmac:c', enabled: false }),
        aKey({ pepper: 'revoked', lookup: 'hmac:d', revokedAt: NOW }),
        aKey({ pepper: 'expired', lookup: 'hmac:e', expiresAt: 1 }),
      )
      expect([...(await keys().foreignPeppers())].sort()).toEqual(['adopted', 'import:sha256'])
    })

    test('counts usable keys of unknown peppers', async () => {
      await insertAll(
        aKey({ pepper: 'old' }),
        aKey({ pepper: 'old', enabled: false }),
        aKey({ pepper: 'older', expiresAt: Date.now() + 1e9 }),
        aKey({ pepper: 'old', revokedAt: NOW }),
        aKey({ pepper: 'old', expiresAt: 1 }),
        aKey({ pepper: 'new' }),
        aKey({ pepper: 'import:sha256', lookup: 'sha256:a' }),
      )
      expect(await keys().countUnknownPeppers(['new'])).toBe(3)
      expect(await keys().countUnknownPeppers(['new', 'old'])).toBe(1)
      expect(await keys().countUnknownPeppers([])).toBe(4)
    })
  })
}
