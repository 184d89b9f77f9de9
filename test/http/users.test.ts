import { afterAll, describe, expect, test } from 'bun:test'
import { expectInvalidAt, expectProblem, listAt, membersOf, textAt } from '../support/answers.ts'
import {
  addKey,
  addSession,
  addTokens,
  asMaster,
  createTestApp,
  type Json,
  PASSWORD,
  PASSWORD_HASH,
  START,
} from '../support/test-app.ts'

const t = await createTestApp()
afterAll(t.close)
const acme = await t.core.organizations.create({ name: 'Acme' })
const other = await t.core.organizations.create({ name: 'Other' })

const MEMBERS = ['createdAt', 'email', 'id', 'organizationId', 'roles', 'status']
const NEW_PASSWORD = 'a quite different horse'

type Headers = Readonly<Record<string, string>>
const create = (body: unknown, headers: Headers = asMaster) => t.ask('/auth/users', { method: 'POST', headers, body })
const show = (id: string, headers: Headers = asMaster) => t.ask(`/auth/users/${id}`, { headers })
const change = (id: string, body: unknown, headers: Headers = asMaster) =>
  t.ask(`/auth/users/${id}`, { method: 'PATCH', headers, body })
const logIn = (email: string, password: string) => t.ask('/auth/login', { body: { email, password } })

let made = 0
async function addUser(more: Omit<Parameters<typeof t.core.users.create>[0], 'email'> = {}) {
  made += 1
  const email = `person${made}@example.com`
  const { id } = await t.core.users.create({ passwordHash: PASSWORD_HASH, ...more, email })
  return { id, email }
}

describe('POST /users', () => {
  test('answers the user, without a hash', async () => {
    const body = { email: ' Alice@Example.com', password: PASSWORD, organizationId: acme.id, roles: ['user', 'user'] }
    const answer = await create(body)
    expect(answer.status).toBe(201)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.json).toEqual({
      id: expect.stringMatching(/^user_[0-9A-Za-z]{16}$/),
      email: 'alice@example.com',
      organizationId: acme.id,
      roles: ['user'],
      status: 'active',
      createdAt: new Date(START).toISOString(),
    })
    expect((await show(textAt(answer.json, 'id'))).json).toEqual(answer.json)
    expect((await logIn('alice@example.com', PASSWORD)).status).toBe(200)
    expect(answer.text).not.toMatch(/argon|hash|horse/)
  })

  test('without a password he cannot log in by one', async () => {
    const answer = await create({ email: 'no-password@example.com' })
    expect(answer.json).toMatchObject({ organizationId: null, roles: [], status: 'active' })
    for (const password of ['', 'null', PASSWORD]) {
      expect((await logIn('no-password@example.com', password)).status).not.toBe(200)
    }
  })

  test.each([
    ['no e-mail', {}, ['email']],
    ['no address', { email: 'alice' }, ['email']],
    ['an address of two lines', { email: 'a@example.com\nb@example.com' }, ['email']],
    ['a short password', { email: 'x@example.com', password: '1234567' }, ['password']],
    ['a long password', { email: 'x@example.com', password: 'x'.repeat(1025) }, ['password']],
    ['an unknown role', { email: 'x@example.com', roles: ['user', 'nobody'] }, ['roles.1']],
    ['text for roles', { email: 'x@example.com', roles: 'admin' }, ['roles']],
    ['too many roles', { email: 'x@example.com', roles: Array(65).fill('user') }, ['roles']],
    ['an unknown organization', { email: 'x@example.com', organizationId: 'org_none' }, ['organizationId']],
    ['an id', { email: 'x@example.com', id: 'user_x' }, ['id']],
    ['a hash', { email: 'x@example.com', passwordHash: PASSWORD_HASH }, ['passwordHash']],
    ['a status', { email: 'x@example.com', status: 'active' }, ['status']],
    ['several at once', { email: 1, roles: 1, x: 1 }, ['email', 'roles', 'x']],
    ['no body', undefined, ['body']],
  ])('refuses %s, and makes nobody', async (_, body, paths) => {
    const before = t.countRows()
    const answer = await create(body)
    expectInvalidAt(answer, ...paths)
    expect(answer.text).not.toMatch(/1234567|argon/)
    expect(t.countRows()).toEqual(before)
  })

  test('an e-mail is given once, in whatever case', async () => {
    const { email } = await addUser()
    const before = t.countRows()
    for (const same of [email, email.toUpperCase(), ` ${email} `]) {
      const answer = await create({ email: same })
      expectProblem(answer, 'conflict', ['errors'])
    }
    expect(t.countRows()).toEqual(before)
  })

  test('an organization’s administrator makes users of the organization, said or unsaid', async () => {
    const { headers } = await addKey(t, { organizationId: acme.id, permissions: ['machine_auth.users.*'] })
    for (const body of [{}, { organizationId: acme.id }]) {
      made += 1
      const answer = await create({ email: `inside${made}@example.com`, ...body }, headers)
      expect(answer.json.organizationId).toBe(acme.id)
    }
    expectProblem(await create({ email: 'out@example.com', organizationId: other.id }, headers), 'not_found')
    expect(await t.core.users.findByEmail('out@example.com')).toBeNull()
  })

  test('nobody gives a role that grants more than he has, or that he has not', async () => {
    const keeper = await addUser({ roles: ['keeper'], organizationId: acme.id })
    const { headers } = await addTokens(t, keeper.id)
    const key = await addKey(t, { organizationId: acme.id, permissions: ['machine_auth.*', 'users.*'] })
    const refused: readonly (readonly [Headers, readonly string[], readonly string[]])[] = [
      [headers, ['user'], ['posts.view']],
      [headers, ['admin'], ['*']],
      [headers, ['keeper', 'admin'], ['*']],
      [key.headers, ['keeper'], ['keeper']],
    ]
    for (const [as, roles, required] of refused) {
      const answer = await create({ email: 'above@example.com', roles }, as)
      expectProblem(answer, 'permission_required', ['required'])
      expect(answer.json.required).toEqual([...required])
    }
    expect(await t.core.users.findByEmail('above@example.com')).toBeNull()
    expect((await create({ email: 'beside@example.com', roles: ['keeper'] }, headers)).json.roles).toEqual(['keeper'])
  })

  test('who belongs to no organization, and reaches no platform, makes nobody', async () => {
    const { headers } = await addKey(t, { permissions: ['machine_auth.*'] })
    expectProblem(await create({ email: 'nobody@example.com' }, headers), 'permission_required', ['required'])
  })
})

describe('GET /users', () => {
  test('lists with filter, order and pages', async () => {
    await using app = await createTestApp()
    const org = await app.core.organizations.create({ name: 'Acme' })
    for (const [email, organizationId] of [
      ['c@example.com', org.id],
      ['a@example.com', null],
      ['b@example.com', org.id],
      ['d@example.com', null],
    ] as const) {
      app.time.now += 1000
      await app.core.users.create({ email, organizationId })
    }
    const all = async (query: string, headers: Headers = asMaster) => {
      const letters: string[] = []
      for (let cursor = ''; ; ) {
        const { json } = await app.ask(`/auth/users?${query}&limit=3${cursor}`, { headers })
        expect(membersOf(json)).toEqual(['items', 'nextCursor'])
        for (const item of listAt(json, 'items')) {
          expect(membersOf(item)).toEqual(MEMBERS)
          letters.push(textAt(item, 'email').charAt(0))
        }
        if (json.nextCursor === null) return letters.join('')
        cursor = `&cursor=${json.nextCursor}`
      }
    }
    expect(await all('')).toBe('dbac')
    expect(await all('order=asc')).toBe('cabd')
    expect(await all('sort=email&order=asc')).toBe('abcd')
    expect(await all('sort=email')).toBe('dcba')
    expect(await all('sort=name&order=asc')).toBe('abcd')
    expect(await all(`organizationId=${org.id}`)).toBe('bc')
    expect(await all(`organizationId=${org.id}&sort=email&order=asc`)).toBe('bc')
    expect(await all('organizationId=org_none')).toBe('')
    const own = await addKey(app, { organizationId: org.id, permissions: ['machine_auth.users.view'] })
    expect(await all('', own.headers)).toBe('bc')
    const loner = await app.core.users.create({ email: 'x@example.com', roles: ['keeper'] })
    expect(await all('', (await addTokens(app, loner.id)).headers)).toBe('x')
  })

  test.each([
    ['sort=lastUsedAt', ['sort']],
    ['sort=passwordHash', ['sort']],
    ['order=up', ['order']],
    ['limit=0', ['limit']],
    ['limit=101', ['limit']],
    ['cursor=x', ['cursor']],
    ['q=a', ['q']],
    ['status=disabled', ['status']],
    ["organizationId=a'b", ['organizationId']],
    ['limit=x&where=1', ['limit', 'where']],
  ])('%s is refused', async (query, paths) => {
    expectInvalidAt(await t.ask(`/auth/users?${query}`, { headers: asMaster }), ...paths)
  })

  test('a cursor of another order is refused', async () => {
    const { nextCursor } = (await t.ask('/auth/users?sort=email&limit=1', { headers: asMaster })).json
    expect(nextCursor).toBeString()
    expectInvalidAt(await t.ask(`/auth/users?cursor=${nextCursor}`, { headers: asMaster }), 'cursor')
  })
})

describe('GET /users/:id', () => {
  test.each(['user_0000000000000000', 'x', 'constructor'])('of %s finds nothing', async (id) => {
    expectProblem(await show(id), 'not_found')
    expectProblem(await change(id, {}), 'not_found')
  })
})

describe('PATCH /users/:id', () => {
  test.each([
    [{ email: 'Moved@Example.com' }, { email: 'moved@example.com' }],
    [{ organizationId: acme.id }, { organizationId: acme.id }],
    [{ roles: ['user', 'keeper'] }, { roles: ['user', 'keeper'] }],
    [{ roles: [] }, { roles: [] }],
    [{ status: 'disabled' }, { status: 'disabled' }],
    [{}, {}],
  ])('%j changes that and nothing else', async (body, expected) => {
    const { id } = await addUser({ roles: ['user'], organizationId: other.id })
    const before = (await show(id)).json
    const answer = await change(id, body)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.json).toEqual({ ...before, ...expected })
    expect((await show(id)).json).toEqual(answer.json)
  })

  test('null takes him out of his organization', async () => {
    const { id } = await addUser({ organizationId: acme.id })
    expect((await change(id, { organizationId: null })).json.organizationId).toBeNull()
  })

  test.each([
    ['no e-mail', { email: null }, ['email']],
    ['no password', { password: null }, ['password']],
    ['a short password', { password: 'short' }, ['password']],
    ['no roles', { roles: null }, ['roles']],
    ['an unknown role', { roles: ['nobody'] }, ['roles.0']],
    ['an unknown organization', { organizationId: 'org_none' }, ['organizationId']],
    ['another status', { status: 'gone' }, ['status']],
    ['a wrong member beside a right one', { email: 'right@example.com', status: 'x' }, ['status']],
    ['a hash', { passwordHash: PASSWORD_HASH }, ['passwordHash']],
    ['the end of tokens', { tokensNotBefore: 0 }, ['tokensNotBefore']],
    ['an id', { id: 'user_x' }, ['id']],
  ])('refuses %s, and changes nothing', async (_, body, paths) => {
    const { id } = await addUser()
    const before = (await show(id)).json
    expectInvalidAt(await change(id, body), ...paths)
    expect((await show(id)).json).toEqual(before)
  })

  test('another’s e-mail is a conflict', async () => {
    const [one, two] = [await addUser(), await addUser()]
    expectProblem(await change(one.id, { email: two.email.toUpperCase() }), 'conflict', ['errors'])
    expect((await change(one.id, { email: one.email })).json.email).toBe(one.email)
  })

  test('nobody gives more than he has, nor changes who may do more', async () => {
    const organizationId = acme.id
    const keeper = await addUser({ roles: ['keeper'], organizationId })
    const { headers } = await addTokens(t, keeper.id)
    const [plain, boss] = [await addUser({ organizationId }), await addUser({ organizationId, roles: ['admin'] })]
    for (const [id, body] of [
      [plain.id, { roles: ['admin'] }],
      [plain.id, { roles: ['user'] }],
      [keeper.id, { roles: ['admin', 'keeper'] }],
      [boss.id, { password: NEW_PASSWORD }],
      [boss.id, { email: 'mine@example.com' }],
      [boss.id, { status: 'disabled' }],
      [boss.id, { roles: [] }],
    ] as const) {
      const before = (await show(id)).json
      expectProblem(await change(id, body, headers), 'permission_required', ['required'])
      expect((await show(id)).json).toEqual(before)
    }
    expect((await logIn(boss.email, PASSWORD)).status).toBe(200)
    expect((await change(plain.id, { roles: ['keeper'] }, headers)).json.roles).toEqual(['keeper'])
  })

  test('changed roles count from the next request on', async () => {
    const { id } = await addUser({ roles: ['user'] })
    const { headers } = await addTokens(t, id)
    const said = async () => [(await t.ask('/posts', { headers })).said, (await t.ask('/admin', { headers })).said]
    expect(await said()).toEqual(['200', '403 role_required'])
    await change(id, { roles: ['admin'] })
    expect(await said()).toEqual(['200', '200'])
    await change(id, { roles: [] })
    expect(await said()).toEqual(['403 permission_required', '403 role_required'])
  })
})

describe('a change that takes something away', () => {
  async function addWays() {
    const { id, email } = await addUser({ roles: ['user'] })
    const { pair, headers } = await addTokens(t, id)
    const [session, key] = [await addSession(t, id), await addKey(t, { userId: id })]
    const refresh = () => t.ask('/auth/refresh', { body: { refresh_token: pair.refresh_token } })
    const said = async () =>
      Promise.all(
        (
          [
            ['/token', headers],
            ['/session', session.headers],
            ['/key', key.headers],
          ] as const
        ).map(async ([path, as]) => (await t.ask(path, { headers: as })).said),
      )
    return { id, email, said, refresh }
  }

  test('a new password ends sessions and tokens at once, and the old one; keys go on', async () => {
    const { id, email, said, refresh } = await addWays()
    expect(await said()).toEqual(['200', '200', '200'])
    const answer = await change(id, { password: NEW_PASSWORD })
    expect(answer.status).toBe(200)
    expect(answer.text).not.toMatch(/horse|argon/)
    expect(await said()).toEqual(['401 token_revoked', '401 session_invalid', '200'])
    expect((await refresh()).status).toBe(401)
    expect((await logIn(email, PASSWORD)).said).toBe('401 login_failed')
    expect((await logIn(email, NEW_PASSWORD)).status).toBe(200)
    const { items } = await t.core.audit.list({ subject: id, action: 'user.updated' })
    expect(JSON.stringify(items)).not.toMatch(/horse|argon/)
  })

  test('disabling ends sessions and tokens, and refuses keys and logins, at once', async () => {
    const { id, email, said, refresh } = await addWays()
    expect(await said()).toEqual(['200', '200', '200'])
    expect((await change(id, { status: 'disabled' })).json.status).toBe('disabled')
    expect(await said()).toEqual(['401 token_revoked', '401 session_invalid', '403 user_disabled'])
    expect((await refresh()).status).toBe(401)
    expect((await logIn(email, PASSWORD)).said).toBe('401 login_failed')
    expect((await change(id, { status: 'active' })).json.status).toBe('active')
    expect(await said()).toEqual(['401 token_revoked', '401 session_invalid', '200'])
    expect((await logIn(email, PASSWORD)).status).toBe(200)
  })

  test('a wrong password in the body leaves everything as it is', async () => {
    const { id, said } = await addWays()
    expectInvalidAt(await change(id, { password: 'short', status: 'disabled' }), 'password')
    expect(await said()).toEqual(['200', '200', '200'])
  })
})

test('nothing of passwords is in any answer or list', async () => {
  const answers: Json[] = [(await t.ask('/auth/users?limit=100', { headers: asMaster })).json]
  answers.push((await t.ask('/auth/audit?limit=100', { headers: asMaster })).json)
  for (const answer of answers) expect(JSON.stringify(answer)).not.toMatch(/argon|horse|\$2[aby]\$/)
})
