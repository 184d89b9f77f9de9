/** SECURITY.md, P39 and P27: keys that were made elsewhere, from their first use on. */
import { afterAll, describe, expect, test } from 'bun:test'
import { generateApiKey } from '../../src/credentials/api-key-format.ts'
import { expectProblem } from '../support/answers.ts'
import {
  addForeignKey,
  CARRIERS,
  countedKinds,
  createImportingApp,
  FOREIGN,
  FOREIGN_NAMES,
  kindOf,
} from '../support/foreign-keys.ts'
import {
  addKey,
  addPeople,
  asMaster,
  createTestApp,
  PASSWORD,
  type TestApp,
  withBearer,
  withKey,
} from '../support/test-app.ts'

const { kinds, verified } = countedKinds()
const t = await createImportingApp({}, kinds)
const { alice, bob } = await addPeople(t)
afterAll(t.close)

const rowOf = (app: TestApp, id: string) => {
  const query = 'select hash, pepper, lookup, prefix from machine_auth_api_keys where id = ?'
  const row = app.client.query<Record<'hash' | 'pepper' | 'lookup' | 'prefix', string>, [string]>(query).get(id)
  if (row === null) throw new Error('no row')
  return row
}
/** What was asked of keys: the seals of the audit log are written meanwhile. */
const takeStatements = (app: TestApp) => app.takeStatements().filter((text) => text.includes('machine_auth_api_keys'))
/** Forgets what is remembered, as time does. */
const cool = (app: TestApp) => {
  app.time.now += 61_000
}

describe.each(FOREIGN_NAMES)('a key of %s', (name) => {
  test('works, and is hashed as ours are when it is first used', async () => {
    const { id, text, hash, headers } = await addForeignKey(t, name)
    const before = rowOf(t, id)
    verified.length = 0
    takeStatements(t)
    expect((await t.ask('/key', { headers })).json).toEqual({ id })
    expect(takeStatements(t).map((statement) => statement.slice(0, 6))).toEqual(['select', 'update'])
    const after = rowOf(t, id)
    expect(after.pepper).toMatch(/^[0-9a-f]{16}$/)
    expect(after).toMatchObject({ lookup: `hmac:${after.hash}`, prefix: before.prefix })
    // Nothing of what came with it is left.
    expect(Object.values(after).join()).not.toContain(hash)
    expect(after.hash).not.toBe(before.hash)
    expect(verified).toEqual([kindOf(name)])

    expect((await t.ask('/key', { headers })).said).toBe('200')
    expect(takeStatements(t)).toEqual([])
    cool(t)
    expect((await t.ask('/key', { headers })).said).toBe('200')
    expect(takeStatements(t)).toHaveLength(1)
    expect([verified.length, rowOf(t, id)]).toEqual([1, after])
    expectProblem(await t.ask('/key', { headers: withKey(`${text}x`) }), 'api_key_invalid')
  })

  test.each(CARRIERS)('works in %s', async (_, carry) => {
    const { id, text } = await addForeignKey(t, name, { userId: alice.id, permissions: ['*'] })
    for (const path of ['/key', '/user', '/users', '/auth/me']) {
      expect((await t.ask(path, { headers: carry(text) })).status).toBe(200)
      cool(t)
    }
    expect((await t.ask('/users', { headers: carry(text) })).json).toEqual({ id })
  })

  test('used by many at once for the first time is hashed once, and all get in', async () => {
    const { id, headers } = await addForeignKey(t, name)
    takeStatements(t)
    const answers = await Promise.all(Array.from({ length: 20 }, () => t.ask('/key', { headers })))
    expect(new Set(answers.map(({ said }) => said))).toEqual(new Set(['200']))
    expect(takeStatements(t).filter((statement) => statement.startsWith('update'))).toHaveLength(1)
    expect(rowOf(t, id).pepper).not.toStartWith('import:')
  })

  test('its hash is no key (P27), before and after', async () => {
    const { id, hash, headers } = await addForeignKey(t, name)
    const stored = () => Object.values(rowOf(t, id)).filter((value) => value.length >= 8)
    const presented = [hash, ...stored()]
    for (const text of presented) expectProblem(await t.ask('/key', { headers: withKey(text) }), 'api_key_invalid')
    await t.ask('/key', { headers })
    for (const text of [...presented, ...stored()]) {
      expect((await t.ask('/key', { headers: withKey(text) })).said).toBe('401 api_key_invalid')
      cool(t)
    }
  })

  test('obeys everything that keys obey', async () => {
    const { id: organizationId } = await t.core.organizations.create({ name: `Acme ${name}` })
    const make = (more: object = {}) => addForeignKey(t, name, more)
    const asked = async (key: { headers: Record<string, string> }, path = '/key') => (await t.ask(path, key)).said
    const own = await make({ organizationId })
    const [revoked, disabled, elsewhere, tests, expiring] = [
      await make(),
      await make(),
      await make({ ipAllowlist: ['203.0.113.1'] }),
      await make({ environment: 'test' }),
      await make({ expiresAt: new Date(t.time.now + 1000) }),
    ]
    // The last word has been said of some before they were ever used, and of others after.
    await asked(disabled)
    await t.core.keys.revoke(revoked.id)
    await t.core.keys.disable(disabled.id)
    t.time.now += 1000
    expect(await asked(revoked)).toBe('401 api_key_revoked')
    expect(await asked(disabled)).toBe('401 api_key_disabled')
    expect(await asked(expiring)).toBe('401 api_key_expired')
    expect(await asked(elsewhere)).toBe('403 ip_not_allowed')
    expect(await asked(tests)).toBe('200')
    expect(await asked(tests, '/live')).toBe('403 environment_mismatch')
    await t.core.organizations.suspend(organizationId)
    expect(await asked(own)).toBe('403 organization_suspended')
    await t.core.organizations.activate(organizationId)
    expect(await asked(own)).toBe('200')
    await t.core.keys.revoke(own.id)
    expect(await asked(own)).toBe('401 api_key_revoked')
  })

  test('is rotated to a key of ours, and works until its grace period ends', async () => {
    const old = await addForeignKey(t, name)
    await t.ask('/key', { headers: old.headers })
    const { key, rawKey } = await t.core.keys.rotate(old.id, { gracePeriod: '1h' })
    expect(rawKey).toStartWith('mac_live_')
    expect((await t.ask('/key', { headers: withKey(rawKey) })).json).toEqual({ id: key.id })
    expect((await t.ask('/key', { headers: old.headers })).json).toEqual({ id: old.id })
    t.time.now += 3_600_000
    expect((await t.ask('/key', { headers: old.headers })).said).toBe('401 api_key_expired')
  })

  test('is told of by keys.verify, with why it is refused', async () => {
    const { id, text } = await addForeignKey(t, name)
    expect(await t.core.keys.verify({ key: text })).toMatchObject({ valid: true, key: { id } })
    await t.core.keys.revoke(id)
    const revoked = await t.core.keys.verify({ key: text })
    expect(revoked).toMatchObject({ valid: false, code: 'api_key_revoked', key: { id } })
  })
})

describe('an unknown foreign text', () => {
  test('is answered as every other wrong key is', async () => {
    const { text } = await addForeignKey(t, 'django-pbkdf2')
    const [prefix] = text.split('.')
    const texts = [
      `${prefix}.${'x'.repeat(32)}`,
      'unknown.xxxxxxxxxxxx',
      FOREIGN.sha256().text,
      'short',
      '!'.repeat(257),
    ]
    const bodyOf = async (wrong: string) => {
      const { text: body, json, headers } = await t.ask('/key', { headers: withKey(wrong) })
      headers.delete('date')
      const id = String(json.requestId)
      return [body.replace(id, ''), JSON.stringify([...headers]).replaceAll(id, '')]
    }
    const expected = await bodyOf(generateApiKey('mac', 'live').raw)
    for (const wrong of texts) expect(await bodyOf(wrong)).toEqual(expected)
  })

  test('as a bearer token is answered as every other wrong token is', async () => {
    const answer = await t.ask('/token', { headers: withBearer(FOREIGN.sha256().text) })
    expectProblem(answer, 'token_invalid')
    expectProblem(await t.ask('/key', { headers: withBearer(FOREIGN.sha256().text) }), 'api_key_invalid')
  })

  test('costs one look-up, and nothing slow', async () => {
    verified.length = 0
    takeStatements(t)
    await t.ask('/key', { headers: withKey('unknown1.xxxxxxxxxxxxxxxxxxxxxxxx') })
    expect([takeStatements(t).length, verified]).toEqual([1, []])
  })

  test.each([
    ['shorter than 8 characters', 'a.12345'],
    ['longer than 256', `a.${'x'.repeat(255)}`],
    ['a typo in one of ours', `${generateApiKey('mac', 'live').raw}x`],
    ['one of ours cut off', generateApiKey('mac', 'test').raw.slice(0, 40)],
  ])('%s costs nothing at all', async (_, text) => {
    takeStatements(t)
    for (let times = 0; times < 30; times += 1) {
      expect((await t.ask('/key', { headers: withKey(text) })).said).toBe('401 api_key_invalid')
    }
    expect(takeStatements(t)).toEqual([])
  })

  test('two keys are two keys, whoever made them', async () => {
    const { headers, text } = await addForeignKey(t, 'sha256')
    const both = { ...headers, authorization: `ApiKey ${text}` }
    expectProblem(await t.ask('/key', { headers: both }), 'request_malformed')
    expectProblem(await t.ask('/key', { headers: { ...headers, ...withBearer(text) } }), 'request_malformed')
  })
})

describe('under Bearer', () => {
  test('a text that an app reads itself is never looked for among keys', async () => {
    const asked: string[] = []
    const verify = (token: string) => {
      asked.push(token)
      return null
    }
    await using app = await createImportingApp({ bearer: { verify } })
    const { text } = await addForeignKey(app, 'sha256')
    expectProblem(await app.ask('/token', { headers: withBearer(text) }), 'token_invalid')
    expect(asked).toEqual([text])
    expect((await app.ask('/key', { headers: withKey(text) })).said).toBe('200')
  })

  test('a JWT, the master key and a key under a scheme that is not for keys are none', async () => {
    await using app = await createImportingApp({ apiKeys: { schemes: ['ApiKey'] } })
    const { text } = await addForeignKey(app, 'sha256')
    expectProblem(await app.ask('/key', { headers: withBearer(text) }), 'api_key_invalid')
    expect((await app.ask('/key', { headers: { authorization: `ApiKey ${text}` } })).said).toBe('200')
    takeStatements(t)
    expect((await t.ask('/auth/keys', { headers: withBearer(asMaster['x-admin-key']) })).said).toBe('200')
    expect(takeStatements(t)).toHaveLength(1)
  })

  test('a key is no guess at the master key, but an unknown text is', async () => {
    await using app = await createImportingApp()
    const { text } = await addForeignKey(app, 'sha256')
    const expired = await addForeignKey(app, 'sha256')
    await app.core.keys.revoke(expired.id)
    const ask = async (bearer: string) => (await app.ask('/auth/keys', { headers: withBearer(bearer) })).said
    for (let times = 0; times < 10; times += 1) {
      expect(await ask(text)).toBe('403 permission_required')
      expect(await ask(expired.text)).toBe('401 api_key_revoked')
    }
    const said: string[] = []
    for (let times = 0; times < 6; times += 1) said.push(await ask(FOREIGN.sha256().text))
    expect(said.at(-1)).toBe('429 locked_out')
  })

  test('a text that is not looked up any more is still a guess at the master key', async () => {
    await using app = await createImportingApp()
    const ask = async (path: string, headers: Readonly<Record<string, string>>) =>
      (await app.ask(path, { headers })).said
    for (let times = 0; times < 20; times += 1) await ask('/key', withKey(FOREIGN.sha256().text))
    expect(await ask('/auth/keys', asMaster)).toBe('200')
    for (let times = 0; times < 5; times += 1) {
      expect(await ask('/auth/keys', withBearer(FOREIGN.sha256().text))).toBe('429 locked_out')
    }
    expect(await ask('/auth/keys', asMaster)).toBe('429 locked_out')
  })
})

describe('our own keys beside foreign ones', () => {
  test('cost as many statements as without any', async () => {
    await using plain = await createTestApp()
    const costs: number[][] = []
    for (const app of [plain, t]) {
      const { headers } = await addKey(app)
      const cost: number[] = []
      for (const wait of [0, 0, 61_000]) {
        app.time.now += wait
        takeStatements(app)
        expect((await app.ask('/key', { headers })).said).toBe('200')
        cost.push(takeStatements(app).length)
      }
      costs.push(cost)
    }
    expect(costs[1]).toEqual(costs[0] ?? [])
    expect(costs[0]).toEqual([1, 0, 1])
  })

  test('an imported key is not found under its id with a text of ours', async () => {
    const { id, headers } = await addForeignKey(t, 'sha256')
    const forged = `${`mac_live_${id.slice(4)}`}_${'x'.repeat(43)}`
    const { checksum } = await import('../../src/lib/crc32.ts')
    for (let times = 0; times < 2; times += 1) {
      expectProblem(await t.ask('/key', { headers: withKey(forged + checksum(forged)) }), 'api_key_invalid')
      await t.ask('/key', { headers })
    }
  })

  test('without kinds, and without imported keys, a foreign text costs nothing', async () => {
    await using plain = await createTestApp()
    takeStatements(plain)
    for (const name of FOREIGN_NAMES) {
      for (const [, carry] of CARRIERS) {
        expect((await plain.ask('/key', { headers: carry(FOREIGN[name]().text) })).said).toBe('401 api_key_invalid')
      }
    }
    expect(takeStatements(plain)).toEqual([])
  })
})

test('a login works beside it all', async () => {
  const { email } = bob
  expect((await t.ask('/auth/login', { body: { email, password: PASSWORD } })).status).toBe(200)
})
