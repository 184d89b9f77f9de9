import { beforeEach, describe, expect, test } from 'bun:test'
import { aFamily, anOrganization, aSigningKey, aToken, aUser, NOW } from './fixtures.ts'
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

export function describeSigningKeyStore(name: string, open: Open): void {
  describe(name, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    const signingKeys = () => opened.storage.signingKeys

    test('50 candidates make one key, and all receive it', async () => {
      const current = await fiftyTimes(() => signingKeys().ensureCurrent(aSigningKey()))
      expect(new Set(current.map(({ kid }) => kid)).size).toBe(1)
      expect(await signingKeys().list()).toEqual(current.slice(0, 1))
      expect(await changesOf(opened.storage)).toEqual([`signing_key ${current[0]?.kid}`])
    })

    test('keeps one current key per algorithm and encryption key, beside retired ones', async () => {
      const candidates = [
        aSigningKey({ retiredAt: NOW, createdAt: NOW }),
        aSigningKey({ createdAt: NOW + 1 }),
        aSigningKey({ algorithm: 'HS256', publicJwk: null, createdAt: NOW + 2 }),
        aSigningKey({ encryptionKey: 'secret-2', createdAt: NOW + 3 }),
      ]
      const [retired] = candidates
      if (retired === undefined) throw new Error('no candidate')
      await opened.exec(
        `insert into machine_auth_signing_keys (kid, algorithm, public_jwk, encrypted_private_jwk, encryption_key, created_at, retired_at)
         values ('${retired.kid}', 'EdDSA', '${JSON.stringify(retired.publicJwk)}', 'sealed', 'secret-1', ${NOW}, ${NOW})`,
      )
      for (const candidate of candidates.slice(1)) {
        expect(await signingKeys().ensureCurrent(candidate)).toEqual(candidate)
      }
      expect(await signingKeys().list()).toEqual(candidates.toReversed())
    })

    test('rotate retires every current key and puts the candidate in their place', async () => {
      const [first, second] = [aSigningKey(), aSigningKey({ algorithm: 'ES256', createdAt: NOW + 1 })]
      const next = aSigningKey({ createdAt: NOW + 2 })
      await signingKeys().ensureCurrent(first)
      await signingKeys().ensureCurrent(second)
      await signingKeys().rotate(next)
      const retired = [second, first].map((key) => ({ ...key, retiredAt: NOW + 2 }))
      expect(await signingKeys().list()).toEqual([next, ...retired])
      expect(await signingKeys().ensureCurrent(aSigningKey())).toEqual(next)
      expect(await changesOf(opened.storage)).toEqual([first, second, next].map(({ kid }) => `signing_key ${kid}`))
    })

    test('no key is made or rotated without its change', async () => {
      await expectAtomic(opened, () => signingKeys().ensureCurrent(aSigningKey()))
      expect(await signingKeys().list()).toEqual([])
      const current = await signingKeys().ensureCurrent(aSigningKey())
      await expectAtomic(opened, () => signingKeys().rotate(aSigningKey()))
      expect(await signingKeys().list()).toEqual([current])
    })

    test('of 50 rotations at least one succeeds, the others are a conflict, and one key is current', async () => {
      await signingKeys().ensureCurrent(aSigningKey())
      const candidates = Array.from({ length: 50 }, () => aSigningKey())
      const codes = await Promise.all(candidates.map((candidate) => codeOf(signingKeys().rotate(candidate))))
      expect(codes).toContain('none')
      expect(codes.filter((code) => code !== 'none' && code !== 'conflict')).toEqual([])
      const keys = await signingKeys().list()
      expect(keys).toHaveLength(1 + codes.filter((code) => code === 'none').length)
      expect(keys.filter(({ retiredAt }) => retiredAt === null)).toHaveLength(1)
    })
  })
}

export function describeRefreshFamilyStore(name: string, open: Open): void {
  describe(name, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    const families = () => opened.storage.refreshFamilies
    const read = async (id: string) => (await families().find(id))?.family ?? null

    test('reads a family with its user and the user’s organization', async () => {
      const organization = anOrganization()
      const user = aUser({ organizationId: organization.id })
      const ofUser = aFamily({ userId: user.id, clientId: null, permissions: [] })
      const ofClient = aFamily()
      await opened.storage.organizations.insert(organization)
      await opened.storage.users.insert(user)
      await families().insert(ofUser)
      await families().insert(ofClient)
      expect(await families().find(ofUser.id)).toEqual({ family: ofUser, user, organization })
      expect(await families().find(ofClient.id)).toEqual({ family: ofClient, user: null, organization: null })
      expect(await families().find('rt_unknown')).toBeNull()
    })

    test('one of 50 rotations of a token wins', async () => {
      const family = aFamily({ sequence: 3 })
      await families().insert(family)
      const answers = await fiftyTimes((index) => families().rotate(family.id, 3, NOW + index, NOW + 5000 + index))
      const winners = answers.filter((answer) => answer !== null)
      const index = answers.findIndex((answer) => answer !== null)
      expect(winners).toEqual([{ ...family, sequence: 4, rotatedAt: NOW + index, expiresAt: NOW + 5000 + index }])
      expect(await read(family.id)).toEqual(winners[0] ?? null)
      expect(await families().rotate(family.id, 3, NOW, NOW)).toBeNull()
      expect(await families().rotate(family.id, 5, NOW, NOW)).toBeNull()
      expect((await families().rotate(family.id, 4, NOW, NOW))?.sequence).toBe(5)
    })

    test('a revoked family no longer rotates', async () => {
      const family = aFamily()
      await families().insert(family)
      expect(await families().revoke(family.id, 'logout', NOW)).toBeTrue()
      expect(await families().rotate(family.id, 0, NOW, NOW)).toBeNull()
      expect(await families().rotate('rt_unknown', 0, NOW, NOW)).toBeNull()
    })

    test('one of 50 revocations wins, keeps its reason and records one change', async () => {
      const family = aFamily()
      await families().insert(family)
      const answers = await fiftyTimes((index) => families().revoke(family.id, `reason ${index}`, NOW + index))
      expect(answers.filter(Boolean)).toHaveLength(1)
      const index = answers.indexOf(true)
      expect(await read(family.id)).toEqual({ ...family, revokedAt: NOW + index, revokedReason: `reason ${index}` })
      expect(await families().revoke('rt_unknown', 'x', NOW)).toBeFalse()
      expect(await changesOf(opened.storage)).toEqual([`family ${family.id}`])
    })

    test('revokes every live family of a user in one change, and no one else’s', async () => {
      const own = [aFamily({ userId: 'user_a' }), aFamily({ userId: 'user_a' })]
      const revoked = aFamily({ userId: 'user_a', revokedAt: 1, revokedReason: 'logout' })
      const other = aFamily({ userId: 'user_b' })
      for (const family of [...own, revoked, other]) await families().insert(family)
      expect(await families().revokeByUser('user_a', 'disabled', NOW)).toBe(2)
      expect(await families().revokeByUser('user_a', 'disabled', NOW)).toBe(0)
      for (const family of own) {
        expect(await read(family.id)).toEqual({ ...family, revokedAt: NOW, revokedReason: 'disabled' })
      }
      expect(await read(revoked.id)).toEqual(revoked)
      expect(await read(other.id)).toEqual(other)
      expect(await changesOf(opened.storage)).toEqual(['user user_a'])
    })

    test('a revocation whose change cannot be recorded does not happen', async () => {
      const family = aFamily({ userId: 'user_a' })
      await families().insert(family)
      await expectAtomic(opened, () => families().revoke(family.id, 'x', NOW))
      await expectAtomic(opened, () => families().revokeByUser('user_a', 'x', NOW))
      expect(await read(family.id)).toEqual(family)
    })

    test('purges what expired before a moment, without a change', async () => {
      const gone = aFamily({ expiresAt: NOW - 1 })
      const kept = aFamily({ expiresAt: NOW })
      await families().insert(gone)
      await families().insert(kept)
      expect(await families().purge(NOW)).toBe(1)
      expect(await read(gone.id)).toBeNull()
      expect(await read(kept.id)).toEqual(kept)
      expect(await changesOf(opened.storage)).toEqual([])
    })
  })
}

export function describeBearerTokenStore(name: string, open: Open): void {
  describe(name, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    const tokens = () => opened.storage.bearerTokens

    test('reads a token with its owners, its own organization before its user’s', async () => {
      const [own, ofUser] = [anOrganization(), anOrganization()]
      const user = aUser({ organizationId: ofUser.id })
      const both = aToken({ userId: user.id, organizationId: own.id })
      const personal = aToken({ userId: user.id, expiresAt: null })
      for (const organization of [own, ofUser]) await opened.storage.organizations.insert(organization)
      await opened.storage.users.insert(user)
      for (const token of [both, personal]) await tokens().insert(token)
      expect(await tokens().findWithOwner(both.id)).toEqual({ token: both, user, organization: own })
      expect(await tokens().findWithOwner(personal.id)).toEqual({ token: personal, user, organization: ofUser })
      expect(await tokens().findWithOwner('tok_unknown')).toBeNull()
    })

    test('lists newest first, page by page, and refuses hostile cursors', async () => {
      const ids: string[] = []
      for (let index = 0; index < 5; index++) {
        const token = aToken({ createdAt: NOW + Math.floor(index / 2) })
        await tokens().insert(token)
        ids.unshift(token.id)
      }
      const read = await readAll((page) => tokens().list(page), 2)
      expect(read.map(({ id }) => id)).toEqual(ids)
      for (const { cursor } of HOSTILE_CURSORS) {
        expect(await codeOf(tokens().list({ limit: 2, cursor }))).toBe('validation_failed')
      }
    })

    test('one of 50 revocations wins and records one change', async () => {
      const token = aToken()
      await tokens().insert(token)
      const answers = await fiftyTimes((index) => tokens().revoke(token.id, null, NOW + index))
      const index = answers.findIndex((answer) => answer !== null)
      expect(answers.filter((answer) => answer !== null)).toEqual([{ ...token, revokedAt: NOW + index }])
      expect(await tokens().revoke('tok_unknown', null, NOW)).toBeNull()
      expect(await changesOf(opened.storage)).toEqual([`token ${token.id}`])
    })

    test('a revocation whose change cannot be recorded does not happen', async () => {
      const token = aToken()
      await tokens().insert(token)
      await expectAtomic(opened, () => tokens().revoke(token.id, null, NOW))
      expect((await tokens().findWithOwner(token.id))?.token).toEqual(token)
    })

    test('rehash is guarded by the pepper, and unknown peppers are counted', async () => {
      const token = aToken({ expiresAt: null })
      for (const one of [token, aToken({ expiresAt: 1 }), aToken({ revokedAt: 1 })]) await tokens().insert(one)
      expect(await tokens().countUnknownPeppers(['pepper-2'])).toBe(1)
      expect(await tokens().rehash(token.id, 'pepper-0', 'h', 'pepper-2')).toBeFalse()
      expect(await tokens().rehash(token.id, 'pepper-1', 'h', 'pepper-2')).toBeTrue()
      expect(await tokens().rehash(token.id, 'pepper-1', 'late', 'pepper-2')).toBeFalse()
      expect((await tokens().findWithOwner(token.id))?.token).toEqual({ ...token, hash: 'h', pepper: 'pepper-2' })
      expect(await tokens().countUnknownPeppers(['pepper-2'])).toBe(0)
    })
  })
}
