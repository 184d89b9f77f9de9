import { describe, expect, test } from 'bun:test'
import { expectInvalid, expectRefused } from '../support/refusals.ts'
import { actorWith, auditedActions, createServices, fakeBcrypt, START } from '../support/services.ts'

const EMAIL = 'alice@example.com'

async function withOrganizations() {
  const services = createServices()
  const acme = await services.organizations.create({ name: 'Acme' })
  const other = await services.organizations.create({ name: 'Other' })
  return { services, users: services.users, acme, other }
}

describe('creating', () => {
  test('the view has no hash; the e-mail is stored in its one form', async () => {
    const { users, memory } = createServices()
    const user = await users.create({
      email: ' Alice@Example.com',
      password: 'correct horse',
      roles: ['member', 'member'],
    })
    expect(user).toEqual({
      id: expect.stringMatching(/^user_[A-Za-z0-9]{16}$/),
      email: EMAIL,
      organizationId: null,
      roles: ['member'],
      status: 'active',
      createdAt: new Date(START).toISOString(),
    })
    expect(memory.rows.users.get(user.id)?.passwordHash).toStartWith('$argon2id$')
    expect(JSON.stringify([...memory.rows.audit.values()])).not.toContain('horse')
  })

  test.each([
    { name: 'no address', input: { email: 'alice' }, paths: ['email'] },
    { name: 'a short password', input: { email: EMAIL, password: '1234567' }, paths: ['password'] },
    { name: 'a megabyte of password', input: { email: EMAIL, password: 'x'.repeat(1_000_000) }, paths: ['password'] },
    {
      name: 'unknown roles',
      input: { email: EMAIL, roles: ['member', 'nobody', '__proto__'] },
      paths: ['roles.1', 'roles.2'],
    },
    { name: 'an unknown organization', input: { email: EMAIL, organizationId: 'org_x' }, paths: ['organizationId'] },
    { name: 'a hash that is none', input: { email: EMAIL, passwordHash: 'sha1:abc' }, paths: ['passwordHash'] },
    {
      name: 'password and hash',
      input: { email: EMAIL, password: 'correct horse', passwordHash: fakeBcrypt('x') },
      paths: ['passwordHash'],
    },
    { name: 'an id with a space', input: { email: EMAIL, id: 'a b' }, paths: ['id'] },
    { name: "a key's id", input: { email: EMAIL, id: 'key_abc' }, paths: ['id'] },
    { name: 'the id of the system', input: { email: EMAIL, id: 'system' }, paths: ['id'] },
    {
      name: 'all of it wrong',
      input: { email: '', password: '', roles: ['x'] },
      paths: ['password', 'email', 'roles.0'],
    },
  ])('$name is refused by its place, and nothing is written', async ({ input, paths }) => {
    const { users, memory } = createServices()
    await expectInvalid(users.create(input), ...paths)
    expect(memory.rows.users.size).toBe(0)
  })

  test('an e-mail taken, in any form, or an id taken: conflict', async () => {
    const { users, memory } = createServices()
    await users.create({ email: EMAIL, id: 'alice' })
    await expectRefused(users.create({ email: 'ALICE@example.com' }), 'conflict')
    await expectRefused(users.create({ email: 'bob@example.com', id: 'alice' }), 'conflict')
    expect(memory.rows.users.size).toBe(1)
  })

  test.each([
    { name: 'a role beyond his own', permissions: ['machine_auth.*', 'users.view'], roles: ['admin'] },
    { name: 'the administrator role, although he has * inside', permissions: ['*'], roles: ['admin'] },
  ])('an administrator of an organization cannot give $name', async ({ permissions, roles }) => {
    const { users, acme, services } = await withOrganizations()
    const actor = actorWith(permissions, { organizationId: acme.id })
    await expectRefused(users.create({ email: EMAIL, roles }, actor), 'permission_required')
    expect(services.memory.rows.users.size).toBe(0)
  })

  test('his users belong to his organization, whatever he leaves out', async () => {
    const { users, acme, other } = await withOrganizations()
    const actor = actorWith(['users.view'], { organizationId: acme.id, userId: 'u', roles: ['support'] })
    expect((await users.create({ email: EMAIL, roles: ['support'] }, actor)).organizationId).toBe(acme.id)
    await expectRefused(users.create({ email: 'b@example.com', organizationId: other.id }, actor), 'not_found')
    await expectRefused(users.create({ email: 'c@example.com' }, actorWith([], { userId: 'u' })), 'permission_required')
  })
})

describe('finding and listing', () => {
  test('an organization sees its own users, a person himself, the platform all', async () => {
    const { users, services, acme, other } = await withOrganizations()
    const inside = await users.create({ email: EMAIL, organizationId: acme.id })
    const outside = await users.create({ email: 'bob@example.com', organizationId: other.id })
    const free = await users.create({ email: 'carol@example.com' })
    const administrator = actorWith(['*'], { organizationId: acme.id })
    const person = actorWith([], { userId: free.id })
    expect((await users.list({}, {}, administrator)).items).toEqual([inside])
    expect((await users.list({}, {}, person)).items).toEqual([free])
    expect((await users.list({}, {}, actorWith(['users.view']))).items).toEqual([])
    expect((await users.list()).items).toHaveLength(3)
    expect((await users.list({ organizationId: other.id })).items).toEqual([outside])
    await expectRefused(users.list({ organizationId: other.id }, {}, administrator), 'not_found')
    await expectRefused(users.list({ organizationId: acme.id }, {}, person), 'not_found')
    expect(await users.find(inside.id, administrator)).toEqual(inside)
    for (const id of [outside.id, free.id]) await expectRefused(users.find(id, administrator), 'not_found')
    expect(auditedActions(services).filter((action) => action === 'cross_tenant_attempt')).toHaveLength(4)
    await expectRefused(users.find('user_ghost'), 'not_found')
  })

  test.each([0, 101, 1.5, Number.NaN])('a limit of %p is refused', async (limit) => {
    await expectInvalid(createServices().users.list({}, { limit }), 'limit')
  })
})

describe('taking away', () => {
  async function withEverything() {
    const services = createServices()
    const user = await services.users.create({ email: EMAIL, password: 'correct horse', roles: ['support'] })
    const { rawKey } = await services.keys.create({ name: 'k', userId: user.id, permissions: ['users.view'] })
    const { cookieValue } = await services.sessions.create(user.id)
    const pair = await services.tokens.issueForUser(user)
    const states = async () => ({
      key: codeOf(await services.authenticators.apiKey.resolve(rawKey)),
      session: codeOf(await services.authenticators.session.resolve(cookieValue)),
      jwt: codeOf(await services.authenticators.jwt.resolve(pair.access_token)),
    })
    expect(await states()).toEqual({ key: 'apiKey', session: 'session', jwt: 'jwt' })
    return { services, user, states, pair }
  }
  const codeOf = (outcome: { kind: string; code?: string }) => outcome.code ?? outcome.kind

  test('disabling refuses everything on the next request', async () => {
    const { services, user, states, pair } = await withEverything()
    const view = await services.users.disable(user.id)
    expect(view.status).toBe('disabled')
    const { key, ...rest } = await states()
    expect(key).toBe('user_disabled')
    for (const code of Object.values(rest)) expect(['session_invalid', 'token_revoked']).toContain(code)
    await expectRefused(services.tokens.refresh(pair.refresh_token), 'token_revoked')
    await expectRefused(services.login.verify(EMAIL, 'correct horse'), 'login_failed')
  })

  test('enabling brings back the login and the keys, no session and no token', async () => {
    const { services, user, states } = await withEverything()
    await services.users.disable(user.id)
    await services.users.enable(user.id)
    expect(await states()).toEqual({ key: 'apiKey', session: 'session_invalid', jwt: 'token_revoked' })
    await services.login.verify(EMAIL, 'correct horse')
  })

  test('a new password ends sessions and tokens; keys stay', async () => {
    const { services, user, states } = await withEverything()
    await services.users.setPassword(user.id, 'another horse')
    expect(await states()).toEqual({ key: 'apiKey', session: 'session_invalid', jwt: 'token_revoked' })
    await services.login.verify(EMAIL, 'another horse')
    await expectRefused(services.login.verify(EMAIL, 'correct horse'), 'login_failed')
  })

  test('roles count from the next request on', async () => {
    const { services, user } = await withEverything()
    const { cookieValue } = await services.sessions.create(user.id)
    const permissions = async () => {
      const outcome = await services.authenticators.session.resolve(cookieValue)
      return outcome.kind === 'refused' ? outcome.code : outcome.granted.names
    }
    expect(await permissions()).toEqual(['users.view'])
    await services.users.setRoles(user.id, [])
    expect(await permissions()).toEqual([])
  })

  test('this process forgets the user even when half of it fails', async () => {
    const { services, user } = await withEverything()
    services.memory.before.set('sessions.deleteByUser', () => {
      throw new Error('connection lost')
    })
    await expect(services.users.setPassword(user.id, 'another horse')).rejects.toThrow('connection lost')
    expect(services.invalidated.at(-1)).toBe(`user:${user.id}`)
  })

  test('a process that dies between password and sessions leaves none alive', async () => {
    const { services, user, states } = await withEverything()
    services.time.now += 1000
    services.memory.before.set('sessions.deleteByUser', () => {
      throw new Error('killed')
    })
    await expect(services.users.setPassword(user.id, 'another horse')).rejects.toThrow('killed')
    expect(services.memory.rows.sessions.size).toBe(1)
    expect(await states()).toEqual({ key: 'apiKey', session: 'session_invalid', jwt: 'token_revoked' })
  })

  test('two changes in one millisecond are two moments', async () => {
    const { services, user } = await withEverything()
    const moment = () => services.memory.rows.users.get(user.id)?.tokensNotBefore
    await services.users.setPassword(user.id, 'another horse')
    expect(moment()).toBe(START)
    await services.users.setPassword(user.id, 'a third horse')
    expect(moment()).toBe(START + 1)
  })
})

describe('who may change whom', () => {
  test.each([
    { name: 'set the password of', change: { password: 'my own horse' } },
    { name: 'disable', change: { status: 'disabled' } },
    { name: 'take roles from', change: { roles: [] } },
    { name: 'rename', change: { email: 'mine@example.com' } },
  ] as const)('nobody can $name a user who may do more than he', async ({ change }) => {
    const { users, services, acme } = await withOrganizations()
    const boss = await users.create({ email: EMAIL, roles: ['admin'], organizationId: acme.id })
    const before = services.memory.rows.users.get(boss.id)
    const actor = actorWith(['machine_auth.*', 'users.*'], { organizationId: acme.id })
    await expectRefused(users.update(boss.id, change, actor), 'permission_required')
    expect(services.memory.rows.users.get(boss.id)).toBe(before)
  })

  test('a key of less than its owner cannot change its owner', async () => {
    const { users } = await withOrganizations()
    const boss = await users.create({ email: EMAIL, roles: ['admin'] })
    const key = actorWith(['machine_auth.*'], { userId: boss.id })
    await expectRefused(users.setPassword(boss.id, 'my own horse', key), 'permission_required')
  })

  test('nobody gives himself a role beyond his own', async () => {
    const { users, acme } = await withOrganizations()
    const user = await users.create({ email: EMAIL, roles: ['support'], organizationId: acme.id })
    const actor = actorWith(['users.view'], { organizationId: acme.id, userId: user.id })
    await expectRefused(users.setRoles(user.id, ['admin'], actor), 'permission_required')
  })

  test('only the platform moves users between organizations', async () => {
    const { users, acme, other } = await withOrganizations()
    const user = await users.create({ email: EMAIL, organizationId: acme.id })
    const actor = actorWith(['*'], { organizationId: acme.id })
    for (const [organizationId, code] of [
      [other.id, 'not_found'],
      ['org_ghost', 'not_found'],
      [null, 'permission_required'],
    ] as const) {
      await expectRefused(users.update(user.id, { organizationId }, actor), code)
    }
    await expectInvalid(users.update(user.id, { organizationId: 'org_ghost' }), 'organizationId')
    expect((await users.update(user.id, { organizationId: other.id })).organizationId).toBe(other.id)
  })

  test("another organization's user is not found, and stays as he is", async () => {
    const { users, services, acme, other } = await withOrganizations()
    const user = await users.create({ email: EMAIL, organizationId: other.id })
    const actor = actorWith(['*'], { organizationId: acme.id })
    const before = services.memory.rows.users.get(user.id)
    await expectRefused(users.setPassword(user.id, 'my own horse', actor), 'not_found')
    await expectRefused(users.disable(user.id, actor), 'not_found')
    expect(services.memory.rows.users.get(user.id)).toBe(before)
  })

  test.each([
    { change: { email: 'nobody' }, paths: ['email'] },
    { change: { password: 'short' }, paths: ['password'] },
    { change: { roles: ['ghost'] }, paths: ['roles.0'] },
    { change: { status: 'gone' as 'disabled' }, paths: ['status'] },
  ])('a wrong change is refused at $paths', async ({ change, paths }) => {
    const { users } = createServices()
    const { id } = await users.create({ email: EMAIL })
    await expectInvalid(users.update(id, change), ...paths)
  })

  test('an e-mail taken by another is a conflict, his own is none', async () => {
    const { users } = createServices()
    const { id } = await users.create({ email: EMAIL })
    await users.create({ email: 'bob@example.com' })
    await expectRefused(users.update(id, { email: 'BOB@example.com' }), 'conflict')
    expect((await users.update(id, { email: 'Alice@example.com' })).email).toBe(EMAIL)
  })

  test('the audit log says what was changed, of passwords and addresses only that they were', async () => {
    const services = createServices()
    const { id } = await services.users.create({ email: EMAIL })
    await services.users.update(id, { password: 'another horse', email: 'new@example.com', roles: ['member'] })
    const event = [...services.memory.rows.audit.values()].at(-1)
    expect(event).toMatchObject({ action: 'user.updated', subject: id, actor: 'system' })
    expect(event?.details).toEqual({
      before: { roles: [] },
      after: { email: 'changed', roles: ['member'], passwordHash: 'changed' },
    })
  })
})
