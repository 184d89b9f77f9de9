/** `Idempotency-Key` on creates. What becomes of those that fail is in idempotency-outcomes.test.ts. */
import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { withLog } from '../guards/support.ts'
import { expectInvalidAt, expectProblem, objectAt, textAt } from '../support/answers.ts'
import { createDatabaseDirectory, removeDirectory } from '../support/directories.ts'
import {
  addKey,
  addPeople,
  addSession,
  addTokens,
  asMaster,
  createTestApp,
  type Json,
  withBearer,
} from '../support/test-app.ts'

type Headers = Readonly<Record<string, string>>

const DAY = 86_400_000
const ROUNDS = 20

const t = await createTestApp()
const { alice, bob } = await addPeople(t)
afterAll(t.close)

let keys = 0
/** A key that nobody used yet. */
const fresh = () => `retry-${++keys}`
const once = (key: string, headers: Headers = asMaster) => ({ ...headers, 'idempotency-key': key })
const create = (key: string, body: unknown = { name: 'CI' }, headers: Headers = asMaster) =>
  t.ask('/auth/keys', { body, headers: once(key, headers) })
const idOf = (json: Json) => textAt(objectAt(json, 'key'), 'id')
const countKeys = () => t.countRows().machine_auth_api_keys ?? 0
const countClaims = () => t.countRows().machine_auth_idempotency ?? 0

describe('a create that is sent again', () => {
  test('gets the first answer without the secret, and makes nothing', async () => {
    const key = fresh()
    const first = await create(key)
    expect([first.status, first.headers.get('idempotency-replayed')]).toEqual([201, null])
    expect(textAt(first.json, 'rawKey')).toMatch(/^mac_live_/)
    const before = t.countRows()
    for (const body of [{ name: 'CI' }, { name: 'CI' }]) {
      const again = await create(key, body)
      expect(again.status).toBe(201)
      expect(again.json).toEqual({ key: objectAt(first.json, 'key') })
      expect(again.headers.get('idempotency-replayed')).toBe('true')
      expect(again.headers.get('cache-control')).toBe('no-store')
    }
    expect(t.countRows()).toEqual(before)
  })

  test('is the same whatever the order of its members', async () => {
    const key = fresh()
    const first = await create(key, { name: 'CI', metadata: { a: 1, b: { c: [1, 2], d: null } }, expiresInDays: 1 })
    const again = await create(key, { expiresInDays: 1, metadata: { b: { d: null, c: [1, 2] }, a: 1 }, name: 'CI' })
    expect([first.status, again.status, idOf(again.json)]).toEqual([201, 201, idOf(first.json)])
  })

  test.each<[what: string, first: Json, other: Json]>([
    ['a member', { name: 'CI' }, { name: 'CD' }],
    ['one more member', { name: 'CI' }, { name: 'CI', description: 'x' }],
    ['the order of a list', { name: 'CI', metadata: { a: [1, 2] } }, { name: 'CI', metadata: { a: [2, 1] } }],
    ['a number for its text', { name: 'CI', metadata: { a: 1 } }, { name: 'CI', metadata: { a: '1' } }],
  ])('with another body is refused: %s', async (_, body, other) => {
    const key = fresh()
    const first = await create(key, body)
    const before = t.countRows()
    expectInvalidAt(await create(key, other), 'Idempotency-Key')
    expect(t.countRows()).toEqual(before)
    expect(idOf((await create(key, body)).json)).toBe(idOf(first.json))
  })

  test('in parallel makes one key', async () => {
    const key = fresh()
    const before = countKeys()
    const answers = await Promise.all(Array.from({ length: ROUNDS }, () => create(key)))
    expect(countKeys()).toBe(before + 1)
    const made = answers.filter(({ json }) => 'rawKey' in json)
    expect(made).toHaveLength(1)
    const id = idOf(made[0]?.json ?? {})
    for (const answer of answers) {
      if (answer.status === 201) expect(idOf(answer.json)).toBe(id)
      else expectProblem(answer, 'conflict', ['retryAfter'])
    }
    expect(idOf((await create(key)).json)).toBe(id)
  })

  test('after 24 hours makes another, not a moment before', async () => {
    const key = fresh()
    const first = await create(key)
    t.time.now += DAY - 1
    expect(idOf((await create(key)).json)).toBe(idOf(first.json))
    t.time.now += 1
    const next = await create(key)
    expect(textAt(next.json, 'rawKey')).not.toBe(first.json.rawKey)
    expect(idOf((await create(key)).json)).toBe(idOf(next.json))
  })

  test('without the header makes another', async () => {
    const [one, other] = [0, 1].map(() => t.ask('/auth/keys', { body: { name: 'CI' }, headers: asMaster }))
    expect(idOf((await one)?.json ?? {})).not.toBe(idOf((await other)?.json ?? {}))
  })

  test('of a block gets the block', async () => {
    const ask = (reason: string) =>
      t.ask('/auth/blocks', { body: { subject: 'user:42', duration: '1h', reason }, headers: once('block') })
    const first = await ask('x')
    expect(first.status).toBe(201)
    expect((await t.ask(`/auth/blocks/${first.json.id}`, { method: 'DELETE', headers: asMaster })).status).toBe(204)
    const again = await ask('x')
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 'true'])
    expect(again.json).toEqual(first.json)
    expect(t.countRows().machine_auth_blocks).toBe(0)
    expectInvalidAt(await ask('y'), 'Idempotency-Key')
  })
})

describe('whose key it is', () => {
  test('principals and endpoints do not meet, credentials of one user do', async () => {
    const ownKey = { permissions: ['*'], userId: alice.id }
    await t.core.users.create({ id: 'carol', email: 'carol@example.com', roles: ['admin'] })
    const client = await t.core.tokens.issueForClient({ clientId: 'carol', permissions: ['*'] })
    const callers: Readonly<Record<string, Headers>> = {
      master: asMaster,
      token: (await addTokens(t, alice.id)).headers,
      'another token': (await addTokens(t, alice.id)).headers,
      session: (await addSession(t, alice.id)).headers,
      'api key': (await addKey(t, ownKey)).headers,
      'another api key': (await addKey(t, ownKey)).headers,
      'another user': (await addTokens(t, 'carol')).headers,
      'a client called like him': withBearer(client.access_token),
    }
    const key = fresh()
    const ids: Record<string, string> = {}
    for (const [name, headers] of Object.entries(callers)) {
      const origin = { ...headers, origin: t.origin }
      const answer = await create(key, { name: 'CI' }, origin)
      expect([name, answer.said]).toEqual([name, '201'])
      ids[name] = idOf(answer.json)
    }
    const { token, 'another token': secondToken, session, ...others } = ids
    expect([secondToken, session]).toEqual([token, token])
    expect(new Set([token, ...Object.values(others)]).size).toBe(6)
    const block = await t.ask('/auth/blocks', { body: { subject: 'user:1', duration: 60 }, headers: once(key) })
    expect([block.status, block.headers.get('idempotency-replayed')]).toEqual([201, null])
  })

  test('who lost platform reach is not shown what he made with it', async () => {
    const acme = await t.core.organizations.create({ name: 'Shown to nobody' })
    const carl = await t.core.users.create({ email: 'carl@example.com', roles: ['admin'] })
    const { headers } = await addTokens(t, carl.id)
    const key = fresh()
    const body = { name: 'CI', organizationId: acme.id }
    expect((await create(key, body, headers)).status).toBe(201)
    await t.core.roles.put('maker', { permissions: ['machine_auth.keys.*'] })
    await t.core.users.setRoles(carl.id, ['maker'])
    expectProblem(await create(key, body, headers), 'not_found')
    await t.core.users.setRoles(carl.id, ['admin'])
    expect((await create(key, body, headers)).headers.get('idempotency-replayed')).toBe('true')
  })

  test('tokens to which the app gives no name are as many callers', async () => {
    const acme = { permissions: ['machine_auth.keys.create'], organizationId: 'org_of_the_app' }
    await using app = await createTestApp({ bearer: { verify: (text) => (text.startsWith('app-') ? acme : null) } })
    const ask = (text: string) =>
      app.ask('/auth/keys', { body: { name: 'CI' }, headers: once('nightly', withBearer(text)) })
    const first = await ask('app-token-of-one')
    const other = await ask('app-token-of-another')
    const again = await ask('app-token-of-one')
    const replayed = [first, other, again].map(({ headers }) => headers.get('idempotency-replayed'))
    expect(replayed).toEqual([null, null, 'true'])
    expect(idOf(again.json)).toBe(idOf(first.json))
    const stored = JSON.stringify(app.client.query('select * from machine_auth_idempotency').all())
    expect(stored).not.toContain('app-token')
  })

  test('who may no longer create is refused before anything else', async () => {
    const { headers } = await addTokens(t, bob.id)
    const key = fresh()
    await t.core.users.setRoles(bob.id, ['admin'])
    expect((await create(key, { name: 'CI' }, headers)).status).toBe(201)
    await t.core.users.setRoles(bob.id, ['user'])
    for (const each of [key, fresh(), '']) expect((await create(each, { name: 'CI' }, headers)).status).toBe(403)
    expect((await create(key, { name: 'CI' }, {})).status).toBe(401)
  })

  test('a repeated request counts for the limits of its key', async () => {
    const acme = await t.core.organizations.create({ name: 'Acme' })
    const { headers } = await addKey(t, {
      organizationId: acme.id,
      permissions: ['machine_auth.keys.create'],
      rateLimit: { limit: 2, window: '1m' },
    })
    const key = fresh()
    const body = { name: 'CI' }
    const answers = [
      await create(key, body, headers),
      await create(key, body, headers),
      await create(key, body, headers),
    ]
    expect(answers.map(({ said }) => said)).toEqual(['201', '201', '429 rate_limited'])
  })
})

describe('the header', () => {
  test.each<[name: string, value: string]>([
    ['one character', 'a'],
    ['255 characters', 'x'.repeat(255)],
    ['a quoted UUID', '"0f8e1c52-6a0b-4a35-9e5e-3a2f0c9b7d11"'],
    ['the first and last visible characters', '!~'],
  ])('takes %s', async (_, value) => {
    const first = await create(value)
    expect([first.status, idOf((await create(value)).json)]).toEqual([201, idOf(first.json)])
  })

  test('tells keys apart by every character', async () => {
    const ids = new Set<string>()
    for (const value of ['case', 'Case', '"case"', 'case.', "case'--", 'case%00'])
      ids.add(idOf((await create(value)).json))
    expect(ids.size).toBe(6)
  })

  test.each<[name: string, ...values: string[]]>([
    ['nothing', ''],
    ['256 characters', 'x'.repeat(256)],
    ['a space inside', 'a b'],
    ['a tab inside', 'a\tb'],
    ['DEL', 'a\x7f'],
    ['a character beyond ASCII', 'é'],
    ['two that a proxy joined', 'a,b'],
    ['two headers', 'a', 'b'],
    ['the same header twice', 'a', 'a'],
  ])('refuses %s, and nothing is written', async (_, ...values) => {
    const before = t.countRows()
    const answer = await sendRaw(values)
    expect(answer).toStartWith('HTTP/1.1 422')
    const errors = [expect.objectContaining({ path: 'Idempotency-Key' })]
    expect(JSON.parse(answer.slice(answer.indexOf('{')))).toMatchObject({ code: 'validation_failed', errors })
    expect(t.countRows()).toEqual(before)
  })

  test('with a control character never arrives', async () => {
    const before = t.countRows()
    expect(await sendRaw(['a\x01b'])).toStartWith('HTTP/1.1 400')
    expect(t.countRows()).toEqual(before)
  })
})

/** Sends a create with these keys as they are, in Latin-1, which `fetch` would not do; answers all that comes back. */
async function sendRaw(values: readonly string[]): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const received: Buffer[] = []
  const body = '{"name":"CI"}'
  const headers = { ...asMaster, host: 'localhost', connection: 'close', 'content-type': 'application/json' }
  const lines = [
    'POST /auth/keys HTTP/1.1',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...values.map((value) => `idempotency-key: ${value}`),
    `content-length: ${body.length}`,
  ]
  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port: Number(new URL(t.origin).port),
    socket: {
      data: (_, chunk) => void received.push(chunk),
      close: () => resolve(Buffer.concat(received).toString('latin1')),
    },
  })
  socket.write(Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1'))
  return promise
}

describe('a create that fails', () => {
  test.each<[name: string, body: unknown, said: string]>([
    ['by its model', { name: 'CI', unknown: true }, '422 validation_failed'],
    ['by its JSON', [], '422 validation_failed'],
    ['in the service', { name: 'CI', permissions: ['posts.fly'] }, '422 validation_failed'],
  ])('%s leaves nothing behind, so that its key can be used again', async (_, body, said) => {
    const key = fresh()
    const before = countClaims()
    expect((await create(key, body)).said).toBe(said)
    expect(countClaims()).toBe(before)
    expect((await create(key)).status).toBe(201)
  })

  test('for want of something is made once that is there', async () => {
    const key = fresh()
    const body = { name: 'CI', userId: 'user_later' }
    expectInvalidAt(await create(key, body), 'userId')
    await t.core.users.create({ id: 'user_later', email: 'later@example.com', roles: [] })
    expect((await create(key, body)).status).toBe(201)
  })
})

describe('when the database fails midway', () => {
  afterEach(() => void t.client.run('drop trigger if exists failing'))
  const failing = (when: string) =>
    t.client.run(`create trigger failing before ${when} begin select raise(abort, 'out of order'); end`)

  test('before the answer is noted, it goes out all the same, and no second key is made', async () => {
    const key = fresh()
    const before = countKeys()
    failing('update on machine_auth_idempotency when new.answer is not null')
    const first = await create(key)
    expect([first.status, 'rawKey' in first.json]).toEqual([201, true])
    t.client.run('drop trigger failing')
    for (const _ of [1, 2]) {
      const again = await create(key)
      expectProblem(again, 'conflict', ['retryAfter'])
      expect(again.headers.get('retry-after')).toBe('1')
      expect(textAt(again.json, 'detail')).toContain('use a new key')
    }
    expectInvalidAt(await create(key, { name: 'CD' }), 'Idempotency-Key')
    expect(countKeys()).toBe(before + 1)
    expect(t.warnings.filter((text) => text.includes('Idempotency-Key'))).toHaveLength(1)
    t.time.now += DAY
    expect((await create(key)).status).toBe(201)
  })

  test('after the key was made, a retry makes no second one', async () => {
    const key = fresh()
    const before = countKeys()
    failing('insert on machine_auth_audit')
    const { result } = await withLog(() => create(key))
    expectProblem(result, 'internal_error')
    t.client.run('drop trigger failing')
    expectProblem(await create(key), 'conflict', ['retryAfter'])
    expect(countKeys()).toBe(before + 1)
  })

  test('before the claim is made, nothing is made', async () => {
    const key = fresh()
    const before = countKeys()
    failing('insert on machine_auth_idempotency')
    const { result } = await withLog(() => create(key))
    expectProblem(result, 'internal_error')
    expect(countKeys()).toBe(before)
    t.client.run('drop trigger failing')
    expect((await create(key)).status).toBe(201)
  })
})

test('no file of the database holds the secret that was answered', async () => {
  const directory = createDatabaseDirectory('machine-auth')
  const app = await createTestApp({ database: `sqlite:${join(directory, 'auth.db')}` })
  const headers = once('at-rest')
  const [first, again] = [
    await app.ask('/auth/keys', { body: { name: 'CI' }, headers }),
    await app.ask('/auth/keys', { body: { name: 'CI' }, headers }),
  ]
  const secret = textAt(first.json, 'rawKey').split('_').at(-1) ?? ''
  const bytes = Buffer.concat(readdirSync(directory).map((file) => readFileSync(join(directory, file))))
  await app.close()
  removeDirectory(directory)
  expect(again.headers.get('idempotency-replayed')).toBe('true')
  expect(secret).toHaveLength(49)
  expect([bytes.includes('at-rest'), bytes.includes(idOf(first.json)), bytes.includes(secret)]).toEqual([
    true,
    true,
    false,
  ])
  expect(JSON.stringify(again.json)).not.toContain(secret)
})

test('the document describes the header, and that other headers are not its business', async () => {
  const app = await createTestApp({ docs: { path: '/docs' } })
  const { json } = await app.ask('/docs/json')
  await app.close()
  const paths = objectAt(json, 'paths')
  for (const path of ['/auth/keys', '/auth/blocks']) {
    const operation = objectAt(objectAt(paths, path), 'post')
    expect(operation.parameters).toContainEqual({
      in: 'header',
      name: 'idempotency-key',
      required: false,
      description: expect.stringContaining('24 hours'),
      schema: expect.objectContaining({ type: 'string' }),
    })
    expect(Object.keys(objectAt(operation, 'responses'))).toContain('409')
  }
})
