import { describe, expect, test } from 'bun:test'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { isReservedClaim } from '../../src/tokens/reserved-claims.ts'
import { createServices, type ServicesInput, START } from '../support/services.ts'

async function claimsWith(input: ServicesInput) {
  const services = createServices(input)
  const user = await services.users.create({ email: 'alice@example.com', roles: ['support', 'member'] })
  const { access_token } = await services.tokens.issueForUser(user)
  return { services, user, access_token, claims: decodeJwt(access_token), header: decodeProtectedHeader(access_token) }
}

describe('what a token says', () => {
  test('of a user: who, by whom, for whom, until when, and his roles', async () => {
    const { claims, header, user, services } = await claimsWith({})
    const [family] = [...services.memory.rows.families.values()]
    expect(claims).toEqual({
      iss: 'machine-auth',
      aud: 'machine-auth',
      sub: user.id,
      jti: expect.stringMatching(/^[A-Za-z0-9]{22}$/),
      iat: START / 1000,
      exp: START / 1000 + 900,
      fid: family?.id,
      roles: ['support', 'member'],
    })
    expect(header).toEqual({ alg: 'EdDSA', typ: 'at+jwt', kid: expect.any(String) })
  })

  test.each([
    { permissions: ['users.view', 'posts:view'], scope: 'users.view posts.view' },
    { permissions: [], scope: undefined },
  ])('of a client: its id, and the scope $scope', async ({ permissions, scope }) => {
    const { tokens } = createServices({ claims: () => ({ plan: 'pro' }) })
    const claims = decodeJwt((await tokens.issueForClient({ clientId: 'importer', permissions })).access_token)
    expect(claims).toMatchObject({ sub: 'importer', client_id: 'importer' })
    expect(claims.scope).toBe(scope)
    expect(claims).not.toHaveProperty('roles')
    expect(claims).not.toHaveProperty('plan')
  })

  test('a lifetime with a fraction of a second is rounded up, and still accepted', async () => {
    const { claims, services, access_token } = await claimsWith({ jwt: { accessTtl: 1500 } })
    expect(Number(claims.exp) - Number(claims.iat)).toBe(2)
    expect(await services.verifyAccessToken(access_token, services.time.now)).not.toHaveProperty('kind')
  })

  test('a tolerance of less than a second is kept to the millisecond', async () => {
    const { services, access_token } = await claimsWith({ jwt: { accessTtl: 2000, clockTolerance: 500 } })
    expect(await services.verifyAccessToken(access_token, START + 2499)).toMatchObject({ validUntil: START + 2500 })
    expect(await services.verifyAccessToken(access_token, START + 2500)).toMatchObject({ code: 'token_expired' })
  })

  test('the issuer and audience are the configured ones', async () => {
    const { claims } = await claimsWith({ jwt: { issuer: 'https://auth.example', audience: 'shop' } })
    expect(claims).toMatchObject({ iss: 'https://auth.example', aud: 'shop' })
  })
})

describe('custom claims', () => {
  test('are added, also by promise, with the user at hand', async () => {
    const { claims, user } = await claimsWith({
      claims: async ({ id, email, roles }) => ({ plan: 'pro', seen: { id, email, roles } }),
    })
    expect(claims).toMatchObject({
      plan: 'pro',
      seen: { id: user.id, email: 'alice@example.com', roles: ['support', 'member'] },
    })
  })

  test('cannot set what decides, and each such name is warned about once', async () => {
    const hostile = {
      ...{ sub: 'user_admin', role: 'admin', roles: ['admin'], exp: 9e9, iss: 'evil', aud: 'evil', jti: 'x', iat: 0 },
      ...{ nbf: 9e9, fid: 'rt_evil', client_id: 'evil', scope: '*', permissions: ['*'], cnf: {}, act: {} },
      ...JSON.parse('{"__proto__": {"admin": true}, "constructor": 1}'),
      harmless: 1,
    }
    const names = [...new Set([...Object.keys(hostile), '__proto__'])].filter((name) => name !== 'harmless')
    const { claims, services, user } = await claimsWith({
      claims: () => Object.fromEntries([...Object.entries(hostile), ['__proto__', { admin: true }]]),
    })
    expect(claims).toMatchObject({ sub: user.id, roles: ['support', 'member'], iss: 'machine-auth', harmless: 1 })
    for (const name of ['role', 'nbf', 'client_id', 'scope', 'permissions', 'cnf', 'act', 'constructor', '__proto__']) {
      expect(Object.hasOwn(claims, name)).toBe(false)
    }
    expect(services.warnings).toHaveLength(names.length)
    await services.tokens.issueForUser(user)
    expect(services.warnings).toHaveLength(names.length)
  })

  test.each(['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'fid', 'roles', 'scope', 'client_id', 'cnf'])(
    '%s is reserved',
    (name) => expect(isReservedClaim(name)).toBe(true),
  )

  test.each(['email', 'name', 'plan', 'tenant'])('%s is free', (name) => expect(isReservedClaim(name)).toBe(false))

  test('that would make an unreadable token stop the login, and store nothing', async () => {
    const services = createServices({ claims: () => ({ blob: 'x'.repeat(8192) }) })
    const user = await services.users.create({ email: 'alice@example.com' })
    await expect(services.tokens.issueForUser(user)).rejects.toThrow(RangeError)
    expect(services.memory.rows.families.size).toBe(0)
  })
})
