/** P85 Nobody guesses the master key: after five wrong ones an address waits, and that is written down. */
import { describe, expect, test } from 'bun:test'
import { withLog } from '../guards/support.ts'
import { from, LOCKED, PROXIED } from '../support/limited.ts'
import {
  addKey,
  addPeople,
  addTokens,
  asMaster,
  createTestApp,
  MASTER_KEY,
  type Question,
  type TestApp,
  withBearer,
} from '../support/test-app.ts'

const WRONG = '401 master_key_invalid'
const MINUTE = 60_000
const HERE = from('203.0.113.7')
const ELSEWHERE = from('203.0.113.8')

const wrongKey = (time = 0) => ({ 'x-admin-key': `wrong-master-key-${time}` })

type Headers = Readonly<Record<string, string>>
const create = (more: Parameters<typeof createTestApp>[0] = {}) =>
  createTestApp({ ...PROXIED, protect: [{ path: '/ruled', require: { masterKey: true } }], ...more })

async function guess(
  t: TestApp,
  times: number,
  path = '/master',
  address: Headers = HERE,
  present: (time: number) => Headers = wrongKey,
) {
  const said: string[] = []
  for (let time = 0; time < times; time += 1) {
    said.push((await t.ask(path, { headers: { ...present(time), ...address } })).said)
  }
  return said
}

async function refusalsOf(t: TestApp) {
  const { items } = await t.core.audit.list({ action: 'master_key.refused' }, { limit: 100 })
  return items.map(({ actor, subject, address, details: { lockedOut, more } }) => {
    return { actor, subject, address, lockedOut, more }
  })
}

/** Whether an address must wait before it may try again. */
const isLocked = async (t: TestApp, address: Headers = HERE) =>
  (await t.ask('/master', { headers: { ...asMaster, ...address } })).said === LOCKED

describe('P85 wrong master keys', () => {
  test('of a thousand, five are looked at', async () => {
    await using t = await create()
    const said = await guess(t, 1000)
    expect(said).toEqual([...Array(5).fill(WRONG), ...Array(995).fill(LOCKED)])
    const wrong = { actor: 'anonymous', subject: '203.0.113.7', address: '203.0.113.7' }
    const refusals = await refusalsOf(t)
    expect(refusals).toContainEqual({ ...wrong, lockedOut: false, more: undefined })
    // With those in between.
    expect(refusals).toContainEqual({ ...wrong, lockedOut: true, more: 3 })
    expect(refusals).toHaveLength(2)
  })

  test('that come at once are counted all the same', async () => {
    await using t = await create()
    const headers = { ...wrongKey(), ...HERE }
    const answers = await Promise.all(Array.from({ length: 50 }, () => t.ask('/auth/keys', { headers })))
    expect(answers.filter(({ said }) => said === WRONG)).toHaveLength(5)
    expect(answers.filter(({ said }) => said === LOCKED)).toHaveLength(45)
  })

  test('make the right one wait too, until the minute is over', async () => {
    await using t = await create()
    await guess(t, 4)
    expect(await isLocked(t)).toBe(false)
    t.time.now += 10_000
    await guess(t, 1)
    const { said, headers } = await t.ask('/master', { headers: { ...asMaster, ...HERE } })
    expect([said, headers.get('retry-after')]).toEqual([LOCKED, '50'])
    t.time.now += 49_999
    expect(await isLocked(t)).toBe(true)
    t.time.now += 1
    expect(await isLocked(t)).toBe(false)
    // Those four left the window, the fifth did not.
    expect(await guess(t, 5)).toEqual([...Array(4).fill(WRONG), LOCKED])
  })

  test('that are refused unseen do not prolong the wait', async () => {
    await using t = await create()
    await guess(t, 5)
    t.time.now += MINUTE - 1
    expect(new Set(await guess(t, 20))).toEqual(new Set([LOCKED]))
    t.time.now += 1
    expect(await isLocked(t)).toBe(false)
  })

  test('concern no other address, and nothing else of this one', async () => {
    await using t = await create()
    const { alice } = await addPeople(t)
    const tokens = await addTokens(t, alice.id)
    const key = await addKey(t)
    await guess(t, 50)
    expect(await isLocked(t, ELSEWHERE)).toBe(false)
    for (const [path, headers] of [
      ['/auth/keys', tokens.headers],
      ['/admin', tokens.headers],
      ['/key', key.headers],
      ['/open', wrongKey()],
      ['/optional', wrongKey()],
    ] as const) {
      expect([path, (await t.ask(path, { headers: { ...headers, ...HERE } })).status]).toEqual([path, 200])
    }
    expect((await t.ask('/auth/keys', { headers: HERE })).said).toBe('401 credential_missing')
    expect((await t.ask('/auth/keys', { headers: { ...key.headers, ...HERE } })).said).toBe('403 permission_required')
  })

  test('count together wherever they are asked for', async () => {
    await using t = await create()
    const places: readonly (readonly [string, Question, string])[] = [
      ['/master', { headers: wrongKey() }, WRONG],
      ['/ruled/x', { headers: wrongKey() }, WRONG],
      ['/auth/keys', { headers: wrongKey(), body: { name: 'x' } }, WRONG],
      ['/auth/token/new', { method: 'POST', headers: wrongKey() }, WRONG],
      ['/auth/blocks', { headers: withBearer('wrong-master-key') }, '401 token_invalid'],
    ]
    for (const [path, question, expected] of places) {
      const { said } = await t.ask(path, { ...question, headers: { ...question.headers, ...HERE } })
      expect([path, said]).toEqual([path, expected])
    }
    for (const [path, question] of places) {
      const { said } = await t.ask(path, { ...question, headers: { ...question.headers, ...HERE } })
      expect([path, said]).toEqual([path, LOCKED])
    }
    expect(await refusalsOf(t)).toHaveLength(2)
  })

  test('where nobody knows addresses, all are one', async () => {
    await using t = await create()
    const ask = (headers: Headers) => t.app.handle(new Request('http://localhost/master', { headers }))
    for (let time = 0; time < 5; time += 1) expect((await ask(wrongKey())).status).toBe(401)
    expect((await ask(asMaster)).status).toBe(429)
    expect((await refusalsOf(t)).map(({ subject }) => subject)).toEqual(['unknown', 'unknown'])
    expect(await isLocked(t)).toBe(false)
  })

  test('do not ask storage before they are refused, and nothing once the address waits', async () => {
    await using t = await create()
    t.takeStatements()
    await guess(t, 5)
    expect(t.takeStatements().every((statement) => statement.includes('"machine_auth_audit'))).toBe(true)
    await guess(t, 20)
    await guess(t, 20, '/auth/keys', HERE, () => withBearer('wrong'))
    expect(t.takeStatements()).toEqual([])
  })

  test('still count towards a block, also those that are not looked at', async () => {
    await using t = await create({ abuse: { threshold: 8, window: '1h', blockFor: '1h' } })
    expect(await guess(t, 8)).toEqual([...Array(5).fill(WRONG), ...Array(3).fill(LOCKED)])
    expect((await t.ask('/open', { headers: HERE })).said).toBe('403 address_blocked')
  })

  test('a right key that must wait counts towards no block', async () => {
    await using t = await create({ abuse: { threshold: 6, window: '1h', blockFor: '1h' } })
    await guess(t, 5)
    for (let time = 0; time < 20; time += 1) expect(await isLocked(t)).toBe(true)
    expect((await t.ask('/open', { headers: HERE })).said).toBe('200')
  })
})

describe('P85 the master key as a bearer token', () => {
  const guesses = (time: number) => withBearer(`wrong-master-key-${time}`)

  test.each([
    ['/master', WRONG],
    ['/auth/keys', '401 token_invalid'],
  ])('is guessed five times on %s', async (path, wrong) => {
    await using t = await create()
    expect(await guess(t, 7, path, HERE, guesses)).toEqual([...Array(5).fill(wrong), LOCKED, LOCKED])
    expect((await t.ask(path, { headers: { ...withBearer(MASTER_KEY), ...HERE } })).said).toBe(LOCKED)
    expect((await t.ask(path, { headers: { ...withBearer(MASTER_KEY), ...ELSEWHERE } })).said).toBe('200')
  })

  test('is not what a bearer token is elsewhere, nor what is somebody else’s', async () => {
    await using t = await create()
    const { alice } = await addPeople(t)
    const own = await t.core.tokens.bearer.create({ name: 'own', userId: alice.id })
    const revoked = await t.core.tokens.bearer.create({ name: 'revoked', userId: alice.id })
    await t.core.tokens.bearer.revoke(revoked.token.id)
    const presented = [
      ['/token', withBearer('wrong')],
      ['/auth/me', withBearer('wrong')],
      ['/master', withBearer(own.rawToken)],
      ['/master', withBearer(revoked.rawToken)],
      ['/auth/keys', withBearer(revoked.rawToken)],
      ['/master', withBearer('a.b.c')],
      ['/master', { authorization: 'Basic YWxpY2U6c2VjcmV0' }],
      ['/master', (await addKey(t)).headers],
    ] as const
    for (const [path, headers] of presented) {
      for (let time = 0; time < 6; time += 1) {
        expect((await t.ask(path, { headers: { ...headers, ...HERE } })).status).toBe(401)
      }
    }
    expect(await isLocked(t)).toBe(false)
    expect(await refusalsOf(t)).toEqual([])
  })

  test('a token of the app’s own that cannot be verified is a guess as well', async () => {
    await using t = await create({ bearer: { verify: () => Promise.reject(new Error('expected by the test')) } })
    const { result: said } = await withLog(() => guess(t, 6, '/auth/keys', HERE, guesses))
    expect(said.at(-1)).toBe(LOCKED)
    expect(new Set(said.slice(0, 5)).has(LOCKED)).toBe(false)
  })
})

describe('P85 when more addresses guess than are remembered', () => {
  const SUBJECTS = 1000
  const addressOf = (count: number) => from(`2001:db8:0:${count.toString(16)}::1`)

  async function fill(t: TestApp, addresses: number) {
    const said: string[] = []
    for (let count = 0; count < addresses; count += 1) said.push(...(await guess(t, 1, '/master', addressOf(count))))
    return said
  }
  const createSmall = () => create({ abuse: false, rateLimit: { maxSubjects: SUBJECTS } })

  test('the right key of a new address goes through, and wrong ones do not', async () => {
    await using t = await createSmall()
    const said = await fill(t, SUBJECTS + 20)
    expect(said).toEqual([...Array(SUBJECTS + 5).fill(WRONG), ...Array(15).fill(LOCKED)])
    expect(await isLocked(t)).toBe(false)
    expect(await guess(t, 3)).toEqual(Array(3).fill(LOCKED))
    expect(await isLocked(t)).toBe(false)
  })

  test('an address with guesses of its own waits as ever', async () => {
    await using t = await createSmall()
    await guess(t, 5)
    await fill(t, SUBJECTS + 20)
    expect(await isLocked(t)).toBe(true)
  })
})

describe('P85 what does not count', () => {
  test('right keys, however many, and right ones from elsewhere', async () => {
    await using t = await create({ masterKeyAddresses: ['203.0.113.7'] })
    for (let time = 0; time < 20; time += 1) {
      expect((await t.ask('/master', { headers: { ...asMaster, ...HERE } })).status).toBe(200)
      const { said } = await t.ask('/master', { headers: { ...asMaster, ...ELSEWHERE } })
      expect(said).toBe('403 ip_not_allowed')
    }
    expect(await refusalsOf(t)).toEqual([])
  })

  test('wrong ones where nobody asks for a master key', async () => {
    await using t = await create()
    for (const path of ['/open', '/key', '/user', '/auth/me', '/nowhere']) await guess(t, 6, path)
    expect(await isLocked(t)).toBe(false)
  })
})
