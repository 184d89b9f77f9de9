/** The races and refusals that matter most, on a real database. */
import { afterEach, describe, expect, test } from 'bun:test'
import { openStorage } from '../../src/storage/open.ts'
import type { Storage } from '../../src/storage/ports.ts'
import { expectRefused } from '../support/refusals.ts'
import { actorWith, createServices, fakeBcrypt, type ServicesInput, START } from '../support/services.ts'

const opened: Storage[] = []
afterEach(async () => {
  for (const storage of opened.splice(0)) await storage.close()
})

async function onSqlite(input: ServicesInput = {}) {
  const { storage, ready } = openStorage('sqlite::memory:', { migrate: 'auto', clock: () => START })
  opened.push(storage)
  await ready
  return createServices({ ...input, storage })
}

describe('on SQLite', () => {
  test('50 refreshes at once: one rotation, one successor, each replay written down', async () => {
    const services = await onSqlite()
    const { refresh_token } = await services.tokens.issueForClient({ clientId: 'ci', permissions: ['users.view'] })
    const pairs = await Promise.all(Array.from({ length: 50 }, () => services.tokens.refresh(refresh_token)))
    expect(new Set(pairs.map((pair) => pair.refresh_token)).size).toBe(1)
    const replays = await services.audit.list({ action: 'refresh.replayed' }, { limit: 100 })
    expect(replays.items).toHaveLength(49)
    const [{ refresh_token: successor } = { refresh_token: '' }] = pairs
    expect((await services.tokens.refresh(successor)).client_id).toBe('ci')
    services.time.now += 10_000
    await expectRefused(services.tokens.refresh(refresh_token), 'refresh_token_reused')
    const family = await services.storage.refreshFamilies.find(`rt_${refresh_token.slice(4, 20)}`)
    expect(family?.family).toMatchObject({ sequence: 3, revokedReason: 'refresh_token_reused' })
  })

  test('a login, its session, token and key end with the password or the user', async () => {
    const services = await onSqlite()
    const user = await services.users.create({ email: 'a@example.com', passwordHash: fakeBcrypt('correct horse') })
    const identity = await services.login.verify('A@example.com', 'correct horse')
    expect((await services.storage.users.find(user.id))?.passwordHash).toStartWith('$argon2id$')
    const { cookieValue } = await services.sessions.create(user.id, identity)
    const { access_token } = await services.tokens.issueForUser(identity)
    const { rawKey } = await services.keys.create({ name: 'k', userId: user.id })
    const { session, jwt, apiKey } = services.authenticators
    const outcomes = async () =>
      [await session.resolve(cookieValue), await jwt.resolve(access_token), await apiKey.resolve(rawKey)].map(
        (outcome) => (outcome.kind === 'refused' ? outcome.code : outcome.kind),
      )
    expect(await outcomes()).toEqual(['session', 'jwt', 'apiKey'])
    await services.users.setPassword(user.id, 'another horse')
    expect(await outcomes()).toEqual(['session_invalid', 'token_revoked', 'apiKey'])
    await services.users.disable(user.id)
    expect(await outcomes()).toEqual(['session_invalid', 'token_revoked', 'user_disabled'])
    await expectRefused(services.tokens.issueForUser(identity), 'login_failed')
    await expectRefused(services.sessions.create(user.id, identity), 'login_failed')
  })

  test('starts that race make one signing key; rotation retires it', async () => {
    const { storage, signingKeys } = await onSqlite()
    const others = Array.from({ length: 4 }, () => createServices({ storage }).signingKeys)
    await Promise.all([signingKeys, ...others].map((keys) => keys.ensureCurrent()))
    expect(await storage.signingKeys.list()).toHaveLength(1)
    const kid = await signingKeys.rotate()
    const [newest, oldest] = await storage.signingKeys.list()
    expect([newest?.retiredAt, oldest?.retiredAt].filter((at) => at !== null)).toEqual([START])
    expect((await signingKeys.current()).kid).toBe(kid)
  })

  test('what is unique is a conflict, in any of its forms', async () => {
    const { users, organizations } = await onSqlite()
    await users.create({ email: 'a@example.com' })
    await expectRefused(users.create({ email: ' A@Example.com' }), 'conflict')
    await organizations.create({ name: 'Acme' })
    await expectRefused(organizations.create({ name: 'Acme ' }), 'conflict')
  })

  test('keys are listed, revoked once, and never shown to another organization', async () => {
    const services = await onSqlite()
    const acme = (await services.organizations.create({ name: 'Acme' })).id
    const { key, rawKey } = await services.keys.create({
      name: 'x',
      organizationId: acme,
      ipAllowlist: ['10.0.0.0/8'],
      metadata: { a: [1, { b: null }] },
      expiresInDays: 1,
    })
    expect(await services.keys.find(key.id)).toEqual(key)
    const inside = actorWith(['machine_auth.*'], { organizationId: acme })
    expect((await services.keys.list({}, {}, inside)).items).toEqual([key])
    const outside = actorWith(['*'], { organizationId: 'org_other' })
    expect((await services.keys.list({}, {}, outside)).items).toEqual([])
    await expectRefused(services.keys.revoke(key.id, {}, outside), 'not_found')
    expect((await services.keys.verify({ key: rawKey, ip: '10.9.9.9' }, inside)).code).toBe('valid')
    const views = await Promise.all([1, 2, 3].map((n) => services.keys.revoke(key.id, { reason: `${n}` }, inside)))
    expect(new Set(views.map(({ revokedReason }) => revokedReason)).size).toBe(1)
    expect((await services.keys.verify({ key: rawKey, ip: '10.9.9.9' }, inside)).code).toBe('api_key_revoked')
  })

  test('opaque tokens and stored roles', async () => {
    const { tokens, roles, users, authenticators } = await onSqlite()
    await roles.put('reader', { permissions: ['posts.view'], inherits: ['support'] })
    const user = await users.create({ email: 'a@example.com', roles: ['reader'] })
    const { rawToken, token } = await tokens.bearer.create({ name: 't', userId: user.id, permissions: ['*'] })
    const outcome = await authenticators.bearer.resolve(rawToken)
    expect(outcome).toMatchObject({ bearerToken: { permissions: ['posts.view', 'users.view'] } })
    expect((await tokens.bearer.list()).items).toEqual([token])
    await tokens.bearer.revoke(token.id)
    expect(await authenticators.bearer.resolve(rawToken)).toMatchObject({ code: 'token_revoked' })
  })
})
