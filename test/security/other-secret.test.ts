/** A process with another secret on the same database, as a bad deployment makes one: it harms nobody but itself. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { generateApiKey } from '../../src/credentials/api-key-format.ts'
import { sha256 } from '../../src/index.ts'
import { createDatabaseDirectory, removeDirectory } from '../support/directories.ts'
import { addForeignKey } from '../support/foreign-keys.ts'
import { askTimes, BLOCKED, forgeKey, from, PROXIED } from '../support/limited.ts'
import {
  addKey,
  addPeople,
  addTokens,
  asMaster,
  createTestApp,
  type Question,
  SECRET,
  START,
  type TestApp,
  withBearer,
  withKey,
} from '../support/test-app.ts'

const OTHER = 'another-root-secret-of-the-tests-Wm7Hc3RtQz9'
const THRESHOLD = 3
/** ms: access tokens of another secret are still verified for as long as one lives. */
const LATER = 16 * 60_000

const directory = createDatabaseDirectory('machine-auth-other-secret')
afterAll(() => removeDirectory(directory))

function open(name: string, secret: string, algorithm: 'EdDSA' | 'HS256' = 'EdDSA') {
  return createTestApp({
    ...PROXIED,
    database: `sqlite:${join(directory, `${name}.db`)}`,
    secret,
    jwt: { algorithm },
    abuse: { threshold: THRESHOLD },
    apiKeys: { defaultRateLimit: false, importKinds: [sha256()] },
  })
}

let addresses = 0
function newcomer() {
  addresses += 1
  return from(`10.9.0.${addresses}`)
}

type Ask = (app: TestApp, headers: Readonly<Record<string, string>>) => Promise<string>
interface Pair {
  readonly right: TestApp
  readonly wrong: TestApp
}

const presents =
  (path: string, question: Question): Ask =>
  async (app, headers) =>
    (await app.ask(path, { ...question, headers: { ...question.headers, ...headers } })).said

const CREDENTIALS: Readonly<Record<string, (right: TestApp) => Promise<Ask>>> = {
  'an API key': async (right) => presents('/key', { headers: (await addKey(right)).headers }),
  'an API key as Bearer': async (right) => presents('/key', { headers: withBearer((await addKey(right)).rawKey) }),
  'an imported key that was used': async (right) => {
    const { headers } = await addForeignKey(right, 'sha256')
    expect((await right.ask('/key', { headers })).status).toBe(200)
    return presents('/key', { headers })
  },
  'an imported key that was used, as Bearer': async (right) => {
    const { text, headers } = await addForeignKey(right, 'sha256')
    expect((await right.ask('/key', { headers })).status).toBe(200)
    return presents('/key', { headers: withBearer(text) })
  },
  'an opaque token': async (right) => {
    const { rawToken } = await right.core.tokens.bearer.create({ name: 'x', userId: 'user_bob', permissions: ['*'] })
    return presents('/token', { headers: withBearer(rawToken) })
  },
  'an access token': async (right) => presents('/token', { headers: (await addTokens(right, 'user_bob')).headers }),
  'a key that another service asks about': async (right) => {
    const { rawKey } = await addKey(right)
    return async (app, headers) => {
      const ip = headers['x-forwarded-for']
      const { json } = await app.ask('/auth/keys/verify', { headers: asMaster, body: { key: rawKey, ip } })
      return json.valid === true ? '200' : `401 ${json.code}`
    }
  },
}

describe.each(['EdDSA', 'HS256'] as const)('with signing keys of %s', (algorithm) => {
  let pair: Pair
  beforeAll(async () => {
    const right = await open(algorithm, SECRET, algorithm)
    await addPeople(right)
    const { headers } = await addForeignKey(right, 'sha256')
    expect((await right.ask('/key', { headers })).status).toBe(200)
    const wrong = await open(algorithm, OTHER, algorithm)
    for (const { time } of [right, wrong]) time.now = START + LATER
    pair = { right, wrong }
  })
  afterAll(async () => {
    await pair.right.close()
    await pair.wrong.close()
  })

  test.each(Object.entries(CREDENTIALS))(
    '%s that is right is refused there, and nobody is blocked',
    async (_, make) => {
      const { right, wrong } = pair
      const ask = await make(right)
      const address = newcomer()
      const said = new Set<string>()
      for (let time = 0; time < 2 * THRESHOLD; time += 1) said.add(await ask(wrong, address))
      expect([...said]).toEqual([expect.stringMatching(/^401 (?:api_key|token)_invalid$/)])
      expect(await ask(right, address)).toBe('200')
      expect((await wrong.ask('/open', { headers: address })).said).toBe('200')
      await wrong.core.blocks.settle()
      expect((await right.core.blocks.list()).items).toEqual([])
    },
  )

  test('a refresh token as well, and it is not spent', async () => {
    const { right, wrong } = pair
    const { refresh_token } = (await addTokens(right, 'user_bob')).pair
    const question = { headers: newcomer(), body: { refresh_token } }
    expect(new Set(await askTimes(wrong, 2 * THRESHOLD, '/auth/refresh', question))).toEqual(
      new Set(['401 token_invalid']),
    )
    expect((await right.ask('/auth/refresh', question)).said).toBe('200')
  })

  test('the answer is that of a wrong one, byte for byte', async () => {
    const { right, wrong } = pair
    const { rawKey } = await addKey(right)
    const textOf = async (headers: Readonly<Record<string, string>>) => {
      const answer = await wrong.ask('/key', {
        headers: { ...headers, 'x-request-id': 'one-and-the-same', ...newcomer() },
      })
      return [answer.text, [...answer.headers].filter(([name]) => name !== 'date')]
    }
    expect(await textOf(withKey(rawKey))).toEqual(await textOf(withKey(generateApiKey('mac', 'live').raw)))
  })

  test('what the right process can tell to be wrong is counted as ever', async () => {
    const { right } = pair
    const { rawKey } = await addKey(right)
    const { access_token, refresh_token } = (await addTokens(right, 'user_bob')).pair
    const forged = (text: string) => `${text.slice(0, -4)}${text.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`
    const rows: readonly (readonly [path: string, question: Question])[] = [
      ['/key', { headers: withKey(forgeKey(rawKey)) }],
      ['/key', { headers: withKey(generateApiKey('mac', 'live').raw) }],
      ['/key', { headers: withKey('a-key-of-nobody-at-all') }],
      ['/token', { headers: withBearer(forged(access_token)) }],
      ['/auth/refresh', { body: { refresh_token: forged(refresh_token) } }],
    ]
    for (const [path, question] of rows) {
      const address = newcomer()
      await askTimes(right, THRESHOLD, path, { ...question, headers: { ...question.headers, ...address } })
      expect([path, (await right.ask('/open', { headers: address })).said]).toEqual([path, BLOCKED])
    }
    for (const { id } of (await right.core.blocks.list()).items) await right.core.blocks.remove(id)
  })
})

describe('the start under another secret', () => {
  const countKeys = ({ client }: TestApp) =>
    client.query<{ n: number }, []>('select count(*) as n from machine_auth_signing_keys').get()?.n

  test('says so once, serves all the same, and makes no signing key before one is needed', async () => {
    await using right = await open('start', SECRET)
    await addPeople(right)
    const unused = await addForeignKey(right, 'sha256')
    await addKey(right)
    {
      await using wrong = await open('start', OTHER)
      expect(wrong.warnings).toEqual([
        expect.stringMatching(/^no stored key, token or signing key .*is MACHINE_AUTH_SECRET the one of the other/),
      ])
      expect((await wrong.ask('/auth/health/ready')).status).toBe(200)
      expect((await wrong.core.signingKeys.jwks()).keys).toHaveLength(1)
      // Nor is what others can verify hashed anew under a secret that they lack.
      expect((await wrong.ask('/key', { headers: unused.headers })).status).toBe(200)
      expect((await right.ask('/key', { headers: unused.headers })).status).toBe(200)
      expect((await addTokens(wrong, 'user_bob')).pair.access_token).not.toBe('')
      expect((await wrong.core.signingKeys.jwks()).keys).toHaveLength(2)
    }
    // Whoever lost the old secret goes on: from now on what is lost is counted.
    await using again = await open('start', OTHER)
    expect(again.warnings).toEqual([expect.stringMatching(/^2 stored keys or tokens belong .*, and are refused$/)])
    // And the key of the other secret is none of the right one's worries.
    await using still = await open('start', SECRET)
    expect([still.warnings, countKeys(right) ?? 0]).toEqual([[], expect.any(Number)])
  })

  test('is told in the singular of one', async () => {
    await using right = await open('one', SECRET)
    await addKey(right)
    await using both = await createTestApp({
      database: `sqlite:${join(directory, 'one.db')}`,
      secret: [OTHER, SECRET],
    })
    expect(both.warnings).toEqual([])
    await using wrong = await open('one', OTHER)
    expect(wrong.warnings).toEqual([
      '1 stored key or token belongs to a secret that is no longer given, and is refused',
    ])
  })

  test('an empty database says nothing', async () => {
    await using app = await open('empty', OTHER)
    expect([app.warnings, (await app.core.signingKeys.jwks()).keys.length]).toEqual([[], 1])
  })
})
