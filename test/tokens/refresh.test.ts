import { describe, expect, test } from 'bun:test'
import { decodeJwt } from 'jose'
import { parseRefreshToken } from '../../src/credentials/secret-text.ts'
import { expectRefused } from '../support/refusals.ts'
import { auditedActions, createServices, type Services, type ServicesInput, START } from '../support/services.ts'

async function withUser(input: ServicesInput = {}) {
  const services = createServices(input)
  const user = await services.users.create({ email: 'alice@example.com', password: 'correct horse', roles: ['member'] })
  const pair = await services.tokens.issueForUser(user)
  return { services, user, pair, first: pair.refresh_token }
}

function onlyFamily({ memory }: Services) {
  const [family, ...others] = [...memory.rows.families.values()]
  if (family === undefined || others.length > 0) throw new Error('expected one family')
  return family
}

function withMac(token: string, change: (mac: string) => string): string {
  const start = token.length - 43
  return token.slice(0, start) + change(token.slice(start))
}

const otherCharacter = (text: string, index: number) =>
  text.slice(0, index) + (text[index] === 'A' ? 'B' : 'A') + text.slice(index + 1)

describe('rotation', () => {
  test('a refresh token is spent for a new pair, and the next one for another', async () => {
    const { services, first } = await withUser()
    const second = await services.tokens.refresh(first)
    const third = await services.tokens.refresh(second.refresh_token)
    expect(new Set([first, second.refresh_token, third.refresh_token]).size).toBe(3)
    expect(third).toMatchObject({ token_type: 'Bearer', expires_in: 900 })
    expect(third).not.toHaveProperty('client_id')
    expect(onlyFamily(services)).toMatchObject({ sequence: 3, revokedAt: null })
    expect((await services.authenticators.jwt.resolve(third.access_token)).kind).toBe('jwt')
  })

  test('the family lives on for another refreshTtl', async () => {
    const { services, first } = await withUser({ jwt: { refreshTtl: 100_000 } })
    services.time.now = START + 99_999
    const { refresh_token } = await services.tokens.refresh(first)
    services.time.now = START + 199_998
    await services.tokens.refresh(refresh_token)
  })

  test('a token is refused as expired from its last moment on', async () => {
    const { services, first } = await withUser({ jwt: { refreshTtl: 100_000 } })
    services.time.now = START + 100_000
    await expectRefused(services.tokens.refresh(first), 'token_expired')
    expect(onlyFamily(services).sequence).toBe(1)
  })

  test('the new access token carries the roles of now', async () => {
    const { services, user, first } = await withUser()
    await services.users.setRoles(user.id, ['support'])
    const { access_token } = await services.tokens.refresh(first)
    expect(decodeJwt(access_token).roles).toEqual(['support'])
  })

  test('a hook that fails spends nothing', async () => {
    let isBroken = false
    const { services, first } = await withUser({
      claims: () => {
        if (isBroken) throw new Error('no claims today')
        return {}
      },
    })
    isBroken = true
    await expect(services.tokens.refresh(first)).rejects.toThrow('no claims today')
    isBroken = false
    await services.tokens.refresh(first)
    expect(onlyFamily(services).sequence).toBe(2)
  })
})

describe('races', () => {
  test('50 at once with one token, inside the window: one rotation, the same successor for all', async () => {
    const { services, first } = await withUser()
    const pairs = await Promise.all(Array.from({ length: 50 }, () => services.tokens.refresh(first)))
    expect(new Set(pairs.map((pair) => pair.refresh_token)).size).toBe(1)
    expect(new Set(pairs.map((pair) => pair.access_token)).size).toBe(50)
    expect(onlyFamily(services)).toMatchObject({ sequence: 2, revokedAt: null })
    expect(auditedActions(services).filter((action) => action === 'refresh.replayed')).toHaveLength(49)
    await services.tokens.refresh(pairs[0]?.refresh_token ?? '')
  })

  test('50 at once with a window of 0: one wins, the family is revoked once', async () => {
    const { services, first } = await withUser({ jwt: { refreshReuseWindow: 0 } })
    const results = await Promise.allSettled(Array.from({ length: 50 }, () => services.tokens.refresh(first)))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(onlyFamily(services)).toMatchObject({ sequence: 2, revokedReason: 'refresh_token_reused' })
  })

  test('a logout between look and rotation wins', async () => {
    const { services, first } = await withUser()
    services.memory.before.set('refreshFamilies.rotate', () => services.tokens.logout(first))
    await expectRefused(services.tokens.refresh(first), 'token_revoked')
    expect(onlyFamily(services).sequence).toBe(1)
  })
})

describe('reuse', () => {
  test('inside the window the predecessor of an unspent token gets it again, with a fresh access token', async () => {
    const { services, first } = await withUser()
    const second = await services.tokens.refresh(first)
    services.time.now = START + 9_999
    const again = await services.tokens.refresh(first)
    expect(again.refresh_token).toBe(second.refresh_token)
    expect(again.access_token).not.toBe(second.access_token)
    expect(onlyFamily(services).sequence).toBe(2)
    expect(auditedActions(services)).toContain('refresh.replayed')
  })

  test.each([
    { name: 'after the window', wait: 10_000, spendSuccessor: false },
    { name: 'inside the window, when the successor was spent', wait: 0, spendSuccessor: true },
  ])('$name it kills the family, the successor too', async ({ wait, spendSuccessor }) => {
    const { services, first } = await withUser()
    const second = await services.tokens.refresh(first)
    const newest = spendSuccessor ? await services.tokens.refresh(second.refresh_token) : second
    await services.authenticators.jwt.resolve(newest.access_token)
    services.time.now = START + wait
    await expectRefused(services.tokens.refresh(first), 'refresh_token_reused')
    const family = onlyFamily(services)
    expect(family.revokedReason).toBe('refresh_token_reused')
    expect(services.invalidated).toContain(`family:${family.id}`)
    expect(auditedActions(services)).toContain('refresh.reused')
    await expectRefused(services.tokens.refresh(newest.refresh_token), 'token_revoked')
    await expectRefused(services.tokens.refresh(first), 'token_revoked')
    expect(await services.authenticators.jwt.resolve(newest.access_token)).toMatchObject({ code: 'token_revoked' })
  })

  test('a reuse that cannot be written down is refused all the same', async () => {
    const { services, first } = await withUser({ jwt: { refreshReuseWindow: 0 } })
    await services.tokens.refresh(first)
    services.memory.before.set('audit.append', () => {
      throw new Error('disk full')
    })
    await expectRefused(services.tokens.refresh(first), 'refresh_token_reused')
    expect(onlyFamily(services).revokedAt).toBe(START)
  })
})

describe('forged and foreign tokens', () => {
  test('a malformed token never touches storage', async () => {
    const { services, first, pair } = await withUser()
    services.memory.calls.length = 0
    const malformed = ['', 'x', first.slice(1), `${first}x`, first.replace('mar_', 'mat_'), pair.access_token]
    for (const text of [...malformed, 'mar_é🔑', 'x'.repeat(100_000)]) {
      await expectRefused(services.tokens.refresh(text), 'token_invalid')
    }
    expect(services.memory.calls).toEqual([])
  })

  test.each([
    ['the first character', (mac: string) => otherCharacter(mac, 0)],
    ['a middle one', (mac: string) => otherCharacter(mac, 20)],
    ['all of it', () => 'A'.repeat(43)],
  ] as const)('a mac wrong in %s changes nothing', async (_, change) => {
    const { services, first } = await withUser()
    await expectRefused(services.tokens.refresh(withMac(first, change)), 'token_invalid')
    await services.tokens.logout(withMac(first, change))
    expect(onlyFamily(services)).toMatchObject({ sequence: 1, revokedAt: null })
  })

  test("a mac does not carry over to another number or another family's token", async () => {
    const { services, user, first } = await withUser()
    const other = await services.tokens.issueForUser(user)
    const mac = first.slice(-43)
    await expectRefused(services.tokens.refresh(withMac(other.refresh_token, () => mac)), 'token_invalid')
    await expectRefused(services.tokens.refresh(first.replace('_1_', '_2_')), 'token_invalid')
    await expectRefused(services.tokens.refresh(first.replace('_1_', '_0_')), 'token_invalid')
    expect([...services.memory.rows.families.values()].every(({ revokedAt }) => revokedAt === null)).toBe(true)
  })

  test('an unknown family is as invalid as a wrong mac', async () => {
    const { services, first } = await withUser()
    services.memory.rows.families.clear()
    await expectRefused(services.tokens.refresh(first), 'token_invalid')
  })

  test('a family of a secret no longer given is invalid, of an older one given it works', async () => {
    const { services, first } = await withUser()
    const { storage } = services
    const newer = 'a newer root secret, also of more than 32 bytes'
    await expectRefused(createServices({ storage, secrets: [newer] }).tokens.refresh(first), 'token_invalid')
    const { secrets } = { secrets: [newer, 'a root secret for tests, of more than 32 bytes'] }
    await createServices({ storage, secrets }).tokens.refresh(first)
  })

  test('nothing stored contains a token', async () => {
    const { services, first, pair } = await withUser()
    const second = await services.tokens.refresh(first)
    const dump = JSON.stringify(Object.values(services.memory.rows).map((rows) => [...rows.values()]))
    for (const secret of [first, second.refresh_token, pair.access_token].map((text) => text.slice(-43))) {
      expect(dump).not.toContain(secret)
    }
    expect(parseRefreshToken(first)?.familyId).toBe(onlyFamily(services).id)
  })
})

describe('whose token it is', () => {
  test('a client keeps its id and permissions, in the answer and in the token', async () => {
    const services = createServices()
    const pair = await services.tokens.issueForClient({ clientId: 'importer', permissions: ['users.view'] })
    const next = await services.tokens.refresh(pair.refresh_token)
    expect(next.client_id).toBe('importer')
    expect(decodeJwt(next.access_token)).toMatchObject({ sub: 'importer', client_id: 'importer', scope: 'users.view' })
  })

  test.each([
    { name: 'another client', expected: { clientId: 'billing' } },
    { name: 'a user', expected: { kind: 'user' as const } },
  ])("a client's token presented as $name: invalid, and the family untouched", async ({ expected }) => {
    const services = createServices()
    const pair = await services.tokens.issueForClient({ clientId: 'importer' })
    await expectRefused(services.tokens.refresh(pair.refresh_token, expected), 'token_invalid')
    await services.tokens.refresh(pair.refresh_token, { kind: 'client', clientId: 'importer' })
  })

  test("a user's token is no client's", async () => {
    const { services, first } = await withUser()
    await expectRefused(services.tokens.refresh(first, { kind: 'client' }), 'token_invalid')
    await expectRefused(services.tokens.refresh(first, { clientId: 'importer' }), 'token_invalid')
    await services.tokens.refresh(first, { kind: 'user' })
  })

  test('a disabled user is refused, and stays so for this family when enabled again', async () => {
    const { services, user, first } = await withUser()
    await services.users.disable(user.id)
    await expectRefused(services.tokens.refresh(first), 'token_revoked')
    await services.users.enable(user.id)
    await expectRefused(services.tokens.refresh(first), 'token_revoked')
    expect(onlyFamily(services).sequence).toBe(1)
  })

  test('a suspended organization refuses its users for as long as it is suspended', async () => {
    const services = createServices()
    const { id } = await services.organizations.create({ name: 'Acme' })
    const user = await services.users.create({ email: 'a@acme.example', organizationId: id })
    const pair = await services.tokens.issueForUser(user)
    await services.organizations.suspend(id)
    await expectRefused(services.tokens.refresh(pair.refresh_token), 'token_revoked')
    expect(onlyFamily(services)).toMatchObject({ sequence: 1, revokedAt: null })
    await services.organizations.activate(id)
    await services.tokens.refresh(pair.refresh_token)
  })

  test('a family older than the last password change is dead even if nothing revoked it', async () => {
    const { services, user, first } = await withUser()
    services.time.now += 1000
    await services.storage.users.update(user.id, { tokensNotBefore: services.time.now }, services.time.now)
    await expectRefused(services.tokens.refresh(first), 'token_revoked')
    expect(onlyFamily(services).sequence).toBe(1)
  })

  test("an app's own user is asked for, and refused when he is gone", async () => {
    const known = new Map([['u1', { id: 'u1', email: 'a@b.c', roles: ['support'] }]])
    const services = createServices({ users: { load: async (id) => known.get(id) ?? null } })
    const pair = await services.tokens.issueForUser({ id: 'u1', email: 'a@b.c', roles: [] })
    const next = await services.tokens.refresh(pair.refresh_token)
    expect(decodeJwt(next.access_token).roles).toEqual(['support'])
    known.clear()
    await expectRefused(services.tokens.refresh(next.refresh_token), 'token_revoked')
  })
})
