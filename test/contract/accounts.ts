import { beforeEach, describe, expect, test } from 'bun:test'
import { MachineAuthError } from '../../src/errors.ts'
import type { BearerTokenRecord, OrganizationRecord } from '../../src/storage/records.ts'
import { aKey, anOrganization, aToken, aUser, NOW } from './fixtures.ts'
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

export function describeOrganizationStore(name: string, open: Open): void {
  describe(name, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    const organizations = () => opened.storage.organizations

    test('finds an organization by id and by name', async () => {
      const organization = anOrganization({ name: "O'Brien & Søn" })
      await organizations().insert(organization)
      expect(await organizations().find(organization.id)).toEqual(organization)
      expect(await organizations().findByName("O'Brien & Søn")).toEqual(organization)
      expect(await organizations().find('org_unknown')).toBeNull()
      expect(await organizations().findByName('unknown')).toBeNull()
    })

    test('counts all, suspended ones too', async () => {
      expect(await organizations().count()).toBe(0)
      await organizations().insert(anOrganization())
      await organizations().insert(anOrganization({ status: 'suspended' }))
      expect(await organizations().count()).toBe(2)
    })

    test('one of 50 inserts of a name wins, the others are a conflict that names the field', async () => {
      const outcomes = await fiftyTimes(() =>
        organizations()
          .insert(anOrganization({ name: 'Acme' }))
          .then(
            () => null,
            (error: unknown) => error,
          ),
      )
      const errors = outcomes.filter((outcome) => outcome !== null)
      expect(errors).toHaveLength(49)
      for (const error of errors) {
        if (!(error instanceof MachineAuthError)) throw error
        expect([error.code, error.extras.errors?.[0]?.path]).toEqual(['conflict', 'name'])
        expect(error.detail).toContain('name')
        expect(error.detail).not.toMatch(/Acme|insert|machine_auth/i)
      }
    })

    test('lists newest first, page by page, and refuses hostile cursors', async () => {
      const ids: string[] = []
      for (let index = 0; index < 5; index++) {
        const organization = anOrganization({ createdAt: NOW + Math.floor(index / 2) })
        await organizations().insert(organization)
        ids.unshift(organization.id)
      }
      const read = await readAll((page) => organizations().list({}, page), 2)
      expect(read.map(({ id }) => id)).toEqual(ids)
      for (const { cursor } of HOSTILE_CURSORS) {
        expect(await codeOf(organizations().list({}, { limit: 2, cursor }))).toBe('validation_failed')
      }
    })

    test('changing the status answers the new row and records a change', async () => {
      const organization = anOrganization()
      await organizations().insert(organization)
      const suspended = { ...organization, status: 'suspended' as const }
      expect(await organizations().update(organization.id, { status: 'suspended' }, NOW)).toEqual(suspended)
      expect(await organizations().find(organization.id)).toEqual(suspended)
      expect(await organizations().update('org_unknown', { status: 'suspended' }, NOW)).toBeNull()
      expect(await changesOf(opened.storage)).toEqual([`organization ${organization.id}`])
    })

    test('a suspension whose change cannot be recorded does not happen', async () => {
      const organization = anOrganization()
      await organizations().insert(organization)
      await expectAtomic(opened, () => organizations().update(organization.id, { status: 'suspended' }, NOW))
      expect(await organizations().find(organization.id)).toEqual(organization)
    })

    const limited = {
      ...{ rateLimit: { limit: 100, window: '1m' }, monthlyQuota: 5000 },
      ...{ maxPermissions: ['posts.*'], maxKeyLifetime: 90 * 86_400_000 },
    }
    test.each([
      { name: 'the rate limit', limits: { rateLimit: { limit: 5, window: '1s' } } },
      { name: 'the quota', limits: { monthlyQuota: 2 ** 40 } },
      { name: 'both', limits: { rateLimit: { limit: 5, window: '1s' }, monthlyQuota: 0 } },
      { name: 'no rate limit any more', limits: { rateLimit: null } },
      { name: 'no quota any more', limits: { monthlyQuota: null } },
      { name: 'the name', limits: { name: "O'Brien's" } },
      { name: 'what its keys may have', limits: { maxPermissions: ['users.*', 'posts.view'] } },
      { name: 'that its keys may have nothing', limits: { maxPermissions: [] } },
      { name: 'how long its keys live', limits: { maxKeyLifetime: 2 ** 41 } },
      { name: 'no bound of permissions any more', limits: { maxPermissions: null } },
      { name: 'no bound of life any more', limits: { maxKeyLifetime: null } },
    ])('setting $name writes only that, answers the new row and records a change', async ({ limits }) => {
      const organization = anOrganization(limited)
      const other = anOrganization(limited)
      for (const one of [organization, other]) await organizations().insert(one)
      const expected = { ...organization, ...limits }
      expect(await organizations().update(organization.id, limits, NOW)).toEqual(expected)
      expect(await organizations().find(organization.id)).toEqual(expected)
      expect(await organizations().find(other.id)).toEqual(other)
      expect(await changesOf(opened.storage)).toEqual([`organization ${organization.id}`])
    })

    test('setting no limit, or one of an unknown organization, writes and records nothing', async () => {
      const organization = anOrganization(limited)
      await organizations().insert(organization)
      // @ts-expect-error an explicit undefined is not in the type, but JavaScript sends it
      expect(await organizations().update(organization.id, { monthlyQuota: undefined }, NOW)).toEqual(organization)
      expect(await organizations().update(organization.id, {}, NOW)).toEqual(organization)
      expect(await organizations().update('org_unknown', {}, NOW)).toBeNull()
      expect(await organizations().update('org_unknown', { monthlyQuota: 1 }, NOW)).toBeNull()
      expect(await organizations().find(organization.id)).toEqual(organization)
      expect(await changesOf(opened.storage)).toEqual([])
    })

    test('different limits set by 50 callers at once both take effect', async () => {
      const organization = anOrganization()
      await organizations().insert(organization)
      const patches = Object.entries(limited).map(([member, value]) => ({ [member]: value }))
      await fiftyTimes((index) => organizations().update(organization.id, patches[index % patches.length] ?? {}, NOW))
      expect(await organizations().find(organization.id)).toEqual({ ...organization, ...limited })
    })

    test('one of 50 renames to a name wins, the others are a conflict', async () => {
      const made = Array.from({ length: 50 }, () => anOrganization())
      for (const each of made) await organizations().insert(each)
      const codes = await fiftyTimes((index) =>
        codeOf(organizations().update(made[index]?.id ?? '', { name: 'Acme' }, NOW)),
      )
      expect(codes.filter((code) => code === 'conflict')).toHaveLength(49)
      const winner = made[codes.indexOf('none')]
      expect((await organizations().findByName('Acme'))?.id).toBe(winner?.id ?? '')
      expect(await changesOf(opened.storage)).toEqual([`organization ${winner?.id}`])
    })

    const sorts = [
      { sort: 'name', order: 'asc' },
      { sort: 'name', order: 'desc' },
      { sort: 'createdAt', order: 'asc' },
      { sort: 'createdAt', order: 'desc' },
    ] as const

    test.each([...sorts])('sorts by $sort, $order, page by page', async ({ sort, order }) => {
      const made = [3, 1, 4, 0, 2].map((rank) => anOrganization({ name: `n${rank}`, createdAt: NOW + (rank >> 1) }))
      for (const each of made) await organizations().insert(each)
      const rank = (each: { id: string; name: string; createdAt: number }) => `${each[sort]} ${each.id}`
      const ascending = made.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1)).map(({ name }) => name)
      const read = await readAll((page) => organizations().list({ sort, order }, page), 2)
      expect(read.map(({ name }) => name)).toEqual(order === 'asc' ? ascending : ascending.toReversed())
    })

    test.each([...sorts])('pages by $sort, $order, stay stable while others are added', async ({ sort, order }) => {
      // Upper and lower case, and what languages sort apart: the database's own order, whatever it is.
      const names = ['a', 'B', 'c', 'Ä', 'z', 'É', '_', '9', 'ß']
      const before = names.map((name, index) => anOrganization({ name, createdAt: NOW + (index % 2) }))
      for (const each of before) await organizations().insert(each)
      let added = 0
      const read = await readAll(
        (page) => organizations().list({ sort, order }, page),
        2,
        async () => {
          for (const name of ['A', 'zz']) {
            await organizations().insert(anOrganization({ name: `${name} ${++added}`, createdAt: NOW + (added % 3) }))
          }
        },
      )
      const ids = read.map(({ id }) => id)
      expect(new Set(ids).size).toBe(ids.length)
      const known = new Set(before.map(({ id }) => id))
      expect(ids.filter((id) => known.has(id))).toHaveLength(names.length)
    })

    test('refuses a cursor of another sort or order', async () => {
      for (let index = 0; index < 2; index++) await organizations().insert(anOrganization())
      for (const given of sorts) {
        const { nextCursor } = await organizations().list(given, { limit: 1 })
        for (const other of sorts) {
          const page = organizations().list(other, { limit: 1, cursor: nextCursor ?? '' })
          expect(await codeOf(page)).toBe(other === given ? 'none' : 'validation_failed')
        }
      }
    })

    describe('a bound on lives', () => {
      const LIFE = 1000
      /** By what it ends without a bound of `LIFE`, and within it. */
      const cases = [
        { name: 'never', expiresAt: null, end: NOW + LIFE },
        { name: 'later', expiresAt: NOW + LIFE + 1, end: NOW + LIFE },
        { name: 'as late', expiresAt: NOW + LIFE, end: NOW + LIFE },
        { name: 'earlier', expiresAt: NOW + LIFE - 1, end: NOW + LIFE - 1 },
      ]
      const insert = async (given: Partial<OrganizationRecord> = {}) => {
        const organization = anOrganization(given)
        await organizations().insert(organization)
        return organization.id
      }
      const addBoth = async (given: Pick<BearerTokenRecord, 'organizationId'> & Partial<BearerTokenRecord>) => {
        const [key, token] = [aKey({ ...given, expiryWarnedAt: NOW }), aToken(given)]
        await opened.storage.keys.insert(key)
        await opened.storage.bearerTokens.insert(token)
        return { key, token }
      }
      const found = async ({ key, token }: Awaited<ReturnType<typeof addBoth>>) => ({
        key: await opened.storage.keys.find(key.id),
        token: (await opened.storage.bearerTokens.findWithOwner(token.id))?.token,
      })

      test.each(cases)('ends keys and tokens that end $name, counted from their making', async ({ expiresAt, end }) => {
        const organizationId = await insert()
        const both = await addBoth({ organizationId, expiresAt })
        const older = await addBoth({ organizationId, expiresAt, createdAt: NOW - 2 * LIFE })
        await organizations().update(organizationId, { maxKeyLifetime: LIFE }, NOW)
        const expiryWarnedAt = end === expiresAt ? NOW : null
        expect(await found(both)).toEqual({
          key: { ...both.key, expiresAt: end, expiryWarnedAt },
          token: { ...both.token, expiresAt: end },
        })
        expect(await found(older)).toMatchObject({ key: { expiresAt: NOW - LIFE }, token: { expiresAt: NOW - LIFE } })
        expect(await changesOf(opened.storage)).toEqual([`organization ${organizationId}`])
      })

      test("leaves what is revoked, of none or another's, and every other member", async () => {
        const [organizationId, other] = [await insert(), await insert({ maxKeyLifetime: LIFE })]
        const left = [
          await addBoth({ organizationId, expiresAt: null, revokedAt: NOW }),
          await addBoth({ organizationId: other, expiresAt: null }),
          await addBoth({ organizationId: null, expiresAt: null }),
        ]
        await organizations().update(organizationId, { maxKeyLifetime: LIFE, name: 'Bound' }, NOW)
        for (const each of left) expect(await found(each)).toEqual(each)
      })

      test('that is raised or taken away, and a change of others, lengthens and shortens nothing', async () => {
        const organizationId = await insert({ maxKeyLifetime: LIFE })
        const both = await addBoth({ organizationId, expiresAt: NOW + LIFE })
        for (const patch of [{ maxKeyLifetime: 2 ** 41 }, { maxKeyLifetime: null }, { name: 'Renamed' }]) {
          await organizations().update(organizationId, patch, NOW)
          expect(await found(both)).toEqual(both)
        }
        await organizations().update('org_unknown', { maxKeyLifetime: 1 }, NOW)
        expect(await found(both)).toEqual(both)
      })

      test('whose change cannot be recorded ends nothing', async () => {
        const organizationId = await insert()
        const both = await addBoth({ organizationId, expiresAt: null })
        await expectAtomic(opened, () => organizations().update(organizationId, { maxKeyLifetime: LIFE }, NOW))
        expect(await found(both)).toEqual(both)
      })
    })

    test('a limit whose change cannot be recorded is not set', async () => {
      const organization = anOrganization()
      await organizations().insert(organization)
      await expectAtomic(opened, () => organizations().update(organization.id, limited, NOW))
      expect(await organizations().find(organization.id)).toEqual(organization)
    })
  })
}

export function describeUserStore(name: string, open: Open): void {
  describe(name, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    const users = () => opened.storage.users

    test('finds a user by id and e-mail, and with the organization', async () => {
      const organization = anOrganization()
      const user = aUser({ organizationId: organization.id, roles: ['admin', 'moderator'] })
      const lonely = aUser({ organizationId: 'org_unknown', roles: [], passwordHash: null })
      await opened.storage.organizations.insert(organization)
      await users().insert(user)
      await users().insert(lonely)
      expect(await users().find(user.id)).toEqual(user)
      expect(await users().findByEmail(user.email)).toEqual(user)
      expect(await users().findWithOrganization(user.id)).toEqual({ user, organization })
      expect(await users().findWithOrganization(lonely.id)).toEqual({ user: lonely, organization: null })
      expect(await users().find('user_unknown')).toBeNull()
      expect(await users().findByEmail('nobody@example.com')).toBeNull()
      expect(await users().findWithOrganization('user_unknown')).toBeNull()
    })

    test('an e-mail that is taken is a conflict, inserted or updated, without the address', async () => {
      const user = aUser()
      const other = aUser()
      await users().insert(user)
      await users().insert(other)
      const attempts = [
        () => users().insert(aUser({ email: user.email })),
        () => users().update(other.id, { email: user.email }, NOW),
      ]
      for (const attempt of attempts) {
        const error = await attempt().then(
          () => null,
          (thrown: unknown) => thrown,
        )
        if (!(error instanceof MachineAuthError)) throw error
        expect([error.code, error.extras.errors?.[0]?.path]).toEqual(['conflict', 'email'])
        expect(JSON.stringify(error.toProblem())).not.toContain(user.email)
        expect(Bun.inspect(error)).not.toContain(user.email)
      }
      expect(await users().find(other.id)).toEqual(other)
    })

    test('lists newest first, of one organization or all', async () => {
      const ids: string[] = []
      for (let index = 0; index < 4; index++) {
        const user = aUser({ organizationId: index % 2 === 0 ? 'org_a' : 'org_b' })
        await users().insert(user)
        ids.unshift(user.id)
      }
      expect((await readAll((page) => users().list({}, page), 3)).map(({ id }) => id)).toEqual(ids)
      const ofA = await readAll((page) => users().list({ organizationId: 'org_a' }, page), 1)
      expect(ofA.map(({ organizationId }) => organizationId)).toEqual(['org_a', 'org_a'])
    })

    test.each([
      { sort: 'email', order: 'asc' },
      { sort: 'email', order: 'desc' },
      { sort: 'createdAt', order: 'asc' },
      { sort: 'createdAt', order: 'desc' },
    ] as const)('sorts by $sort, $order, also within an organization and while others are added', async (given) => {
      const { sort, order } = given
      const made = [3, 1, 4, 0, 2].map((rank) =>
        aUser({
          email: `u${rank}@example.com`,
          createdAt: NOW + (rank >> 1),
          organizationId: rank < 3 ? 'org_a' : null,
        }),
      )
      for (const each of made) await users().insert(each)
      const rank = (each: { id: string; email: string; createdAt: number }) => `${each[sort]} ${each.id}`
      const ascending = made.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1))
      const expected = order === 'asc' ? ascending : ascending.toReversed()
      const inA = (all: typeof made) => all.filter(({ organizationId }) => organizationId === 'org_a')
      expect(await readAll((page) => users().list(given, page), 2)).toEqual(expected)
      expect(await readAll((page) => users().list({ ...given, organizationId: 'org_a' }, page), 1)).toEqual(
        inA(expected),
      )
      const read = await readAll(
        (page) => users().list(given, page),
        2,
        () => users().insert(aUser({ createdAt: NOW + 1 })),
      )
      expect(read.filter(({ email }) => /^u\d@/.test(email))).toEqual(expected)
      expect(new Set(read.map(({ id }) => id)).size).toBe(read.length)
    })

    test('writes only the given members, and records a change', async () => {
      const user = aUser()
      await users().insert(user)
      const patch = { status: 'disabled' as const, tokensNotBefore: NOW, roles: ['a', 'b'], email: undefined }
      // @ts-expect-error an explicit undefined is not in the type, but JavaScript sends it
      const updated = await users().update(user.id, patch, NOW)
      expect(updated).toEqual({ ...user, status: 'disabled', tokensNotBefore: NOW, roles: ['a', 'b'] })
      expect(await users().find(user.id)).toEqual(updated)
      expect(await users().update(user.id, { passwordHash: null, organizationId: 'org_x' }, NOW)).toEqual({
        ...user,
        ...{ status: 'disabled', tokensNotBefore: NOW, roles: ['a', 'b'], passwordHash: null, organizationId: 'org_x' },
      })
      expect(await users().update('user_unknown', { roles: [] }, NOW)).toBeNull()
      expect(await changesOf(opened.storage)).toEqual([`user ${user.id}`, `user ${user.id}`])
    })

    test('an empty patch answers the user and records nothing', async () => {
      const user = aUser()
      await users().insert(user)
      expect(await users().update(user.id, {}, NOW)).toEqual(user)
      expect(await changesOf(opened.storage)).toEqual([])
    })

    const judged = { roles: ['user', 'editor'], organizationId: 'org_a', status: 'active' } as const
    test.each([
      { name: 'more roles', changed: { roles: ['user', 'editor', 'admin'] } },
      { name: 'roles in another order', changed: { roles: ['editor', 'user'] } },
      { name: 'no roles', changed: { roles: [] } },
      { name: 'another organization', changed: { organizationId: 'org_b' } },
      { name: 'no organization', changed: { organizationId: null } },
      { name: 'another status', changed: { status: 'disabled' } },
    ] as const)('who has $name by now is not written, and no change is recorded', async ({ changed }) => {
      const user = aUser({ ...judged, ...changed })
      await users().insert(user)
      expect(await users().update(user.id, { email: 'new@example.com' }, NOW, judged)).toBeNull()
      expect(await users().find(user.id)).toEqual(user)
      expect(await changesOf(opened.storage)).toEqual([])
    })

    test.each(['org_a', null])('who is as expected, in the organization %p, is written', async (organizationId) => {
      const state = { ...judged, organizationId }
      const user = aUser(state)
      await users().insert(user)
      const expected = { ...user, roles: ['admin'] }
      expect(await users().update(user.id, { roles: ['admin'] }, NOW, state)).toEqual(expected)
      expect(await users().find(user.id)).toEqual(expected)
      expect(await users().update('user_unknown', { roles: ['admin'] }, NOW, state)).toBeNull()
      expect(await changesOf(opened.storage)).toEqual([`user ${user.id}`])
    })

    test('one of 50 callers who expect what they change wins', async () => {
      const user = aUser(judged)
      await users().insert(user)
      const written = await fiftyTimes((index) => users().update(user.id, { roles: [`r${index}`] }, NOW, judged))
      const [winner, ...others] = written.filter((each) => each !== null)
      expect(others).toEqual([])
      expect(await users().find(user.id)).toEqual(winner ?? null)
    })

    test('an update whose change cannot be recorded does not happen', async () => {
      const user = aUser()
      await users().insert(user)
      await expectAtomic(opened, () => users().update(user.id, { status: 'disabled' }, NOW))
      expect(await users().find(user.id)).toEqual(user)
    })

    test('an upgraded password hash does not undo a change of password', async () => {
      const user = aUser()
      await users().insert(user)
      expect(await users().upgradePasswordHash(user.id, '$argon2id$other', 'late')).toBeFalse()
      expect(await users().upgradePasswordHash(user.id, '$argon2id$old', '$argon2id$new')).toBeTrue()
      expect(await users().find(user.id)).toEqual({ ...user, passwordHash: '$argon2id$new' })
    })
  })
}
