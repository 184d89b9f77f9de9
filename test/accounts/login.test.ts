import { describe, expect, test } from 'bun:test'
import { expectInvalid, expectRefused } from '../support/refusals.ts'
import { createFakeHasher, createServices, fakeBcrypt, type ServicesInput } from '../support/services.ts'

const EMAIL = 'alice@example.com'
const PASSWORD = 'correct horse'

async function withAlice(input: ServicesInput = {}) {
  const hasher = createFakeHasher()
  const services = createServices({ hasher, ...input })
  const user = await services.users.create({ email: EMAIL, password: PASSWORD, roles: ['support'] })
  return { services, user, hasher, login: services.login }
}

describe('our own users', () => {
  test('the right password proves the user, however the e-mail is written', async () => {
    const { login, user } = await withAlice()
    expect(await login.verify(' ALICE@example.com', PASSWORD)).toEqual({
      id: user.id,
      email: EMAIL,
      roles: ['support'],
      organizationId: null,
      tokensNotBefore: 0,
    })
  })

  test('every failure has the same answer and does one verification', async () => {
    const { services, login, hasher } = await withAlice()
    const disabled = await services.users.create({ email: 'off@example.com', password: PASSWORD })
    await services.users.disable(disabled.id)
    await services.users.create({ email: 'none@example.com' })
    const acme = await services.organizations.create({ name: 'Acme' })
    await services.users.create({ email: 'acme@example.com', password: PASSWORD, organizationId: acme.id })
    await services.organizations.suspend(acme.id)
    const failures: [string, string][] = [
      [EMAIL, 'wrong password'],
      [EMAIL, ''],
      ['unknown@example.com', PASSWORD],
      ['off@example.com', PASSWORD],
      ['none@example.com', PASSWORD],
      ['acme@example.com', PASSWORD],
      ['no address', PASSWORD],
      ["' OR 1=1 --", PASSWORD],
    ]
    const answers = new Set<string>()
    for (const [email, password] of failures) {
      Object.assign(hasher.calls, { hash: 0, verify: 0 })
      const error = await expectRefused(login.verify(email, password), 'login_failed')
      answers.add(JSON.stringify([error.toProblem(), error.headers]))
      expect({ email, ...hasher.calls }).toEqual({ email, hash: 0, verify: 1 })
    }
    expect(answers.size).toBe(1)
  })

  test.each([
    { name: 'a long e-mail', email: `${'a'.repeat(300)}@example.com`, password: PASSWORD, paths: ['email'] },
    { name: 'a long password', email: EMAIL, password: 'x'.repeat(1025), paths: ['password'] },
    { name: 'a password of many bytes', email: EMAIL, password: 'é'.repeat(513), paths: ['password'] },
    { name: 'both', email: 'a'.repeat(255), password: 'x'.repeat(1_000_000), paths: ['email', 'password'] },
  ])('$name is refused before hashing or looking anybody up', async ({ email, password, paths }) => {
    const { services, login, hasher } = await withAlice()
    services.memory.calls.length = 0
    await expectInvalid(login.verify(email, password), ...paths)
    expect(hasher.calls.verify).toBe(0)
    expect(services.memory.calls).toEqual([])
  })
})

describe('upgrading a hash', () => {
  async function withBcrypt() {
    const services = createServices()
    const user = await services.users.create({ email: EMAIL, passwordHash: fakeBcrypt(PASSWORD) })
    const stored = () => services.memory.rows.users.get(user.id)?.passwordHash ?? ''
    return { services, user, stored }
  }

  test('bcrypt becomes argon2id at the first login, and no session or token is lost by it', async () => {
    const { services, user, stored } = await withBcrypt()
    const { cookieValue } = await services.sessions.create(user.id)
    await services.login.verify(EMAIL, PASSWORD)
    expect(stored()).toStartWith('$argon2id$')
    await services.login.verify(EMAIL, PASSWORD)
    expect((await services.authenticators.session.resolve(cookieValue)).kind).toBe('session')
  })

  test('a wrong password upgrades nothing', async () => {
    const { services, stored } = await withBcrypt()
    await expectRefused(services.login.verify(EMAIL, 'wrong password'), 'login_failed')
    expect(stored()).toStartWith('$2b$')
  })

  test('does not undo a password changed at the same moment', async () => {
    const { services, user, stored } = await withBcrypt()
    services.memory.before.set('users.upgradePasswordHash', async () => {
      await services.users.setPassword(user.id, 'another horse')
    })
    const identity = await services.login.verify(EMAIL, PASSWORD)
    await expectRefused(services.login.verify(EMAIL, PASSWORD), 'login_failed')
    await services.login.verify(EMAIL, 'another horse')
    expect(stored()).toStartWith('$argon2id$')
    await expectRefused(services.tokens.issueForUser(identity), 'login_failed')
  })

  test('that cannot be written does not keep anybody out', async () => {
    const { services, user } = await withBcrypt()
    services.memory.before.set('users.upgradePasswordHash', () => {
      throw new Error('disk full')
    })
    expect((await services.login.verify(EMAIL, PASSWORD)).id).toBe(user.id)
  })
})

describe("an app's own users", () => {
  function withApp(overrides: Partial<NonNullable<ServicesInput['users']>> = {}) {
    const asked: unknown[] = []
    const services = createServices({
      users: {
        load: (id) => (id === 'u1' ? { id, email: 'carol@app.example', roles: ['support'] } : null),
        findByEmail: (email) => (email === 'carol@app.example' ? { id: 'u1' } : null),
        verifyPassword: (user, password) => {
          asked.push(user)
          return user !== null && password === PASSWORD
        },
        ...overrides,
      },
    })
    return { services, asked }
  }

  test('are found, verified and loaded by the app, with a lower-case e-mail', async () => {
    const { services } = withApp()
    expect(await services.login.verify('Carol@App.Example', PASSWORD)).toEqual({
      id: 'u1',
      email: 'carol@app.example',
      roles: ['support'],
      organizationId: null,
      tokensNotBefore: null,
    })
  })

  test('take the place of ours, who are not consulted', async () => {
    const { services } = withApp()
    await services.users.create({ email: EMAIL, password: PASSWORD })
    services.memory.calls.length = 0
    await expectRefused(services.login.verify(EMAIL, PASSWORD), 'login_failed')
    expect(services.memory.calls).toEqual([])
  })

  test('the password of an unknown one is verified too, against nobody', async () => {
    const { services, asked } = withApp()
    await expectRefused(services.login.verify('unknown@app.example', PASSWORD), 'login_failed')
    await expectRefused(services.login.verify('no address', PASSWORD), 'login_failed')
    await expectRefused(services.login.verify('carol@app.example', 'wrong'), 'login_failed')
    expect(asked).toEqual([null, null, { id: 'u1' }])
  })

  test('one the app no longer loads cannot log in', async () => {
    const { services } = withApp({ load: () => null })
    await expectRefused(services.login.verify('carol@app.example', PASSWORD), 'login_failed')
  })

  test('only true is a yes', async () => {
    const truthy = (() => 'yes') as unknown as () => boolean
    const { services } = withApp({ verifyPassword: truthy })
    await expectRefused(services.login.verify('carol@app.example', PASSWORD), 'login_failed')
  })

  test('ours may be verified by the app alone, which is told no more than the id', async () => {
    const asked: unknown[] = []
    const services = createServices({
      users: { verifyPassword: (user, password) => asked.push(user) > 0 && user !== null && password === 'by ldap' },
    })
    const { id } = await services.users.create({ email: EMAIL })
    expect((await services.login.verify(EMAIL, 'by ldap')).id).toBe(id)
    await expectRefused(services.login.verify('unknown@example.com', 'by ldap'), 'login_failed')
    expect(asked).toEqual([{ id }, null])
  })
})
