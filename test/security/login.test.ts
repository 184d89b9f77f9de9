/** SECURITY.md, login and sessions. */
import { afterAll, describe, expect, test } from 'bun:test'
import { expectProblem, textAt } from '../support/answers.ts'
import {
  ALICE,
  type Answer,
  addPeople,
  addSession,
  addTokens,
  BOB,
  createTestApp,
  PASSWORD,
  PASSWORD_HASH,
  withCookie,
} from '../support/test-app.ts'
import { measureWork } from '../support/work.ts'

const t = await createTestApp()
const { alice, bob } = await addPeople(t)
const disabled = await t.core.users.create({ email: 'disabled@example.com', passwordHash: PASSWORD_HASH })
await t.core.users.disable(disabled.id)
await t.core.users.create({ email: 'keyless@example.com' })
const org = await t.core.organizations.create({ name: 'Gone' })
await t.core.users.create({ email: 'suspended@example.com', passwordHash: PASSWORD_HASH, organizationId: org.id })
await t.core.organizations.suspend(org.id)
afterAll(t.close)

const login = (email: string, password: string, path = '/auth/login') => t.ask(path, { body: { email, password } })

function visible({ status, headers, text, json }: Answer): string {
  const shown = [...headers].filter(([name]) => name !== 'date' && name !== 'content-length')
  return JSON.stringify([status, shown, text]).replaceAll(String(json.requestId), '<id>')
}

/** Everybody who is not let in. */
const REFUSED: readonly (readonly [string, string, string])[] = [
  ['a known address, a wrong password', ALICE, 'wrong password'],
  ['an unknown address', 'nobody@example.com', PASSWORD],
  ['a disabled user, the right password', 'disabled@example.com', PASSWORD],
  ['a disabled user, a wrong password', 'disabled@example.com', 'wrong password'],
  ['a user of a suspended organization', 'suspended@example.com', PASSWORD],
  ['a user without a password', 'keyless@example.com', PASSWORD],
  ['what is no address', 'nobody', PASSWORD],
  ['an address with a quote', `"${ALICE}"`, PASSWORD],
  ['half a character for a password', ALICE, '\ud800'],
]

describe('P40 nobody learns who has an account', () => {
  const seen = new Set<string>()

  test.each(REFUSED)('%s costs one verification and says login_failed', async (_, email, password) => {
    t.takeStatements()
    const { result, work } = await measureWork(() => login(email, password))
    expectProblem(result, 'login_failed')
    expect([work.verifications, work.hashes]).toEqual([1, 0])
    for (const statement of t.takeStatements()) expect(statement).toStartWith('select')
    // Everybody gets the same bytes.
    seen.add(visible(result))
    expect([...seen]).toHaveLength(1)
  })

  test('POST /sessions says and costs the same', async () => {
    for (const [, email, password] of REFUSED.slice(0, 3)) {
      const { result, work } = await measureWork(() => login(email, password, '/auth/sessions'))
      expect([...seen, visible(result)]).toEqual([visible(result), visible(result)])
      expect(work.verifications).toBe(1)
    }
  })

  test('a known and an unknown address cost the same statements', async () => {
    t.takeStatements()
    await login(ALICE, 'wrong password')
    const known = t.takeStatements()
    await login('nobody@example.com', 'wrong password')
    expect(t.takeStatements()).toEqual(known)
  })

  test('who is let in costs one verification too', async () => {
    const { result, work } = await measureWork(() => login(ALICE, PASSWORD))
    expect([result.status, work.verifications, work.hashes]).toEqual([200, 1, 0])
  })
})

describe('P43 a session id that the browser brought along', () => {
  test('is never taken over', async () => {
    const planted = 'A'.repeat(59)
    const answer = await t.ask('/auth/sessions', {
      body: { email: BOB, password: PASSWORD },
      headers: withCookie(planted),
    })
    expect(answer.status).toBe(201)
    const cookie = textAt({ cookie: answer.headers.get('set-cookie') }, 'cookie')
    expect(cookie).not.toContain(planted)
    expectProblem(await t.ask('/session', { headers: withCookie(planted) }), 'session_invalid')
  })

  test('never becomes who logs in with it', async () => {
    const attacker = await addSession(t, bob.id)
    const answer = await t.ask('/auth/sessions', {
      body: { email: ALICE, password: PASSWORD },
      headers: attacker.headers,
    })
    expect(answer.json.userId).toBe(alice.id)
    expect(answer.json.id).not.toBe(attacker.id)
    expectProblem(await t.ask('/user', { headers: attacker.headers }), 'session_invalid')
  })
})

describe('P44 the cookie', () => {
  const attributes = async (options: Parameters<typeof createTestApp>[0]) => {
    await using app = await createTestApp(options)
    await addPeople(app)
    const answer = await app.ask('/auth/sessions', { body: { email: BOB, password: PASSWORD } })
    const header = textAt({ cookie: answer.headers.get('set-cookie') }, 'cookie')
    const [pair = '', ...rest] = header.split('; ')
    const [name = '', value = ''] = pair.split('=')
    expect(pair.length).toBeLessThan(4096)
    expect((await app.ask('/session', { headers: withCookie(value, name) })).status).toBe(200)
    const others = ['session_id', '__Host-session_id', '__Secure-session_id', 'sid'].filter((other) => other !== name)
    for (const other of others) {
      expectProblem(await app.ask('/session', { headers: withCookie(value, other) }), 'credential_missing')
    }
    const current = await app.ask('/auth/sessions/current', { method: 'DELETE', headers: withCookie(value, name) })
    const [cleared = '', ...clearing] = textAt({ cookie: current.headers.get('set-cookie') }, 'cookie').split('; ')
    expect(cleared).toBe(`${name}=`)
    expect(clearing.filter((each) => !each.startsWith('Max-Age'))).toEqual(
      rest.filter((each) => !each.startsWith('Max-Age')),
    )
    expect(clearing).toContain('Max-Age=0')
    return [name, ...rest]
  }

  test('of a plain development server', async () => {
    expect(await attributes({})).toEqual(['session_id', 'Max-Age=604800', 'Path=/', 'HttpOnly', 'SameSite=Lax'])
  })

  test('of a secure one', async () => {
    const secure = ['__Host-session_id', 'Max-Age=604800', 'Path=/', 'HttpOnly', 'Secure', 'SameSite=Lax']
    expect(await attributes({ sessions: { secure: true } })).toEqual(secure)
  })

  test('of an own name and time', async () => {
    const options = { sessions: { cookie: 'sid', ttl: '1h', sameSite: 'strict', secure: true } } as const
    const own = ['__Host-sid', 'Max-Age=3600', 'Path=/', 'HttpOnly', 'Secure', 'SameSite=Strict']
    expect(await attributes(options)).toEqual(own)
  })
})

describe('P48 a disabled user', () => {
  test('has no session, token or refresh family left', async () => {
    const user = await t.core.users.create({ email: 'leaving@example.com', passwordHash: PASSWORD_HASH })
    const [first, second] = [await addSession(t, user.id), await addSession(t, user.id)]
    const { pair, headers } = await addTokens(t, user.id)
    await t.core.users.disable(user.id)
    for (const session of [first, second]) {
      expectProblem(await t.ask('/session', { headers: session.headers }), 'session_invalid')
    }
    expectProblem(await t.ask('/token', { headers }), 'token_revoked')
    expectProblem(await t.ask('/auth/refresh', { body: { refresh_token: pair.refresh_token } }), 'token_revoked')
    expectProblem(await login('leaving@example.com', PASSWORD), 'login_failed')
    const count = (table: string, where: string) =>
      t.client
        .query<{ n: number }, [string]>(`select count(*) as n from machine_auth_${table} where ${where}`)
        .get(user.id)
    expect(count('sessions', 'user_id = ?')).toEqual({ n: 0 })
    expect(count('refresh_families', 'user_id = ? and revoked_at is null')).toEqual({ n: 0 })
    await t.core.users.enable(user.id)
    expectProblem(await t.ask('/session', { headers: first.headers }), 'session_invalid')
    expect((await login('leaving@example.com', PASSWORD)).status).toBe(200)
  })

  test('so has one who changed his password, and the new one opens new ones', async () => {
    const user = await t.core.users.create({ email: 'changing@example.com', passwordHash: PASSWORD_HASH })
    const session = await addSession(t, user.id)
    await t.core.users.setPassword(user.id, 'a better password')
    expectProblem(await t.ask('/session', { headers: session.headers }), 'session_invalid')
    expectProblem(await login('changing@example.com', PASSWORD), 'login_failed')
    expect((await login('changing@example.com', 'a better password')).status).toBe(200)
  })
})

describe('P49 strange cookies', () => {
  const ask = (cookie: string, path = '/session') => t.ask(path, { headers: { cookie } })

  test('beside the right one do no harm', async () => {
    const { cookieValue, id } = await addSession(t, bob.id)
    const mine = `session_id=${cookieValue}`
    const many = Array.from({ length: 200 }, (_, index) => `c${index}=${'x'.repeat(20)}`).join('; ')
    for (const cookie of [
      `${many}; ${mine}`,
      `__proto__=x; ${mine}`,
      `constructor=1;${mine};prototype=2`,
      `;;; =; a; ${mine}; ;`,
      `xsession_id=1; ${mine}; session_idx=2`,
    ]) {
      expect((await ask(cookie)).json).toEqual({ id })
    }
  })

  test('a value that cannot be a session is refused without asking the database', async () => {
    const values = ['', '__proto__', '"'.repeat(59), '%00', 'undefined', `${'A'.repeat(58)}é`]
    t.takeStatements()
    for (const value of [...values, ...[58, 60, 8000].map((length) => 'A'.repeat(length))]) {
      expectProblem(await ask(`session_id=${value}`), 'session_invalid')
    }
    expect(t.takeStatements()).toEqual([])
  })

  test('two different values are refused as malformed, wherever they stand', async () => {
    const { cookieValue } = await addSession(t, bob.id)
    for (const cookie of [`session_id=${cookieValue}; session_id=x`, `session_id=x;a=b;session_id=${cookieValue}`]) {
      for (const path of ['/session', '/user', '/auth/me']) expectProblem(await ask(cookie, path), 'request_malformed')
    }
  })

  test('a cookie bomb does not reach the app', async () => {
    const answer = await ask(`a=${'x'.repeat(100_000)}`).catch(() => null)
    expect([null, 400, 413, 431]).toContain(answer?.status ?? null)
    expect((await t.ask('/open')).status).toBe(200)
  })
})

describe('P50 long passwords', () => {
  test('are refused before anything is hashed', async () => {
    const { result, work } = await measureWork(async () => [
      await login(ALICE, 'x'.repeat(1_000_000)),
      await login(ALICE, 'x'.repeat(1025)),
      await login(ALICE, '🔑'.repeat(300)),
    ])
    expect(result.map(({ said }) => said)).toEqual([
      '413 body_too_large',
      '422 validation_failed',
      '422 validation_failed',
    ])
    expect(work.verifications).toBe(0)
  })

  test('are not cut off: 1024 bytes count to the last', async () => {
    const password = `${'x'.repeat(1023)}y`
    await t.core.users.create({ email: 'long@example.com', password })
    expect((await login('long@example.com', password)).status).toBe(200)
    expectProblem(await login('long@example.com', `${'x'.repeat(1023)}z`), 'login_failed')
  })

  test('of an imported bcrypt hash are not cut off at 72 bytes either', async () => {
    const password = 'x'.repeat(72)
    const passwordHash = await Bun.password.hash(password, { algorithm: 'bcrypt', cost: 4 })
    await t.core.users.create({ email: 'bcrypt@example.com', passwordHash })
    expectProblem(await login('bcrypt@example.com', `${password}anything`), 'login_failed')
    const { result, work } = await measureWork(() => login('bcrypt@example.com', password))
    expect([result.status, work.hashes]).toEqual([200, 1])
    // From now on it is argon2id.
    expect((await measureWork(() => login('bcrypt@example.com', password))).work.hashes).toBe(0)
    expectProblem(await login('bcrypt@example.com', `${password}anything`), 'login_failed')
  })

  test('are taken as they are: no trimming, no other form of a letter', async () => {
    await t.core.users.create({ email: 'form@example.com', password: ' p\u00e4ssw\u00f6rd ' })
    expect((await login('form@example.com', ' p\u00e4ssw\u00f6rd ')).status).toBe(200)
    for (const other of ['p\u00e4ssw\u00f6rd', ' pa\u0308sswo\u0308rd ', ' P\u00c4SSW\u00d6RD ']) {
      expectProblem(await login('form@example.com', other), 'login_failed')
    }
  })
})
