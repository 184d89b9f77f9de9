/** What a review of managing found about who changes users, and how they log in. */
import { describe, expect, test } from 'bun:test'
import { expectRefused } from '../support/refusals.ts'
import { actorWith, createFakeHasher, createServices, fakeBcrypt, type Services } from '../support/services.ts'
import { addKey, addPeople, addSession, createTestApp } from '../support/test-app.ts'

const PASSWORD = 'a quite different horse'
const USERS = 'machine_auth.users.*'

describe('a limited key makes nothing that is without its limits', () => {
  const limits = [
    { environment: 'test' },
    { ipAllowlist: ['127.0.0.1', '::1'] },
    { expiresInDays: 1 },
    { rateLimit: { limit: 100, window: '1m' } },
    { monthlyQuota: 100 },
    { credits: { remaining: 100 } },
  ] as const
  const changes = [
    { password: PASSWORD },
    { email: 'new@example.com' },
    { roles: [] },
    { status: 'active' },
    { status: 'disabled', password: PASSWORD },
  ]

  test.each(limits.map((limit) => ({ limit, name: Object.keys(limit).join() })))(
    'no user and no way to log in: a key with $name',
    async ({ limit }) => {
      await using t = await createTestApp()
      await addPeople(t)
      const { headers } = await addKey(t, { permissions: ['*'], ...limit })
      const stored = () => t.client.query('select * from machine_auth_users order by id').all()
      const before = stored()
      const create = (body: object) => t.ask('/auth/users', { headers, body: { email: 'c@example.com', ...body } })
      for (const body of [{ password: PASSWORD }, { password: PASSWORD, roles: ['admin'] }]) {
        expect((await create(body)).said).toBe('403 permission_required')
      }
      const patch = (body: object) => t.ask('/auth/users/user_bob', { method: 'PATCH', headers, body })
      for (const change of changes) expect((await patch(change)).said).toBe('403 permission_required')
      expect(stored()).toEqual(before)
      // To take away is not to give.
      expect((await patch({ status: 'disabled' })).json.status).toBe('disabled')
      // Without a password there is no credential.
      expect((await create({ roles: ['admin'] })).said).toBe('201')
      const [made] = t.client.query("select password_hash from machine_auth_users where email = 'c@example.com'").all()
      expect(made).toEqual({ password_hash: null })
    },
  )

  test('nor does it bring a password along as a hash', async () => {
    const { users, memory } = createServices()
    const key = { ...actorWith(['*']), apiKey: { environment: 'test', ipAllowlist: [] } } as const
    const passwordHash = fakeBcrypt('correct horse')
    await expectRefused(users.create({ email: 'c@example.com', passwordHash }, key), 'permission_required')
    expect(memory.rows.users.size).toBe(0)
    await users.create({ email: 'c@example.com' }, key)
    expect([...memory.rows.users.values()]).toMatchObject([{ passwordHash: null, status: 'active' }])
  })

  test('one without limits does both', async () => {
    await using t = await createTestApp()
    await addPeople(t)
    const { headers } = await addKey(t, { permissions: ['*'] })
    const body = { email: 'c@example.com', password: PASSWORD }
    expect((await t.ask('/auth/users', { headers, body })).said).toBe('201')
    expect((await t.ask('/auth/users/user_bob', { method: 'PATCH', headers, body })).said).toBe('409 conflict')
  })

  test('no key decides how its owner logs in; he himself does', async () => {
    await using t = await createTestApp()
    await addPeople(t)
    const key = await addKey(t, { userId: 'user_alice', permissions: ['*'] })
    const session = await addSession(t, 'user_alice')
    const patch = async (headers: Readonly<Record<string, string>>, body: object) =>
      (await t.ask('/auth/users/user_alice', { method: 'PATCH', headers, body })).said
    const stored = () => t.client.query('select * from machine_auth_users order by id').all()
    const before = stored()
    for (const body of [{ password: PASSWORD }, { email: 'mine@example.com' }, { status: 'disabled' }]) {
      expect(await patch(key.headers, body)).toBe('403 permission_required')
    }
    expect(stored()).toEqual(before)
    expect(await patch({ ...session.headers, origin: t.origin }, { email: 'mine@example.com' })).toBe('200')
  })
})

describe('users whom the app keeps are judged by what it says', () => {
  const ROLES = { admin: ['*'], keeper: ['machine_auth.*'], clerk: [USERS] }

  async function createApp() {
    const people = new Map<string, { roles: readonly string[]; organizationId?: string }>()
    let isDown = false
    const services = createServices({
      roles: ROLES,
      users: {
        load(id) {
          if (isDown) throw new Error('the app’s database is down')
          const person = people.get(id)
          return person === undefined ? null : { id, ...person }
        },
      },
    })
    const [a, b] = [
      await services.organizations.create({ name: 'A' }),
      await services.organizations.create({ name: 'B' }),
    ]
    const add = async (
      id: string,
      organizationId: string | null,
      roles: readonly string[],
      recordOf = organizationId,
    ) => {
      people.set(id, organizationId === null ? { roles } : { roles, organizationId })
      await services.users.create({ id, email: `${id}@example.com`, organizationId: recordOf })
    }
    return { services, people, add, a: a.id, b: b.id, fail: () => (isDown = true) }
  }
  const rowOf = ({ memory }: Services, id: string) => memory.rows.users.get(id)

  test.each([
    ['password', { password: PASSWORD }],
    ['e-mail', { email: 'mine@example.com' }],
    ['status', { status: 'disabled' as const }],
  ])('what the app lets him do: nobody who can do less changes his %s', async (_, change) => {
    const { services, add } = await createApp()
    await add('boss', null, ['admin'])
    const before = rowOf(services, 'boss')
    await expectRefused(
      services.users.update('boss', change, actorWith([USERS, 'platform.admin'])),
      'permission_required',
    )
    expect(rowOf(services, 'boss')).toBe(before)
    await services.users.update('boss', change, actorWith(['*']))
  })

  test('where the app has him: an organization that he has left does not reach him', async () => {
    const { services, add, a, b } = await createApp()
    await add('moved', b, ['clerk'], a)
    const before = rowOf(services, 'moved')
    for (const organizationId of [a, b]) {
      const actor = actorWith(['*'], { organizationId, userId: 'u', roles: ['clerk'] })
      await expectRefused(services.users.setPassword('moved', PASSWORD, actor), 'not_found')
    }
    expect(rowOf(services, 'moved')).toBe(before)
  })

  test('his sessions, too, are his organization’s as the app says', async () => {
    const { services, add, a, b } = await createApp()
    await add('moved', b, ['clerk'], a)
    await services.sessions.create('moved')
    const of = (organizationId: string, permissions = [USERS]) => actorWith(permissions, { organizationId })
    await expectRefused(services.sessions.listFor('moved', of(a)), 'not_found')
    await expectRefused(services.sessions.endAll('moved', of(a, ['*'])), 'not_found')
    await expectRefused(services.sessions.endAll('moved', of(b, [])), 'permission_required')
    expect(await services.sessions.listFor('moved', of(b))).toHaveLength(1)
    expect(await services.sessions.endAll('moved', of(b))).toBe(1)
    expect([...services.memory.rows.audit.values()].at(-1)?.organizationId).toBe(b)
  })

  test('whom the app does not know, only who may do everything acts on', async () => {
    const { services, add, people, a } = await createApp()
    await add('gone', a, [])
    people.delete('gone')
    const before = rowOf(services, 'gone')
    const keeper = actorWith(['machine_auth.*', 'platform.admin'])
    await expectRefused(services.users.setPassword('gone', PASSWORD, keeper), 'permission_required')
    await expectRefused(services.sessions.endAll('gone', keeper), 'permission_required')
    expect(rowOf(services, 'gone')).toBe(before)
    await services.users.setPassword('gone', PASSWORD, actorWith(['*']))
  })

  test('a record with a password under the id of somebody of the app is a way in as him', async () => {
    const { services, people, a } = await createApp()
    people.set('boss', { roles: ['admin'] })
    people.set('clerk', { roles: ['clerk'], organizationId: a })
    const make = (id: string, permissions: readonly string[], organizationId: string | null = null) =>
      services.users.create(
        { id, email: `${id}@example.com`, password: PASSWORD },
        actorWith(permissions, { organizationId, userId: 'u', roles: ['clerk'] }),
      )
    await expectRefused(make('boss', [USERS, 'platform.admin']), 'permission_required')
    await expectRefused(make('boss', ['*'], a), 'not_found')
    await expectRefused(make('nobody', [USERS, 'platform.admin']), 'permission_required')
    expect(services.memory.rows.users.size).toBe(0)
    expect((await make('clerk', [USERS], a)).organizationId).toBe(a)
  })

  test('who is disabled is still whom the app knows, and can be enabled by who covers him', async () => {
    const { services, add, a } = await createApp()
    await add('clerk', a, ['clerk'])
    const keeper = actorWith(['machine_auth.*'], { organizationId: a, userId: 'u', roles: ['clerk'] })
    await services.users.disable('clerk', keeper)
    expect((await services.users.enable('clerk', keeper)).status).toBe('active')
  })

  test('an app that fails does not keep code or master key from disabling somebody, others it does', async () => {
    const { services, add, a, fail } = await createApp()
    await add('clerk', a, ['clerk'])
    const { session } = await services.sessions.create('clerk')
    fail()
    const keeper = actorWith(['machine_auth.*'], { organizationId: a })
    await expect(services.users.disable('clerk', keeper)).rejects.toThrow('down')
    await services.sessions.end(session.id)
    expect((await services.users.disable('clerk')).status).toBe('disabled')
  })
})

describe('a user who becomes somebody else while a change of his is under way', () => {
  const ROLES = { admin: ['*'], user: ['posts.view'], support: ['users.view'] }
  const helper = actorWith([USERS, 'posts.view', 'users.view', 'platform.admin'])

  async function withVictim(
    whileHashing: (services: Services, id: string) => Promise<unknown> = async () => undefined,
  ) {
    const fake = createFakeHasher()
    let during = async (): Promise<unknown> => undefined
    const hasher = {
      ...fake,
      async hash(password: string) {
        await during()
        return fake.hash(password)
      },
    }
    const services = createServices({ roles: ROLES, hasher })
    const { id } = await services.users.create({ email: 'v@example.com', roles: ['user'], password: 'original horse' })
    during = () => whileHashing(services, id)
    const hash = () => services.memory.rows.users.get(id)?.passwordHash
    return { services, id, hash, original: hash(), hashed: () => fake.calls.hash }
  }

  test('is promoted while the password is hashed: judged anew', async () => {
    const { services, id, hash, original } = await withVictim(({ users }, id) => users.setRoles(id, ['admin']))
    await expectRefused(services.users.setPassword(id, PASSWORD, helper), 'permission_required')
    expect(hash()).toBe(original)
  })

  test.each([
    { name: 'promoted', change: { roles: ['admin'] }, code: 'permission_required' },
    { name: 'given something harmless', change: { roles: ['support', 'user'] }, code: null },
    { name: 'disabled', change: { status: 'disabled' }, code: null },
  ] as const)('is $name between judging and writing', async ({ change, code }) => {
    const { services, id, hash, original } = await withVictim()
    services.memory.before.set('users.update', () => services.users.update(id, change).then(() => undefined))
    const setting = services.users.setPassword(id, PASSWORD, helper)
    if (code !== null) await expectRefused(setting, code)
    else await setting
    expect(hash() === original).toBe(code !== null)
    expect(services.memory.rows.users.get(id)).toMatchObject(change)
  })

  test('is an administrator but for the moment in which he is judged: by what is written', async () => {
    const { services, id, hash, original } = await withVictim()
    const { rows, before } = services.memory
    const give = (roles: readonly string[]) => {
      const row = rows.users.get(id)
      if (row !== undefined) rows.users.set(id, { ...row, roles })
    }
    give(['admin'])
    before.set('users.findWithOrganization', () => give([]))
    before.set('users.update', () => give(['admin']))
    await expectRefused(services.users.update(id, { email: 'mine@example.com' }, helper), 'permission_required')
    expect(hash()).toBe(original)
    expect(rows.users.get(id)?.email).toBe('v@example.com')
  })

  test('is moved out of reach between judging and writing', async () => {
    const { services, id, hash, original } = await withVictim()
    const [a, b] = [
      await services.organizations.create({ name: 'A' }),
      await services.organizations.create({ name: 'B' }),
    ]
    await services.users.update(id, { organizationId: a.id })
    const actor = actorWith([USERS, 'posts.view'], { organizationId: a.id, userId: 'u', roles: ['user'] })
    services.memory.before.set('users.update', async () => {
      await services.users.update(id, { organizationId: b.id })
    })
    await expectRefused(services.users.setPassword(id, PASSWORD, actor), 'not_found')
    expect(hash()).toBe(original)
  })

  test('is changed again and again: a conflict, and nothing is written', async () => {
    const { services, id, hash, original } = await withVictim()
    let isOn = true
    const again = async (): Promise<void> => {
      const row = services.memory.rows.users.get(id)
      if (row === undefined || !isOn) return
      services.memory.rows.users.set(id, {
        ...row,
        roles: [...row.roles].reverse().concat(row.roles.length > 1 ? [] : ['support']),
      })
      services.memory.before.set('users.update', again)
    }
    services.memory.before.set('users.update', again)
    await expectRefused(services.users.setPassword(id, PASSWORD), 'conflict')
    isOn = false
    expect(hash()).toBe(original)
  })

  test('gives his roles in another order again and again: nothing is changed by it', async () => {
    const { services, id, hash, original } = await withVictim()
    const orders = [
      ['user', 'support'],
      ['support', 'user'],
    ]
    await services.users.setRoles(id, orders[0] ?? [])
    const { before } = services.memory
    let count = 0
    const again = async (): Promise<void> => {
      await services.users.setRoles(id, orders[++count % 2] ?? [])
      before.set('users.update', again)
    }
    before.set('users.update', again)
    await services.users.setPassword(id, PASSWORD)
    before.delete('users.update')
    expect(count).toBe(1)
    expect(hash()).not.toBe(original)
    expect(services.memory.rows.users.get(id)?.roles).toEqual(['user', 'support'])
  })

  test('is disabled, whatever he changes meanwhile, again and again', async () => {
    const { services, id } = await withVictim()
    const { session } = await services.sessions.create(id)
    const { rows, before } = services.memory
    let count = 0
    const again = (): void => {
      const row = rows.users.get(id)
      if (row !== undefined) rows.users.set(id, { ...row, roles: ++count % 2 === 0 ? ['user'] : [] })
      before.set('users.update', again)
    }
    before.set('users.update', again)
    expect((await services.users.disable(id, helper)).status).toBe('disabled')
    expect(count).toBe(1)
    // What he changed meanwhile is his; only the status is written over.
    expect(rows.users.get(id)).toMatchObject({ status: 'disabled', roles: [] })
    expect(rows.sessions.has(session.id)).toBe(false)
    await expectRefused(services.users.enable(id, helper), 'conflict')
  })

  test('nothing is hashed for whom it is refused', async () => {
    const { services, id, hashed } = await withVictim()
    const before = hashed()
    await expectRefused(services.users.setPassword(id, PASSWORD, actorWith([])), 'not_found')
    await expectRefused(services.users.setPassword('user_ghost', PASSWORD), 'not_found')
    expect(hashed()).toBe(before)
  })
})

test('sessions of who may do more are ended by nobody who may do less, and seen by who sees users', async () => {
  await using t = await createTestApp()
  await addPeople(t)
  const { headers } = await addSession(t, 'user_alice')
  const helper = await addKey(t, {
    permissions: ['machine_auth.users.update', 'machine_auth.users.view', 'platform.admin'],
  })
  const path = '/auth/users/user_alice/sessions'
  expect((await t.ask(path, { method: 'DELETE', headers: helper.headers })).said).toBe('403 permission_required')
  expect((await t.ask('/user', { headers })).said).toBe('200')
  expect((await t.ask(path, { headers: helper.headers })).said).toBe('200')
})
