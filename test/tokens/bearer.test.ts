import { describe, expect, test } from 'bun:test'
import { expectInvalid, expectRefused } from '../support/refusals.ts'
import { actorWith, auditedActions, createServices, START } from '../support/services.ts'

describe('opaque bearer tokens', () => {
  test('the raw token works, is stored nowhere, and the view has no hash', async () => {
    const services = createServices()
    const { token, rawToken } = await services.tokens.bearer.create({ name: 'importer', permissions: ['users:view'] })
    expect(rawToken).toStartWith('mat_')
    expect(token).toMatchObject({ name: 'importer', permissions: ['users.view'], expiresAt: null, revokedAt: null })
    expect(token).not.toHaveProperty('hash')
    expect(JSON.stringify([...services.memory.rows.tokens.values()])).not.toContain(rawToken.slice(-49))
    const outcome = await services.authenticators.bearer.resolve(rawToken)
    expect(outcome).toMatchObject({ kind: 'bearer', bearerToken: { kind: 'opaque', permissions: ['users.view'] } })
  })

  test('of a user: never more than he has', async () => {
    const services = createServices()
    const user = await services.users.create({ email: 'a@example.com', roles: ['support'] })
    const { rawToken } = await services.tokens.bearer.create({ name: 'x', userId: user.id, permissions: ['*'] })
    const outcome = await services.authenticators.bearer.resolve(rawToken)
    expect(outcome).toMatchObject({ bearerToken: { permissions: ['users.view'] } })
  })

  test('expires to the millisecond', async () => {
    const { tokens, authenticators, time } = createServices()
    const expiresAt = new Date(START + 1000)
    const { rawToken } = await tokens.bearer.create({ name: 'x', expiresAt })
    time.now = START + 999
    expect((await authenticators.bearer.resolve(rawToken)).kind).toBe('bearer')
    time.now = START + 1000
    expect(await authenticators.bearer.resolve(rawToken)).toMatchObject({ code: 'token_expired' })
  })

  test('revoked: refused at once; revoking again answers it unchanged', async () => {
    const services = createServices()
    const { token, rawToken } = await services.tokens.bearer.create({ name: 'x' })
    await services.authenticators.bearer.resolve(rawToken)
    const revoked = await services.tokens.bearer.revoke(token.id, { reason: 'leaked' })
    expect(revoked).toMatchObject({ revokedReason: 'leaked', revokedAt: new Date(START).toISOString() })
    expect(await services.authenticators.bearer.resolve(rawToken)).toMatchObject({ code: 'token_revoked' })
    services.time.now += 1000
    expect(await services.tokens.bearer.revoke(token.id, { reason: 'again' })).toEqual(revoked)
    expect(auditedActions(services)).toEqual(['token.created', 'token.revoked'])
  })

  test.each([
    { name: 'no name', input: { name: '' }, paths: ['name'] },
    { name: 'an unknown permission', input: { name: 'x', permissions: ['users.fly'] }, paths: ['permissions.0'] },
    { name: 'a moment in the past', input: { name: 'x', expiresAt: '2020-01-01T00:00:00Z' }, paths: ['expiresAt'] },
    { name: 'an unknown organization', input: { name: 'x', organizationId: 'org_x' }, paths: ['organizationId'] },
    { name: 'an unknown user', input: { name: 'x', userId: 'user_x' }, paths: ['userId'] },
  ])('$name is refused', async ({ input, paths }) => {
    const { tokens, memory } = createServices()
    await expectInvalid(tokens.bearer.create(input), ...paths)
    expect(memory.rows.tokens.size).toBe(0)
  })

  test('an actor makes none that can do more than he, and touches none of another organization', async () => {
    const services = createServices()
    const { bearer } = services.tokens
    const { id } = await services.organizations.create({ name: 'Acme' })
    const other = await services.organizations.create({ name: 'Other' })
    const actor = actorWith(['users.*'], { organizationId: id })
    await expectRefused(bearer.create({ name: 'x', permissions: ['posts.view'] }, actor), 'permission_required')
    await expectRefused(bearer.create({ name: 'x', organizationId: other.id }, actor), 'not_found')
    const { token } = await bearer.create({ name: 'x', permissions: ['users.view'] }, actor)
    expect(token.organizationId).toBe(id)
    const foreign = await bearer.create({ name: 'y', organizationId: other.id })
    await expectRefused(bearer.revoke(foreign.token.id, {}, actor), 'not_found')
    await expectRefused(bearer.list({}, actor), 'permission_required')
    expect((await bearer.list()).items).toHaveLength(2)
    expect(services.memory.rows.tokens.get(foreign.token.id)?.revokedAt).toBeNull()
  })

  test.each(['tok_unknown', '', 'x'])('revoking %p: not found', async (id) => {
    await expectRefused(createServices().tokens.bearer.revoke(id), 'not_found')
  })
})
