import { describe, expect, test } from 'bun:test'
import { expectInvalid, expectRefused } from '../support/refusals.ts'
import { actorWith, auditedActions, createServices } from '../support/services.ts'

async function withUser() {
  const services = createServices()
  const user = await services.users.create({ email: 'alice@example.com', password: 'correct horse' })
  return { services, user }
}

describe('issueForUser', () => {
  test('the pair works, and its family belongs to the user', async () => {
    const { services, user } = await withUser()
    const pair = await services.tokens.issueForUser(user)
    expect(await services.authenticators.jwt.resolve(pair.access_token)).toMatchObject({ kind: 'jwt', id: user.id })
    expect([...services.memory.rows.families.values()]).toMatchObject([{ userId: user.id, clientId: null }])
  })

  test.each([
    { name: 'the password is changed', act: 'setPassword' },
    { name: 'the user is disabled', act: 'disable' },
  ] as const)('when $name between login and issue, no pair is given out', async ({ act }) => {
    const { services, user } = await withUser()
    const identity = await services.login.verify('alice@example.com', 'correct horse')
    services.memory.before.set('refreshFamilies.insert', async () => {
      if (act === 'disable') await services.users.disable(user.id)
      else await services.users.setPassword(user.id, 'another horse')
    })
    await expectRefused(services.tokens.issueForUser(identity), 'login_failed')
    expect([...services.memory.rows.families.values()]).toMatchObject([{ revokedReason: 'user_changed' }])
  })

  test('a login right after a password change works, also where the clock is behind', async () => {
    const { services, user } = await withUser()
    services.time.now += 5000
    await services.users.setPassword(user.id, 'another horse')
    services.time.now -= 5000
    const pair = await services.tokens.issueForUser(await services.login.verify('alice@example.com', 'another horse'))
    await services.tokens.refresh(pair.refresh_token)
  })

  test('a user disabled before gets neither tokens nor a session', async () => {
    const { services, user } = await withUser()
    await services.users.disable(user.id)
    await expectRefused(services.tokens.issueForUser(user), 'login_failed')
    await expectRefused(services.sessions.create(user.id), 'login_failed')
  })

  test('a user nobody knows gets nothing that works', async () => {
    const { services } = await withUser()
    const ghost = { id: 'user_ghost', email: 'ghost@example.com', roles: [] }
    await expectRefused(services.tokens.issueForUser(ghost), 'login_failed')
  })
})

describe('issueForClient', () => {
  test('without an id it makes one', async () => {
    const { tokens } = createServices()
    expect((await tokens.issueForClient()).client_id).toMatch(/^client_[A-Za-z0-9]{16}$/)
  })

  test('the principal has the permissions given, in their stored form, and no user', async () => {
    const { tokens, authenticators } = createServices()
    const pair = await tokens.issueForClient({ clientId: 'ci', permissions: ['users:view', 'users.view'] })
    const outcome = await authenticators.jwt.resolve(pair.access_token)
    expect(outcome).toMatchObject({ kind: 'jwt', id: 'ci', user: null, bearerToken: { permissions: ['users.view'] } })
  })

  test.each([
    '',
    ' ',
    'a b',
    'a"b',
    'é',
    'a\n',
    '-a',
    'a'.repeat(129),
    'user_abc',
    'key_abc',
    'System',
    'master',
    'anonymous',
  ])('the id %p is refused', async (clientId) => {
    const { tokens, memory } = createServices()
    await expectInvalid(tokens.issueForClient({ clientId }), 'client_id')
    expect(memory.rows.families.size).toBe(0)
  })

  test.each(['importer', 'client_abc', 'https://app.example/ci', 'a', 'a'.repeat(128)])(
    'the id %p is accepted',
    async (clientId) => expect((await createServices().tokens.issueForClient({ clientId })).client_id).toBe(clientId),
  )

  test('unknown and malformed permissions are named by their place', async () => {
    const { tokens } = createServices()
    const permissions = ['users.view', 'users.fly', 'No Name', 'users.*', '*']
    await expectInvalid(tokens.issueForClient({ permissions }), 'permissions.1', 'permissions.2')
  })

  test.each([
    { name: 'more than one has', actor: actorWith(['platform.admin', 'users.view']), permissions: ['users.*'] },
    { name: 'from inside an organization', actor: actorWith(['*'], { organizationId: 'org_1' }), permissions: [] },
    { name: 'without platform reach', actor: actorWith(['users.view']), permissions: ['users.view'] },
  ])('$name: refused', async ({ actor, permissions }) => {
    const { tokens, memory } = createServices()
    await expectRefused(tokens.issueForClient({ permissions }, actor), 'permission_required')
    expect(memory.rows.families.size).toBe(0)
  })

  test('is written to the audit log without the tokens', async () => {
    const services = createServices()
    const pair = await services.tokens.issueForClient({ clientId: 'ci' })
    expect(auditedActions(services)).toEqual(['client.token_issued'])
    const log = JSON.stringify([...services.memory.rows.audit.values()])
    expect(log).not.toContain(pair.refresh_token.slice(-43))
  })
})

describe('logout', () => {
  test('ends the family: both tokens are refused from then on', async () => {
    const { services, user } = await withUser()
    const pair = await services.tokens.issueForUser(user)
    await services.authenticators.jwt.resolve(pair.access_token)
    await services.tokens.logout(pair.refresh_token)
    expect(await services.authenticators.jwt.resolve(pair.access_token)).toMatchObject({ code: 'token_revoked' })
    await expectRefused(services.tokens.refresh(pair.refresh_token), 'token_revoked')
  })

  test('a spent token ends its family too', async () => {
    const { services, user } = await withUser()
    const first = await services.tokens.issueForUser(user)
    const second = await services.tokens.refresh(first.refresh_token)
    await services.tokens.logout(first.refresh_token)
    await expectRefused(services.tokens.refresh(second.refresh_token), 'token_revoked')
  })

  test('twice, or with nonsense, is no error and changes nothing', async () => {
    const { services, user } = await withUser()
    const pair = await services.tokens.issueForUser(user)
    await services.tokens.logout(pair.refresh_token)
    const row = [...services.memory.rows.families.values()][0]
    services.time.now += 1000
    for (const text of [pair.refresh_token, '', 'nonsense', pair.access_token]) await services.tokens.logout(text)
    expect([...services.memory.rows.families.values()][0]).toEqual(row)
  })

  test('the process forgets the family even when the database does not answer in time', async () => {
    const { services, user } = await withUser()
    const pair = await services.tokens.issueForUser(user)
    services.memory.before.set('refreshFamilies.revoke', () => {
      throw new Error('timeout')
    })
    await expect(services.tokens.logout(pair.refresh_token)).rejects.toThrow('timeout')
    expect(services.invalidated.filter((entry) => entry.startsWith('family:'))).toHaveLength(1)
  })
})

describe('revokeUser', () => {
  test('ends every family of the user, and of nobody else', async () => {
    const { services, user } = await withUser()
    const other = await services.users.create({ email: 'bob@example.com' })
    const pairs = [await services.tokens.issueForUser(user), await services.tokens.issueForUser(user)]
    const theirs = await services.tokens.issueForUser(other)
    expect(await services.tokens.revokeUser(user.id)).toBe(2)
    for (const pair of pairs) await expectRefused(services.tokens.refresh(pair.refresh_token), 'token_revoked')
    await services.tokens.refresh(theirs.refresh_token)
  })

  test('is refused for a user of another organization', async () => {
    const { services, user } = await withUser()
    await services.tokens.issueForUser(user)
    const actor = actorWith(['*'], { organizationId: 'org_other' })
    await expectRefused(services.tokens.revokeUser(user.id, actor), 'not_found')
    expect(auditedActions(services)).toContain('cross_tenant_attempt')
    expect([...services.memory.rows.families.values()]).toMatchObject([{ revokedAt: null }])
  })
})
