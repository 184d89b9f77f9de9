/** The search for credentials that every run of the tests ends with: it finds what it must, and nothing else. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { generateApiKey } from '../../src/credentials/api-key-format.ts'
import { formatRefreshToken, generateBearerToken, generateSessionText } from '../../src/credentials/secret-text.ts'
import { randomBase62 } from '../../src/lib/base62.ts'
import { type CredentialKind, CredentialSearch } from '../support/credentials/search.ts'
import { findShapes } from '../support/credentials/shapes.ts'
import { issued } from '../support/credentials/watch.ts'
import {
  ALICE,
  addKey,
  addPeople,
  addSession,
  addTokens,
  createTestApp,
  MASTER_KEY,
  PASSWORD,
  SECRET,
} from '../support/test-app.ts'

const SECRET_TEXT = randomBase62(43)
const WORDS = 'correct horse battery staple'

function searchFor(kind: CredentialKind, secret: string, isWords = false): CredentialSearch {
  const search = new CredentialSearch()
  search.note(kind, secret, isWords)
  return search
}

describe('a search', () => {
  test('tells kind and offset of what it finds, and not the text', () => {
    const leaks = searchFor('API key', SECRET_TEXT).find(Buffer.from(`{"key":"${SECRET_TEXT}"}`))
    expect(leaks[0]).toEqual({ kind: 'API key', offset: 8 })
    expect(JSON.stringify(leaks)).not.toContain(SECRET_TEXT.slice(0, 8))
  })

  test('finds any 23 characters of a random secret, wherever they are', () => {
    const search = searchFor('session', SECRET_TEXT)
    const part = fc.tuple(fc.nat(SECRET_TEXT.length - 23), fc.uint8Array({ maxLength: 50 }), fc.uint8Array())
    fc.assert(
      fc.property(part, ([start, before, after]) => {
        const bytes = Buffer.concat([before, Buffer.from(SECRET_TEXT.slice(start, start + 23)), after])
        return search.find(bytes).length > 0
      }),
    )
  })

  test('finds what people thought of as a whole only', () => {
    const search = searchFor('password', WORDS, true)
    expect(search.find(Buffer.from(`said: ${WORDS}.`))).toEqual([{ kind: 'password', offset: 6 }])
    expect(search.find(Buffer.from(WORDS.slice(0, -1)))).toEqual([])
  })

  test('tells apart what begins alike', () => {
    const search = searchFor('password', 'correct horse one', true)
    search.note('root secret', 'correct horse two', true)
    const kinds = (text: string) => search.find(Buffer.from(text)).map(({ kind }) => kind)
    expect(kinds('correct horse two')).toEqual(['root secret'])
    expect(kinds('correct horse one')).toEqual(['password'])
    expect(kinds('correct horse three')).toEqual([])
  })

  test('agrees with a search for each', () => {
    const secrets = Array.from({ length: 200 }, () => randomBase62(12))
    const search = new CredentialSearch()
    for (const secret of secrets) search.note('session', secret)
    const pieces = fc.array(fc.oneof(fc.constantFrom(...secrets), fc.string()), { maxLength: 20 })
    fc.assert(
      fc.property(pieces, (texts) => {
        const bytes = Buffer.from(texts.join(''))
        const expected = new Set(secrets.filter((secret) => bytes.includes(secret)).map((one) => bytes.indexOf(one)))
        const offsets = new Set(search.find(bytes).map(({ offset }) => offset))
        return [...expected].every((offset) => offsets.has(offset)) && (expected.size > 0 || offsets.size === 0)
      }),
    )
  })

  test('does not look for words that other texts hold', () => {
    expect(searchFor('password', 'password').size).toBe(0)
  })
})

const KEY = generateApiKey('mac', 'live').raw
const SIGNED = `${Buffer.from('{"alg":"EdDSA"}').toString('base64url')}.${Buffer.from('{"sub":"user_1"}').toString('base64url')}`
const swapped = (text: string) => text.slice(0, -1) + (text.endsWith('0') ? '1' : '0')

test.each([
  ['an API key', KEY, ['API key']],
  ['one with a prefix of the app', generateApiKey('acme', 'test').raw, ['API key']],
  ['an opaque token', generateBearerToken().raw, ['opaque bearer token']],
  ['a refresh token', formatRefreshToken('rt_0123456789abcdef', 12, SECRET_TEXT), ['refresh token']],
  ['a signed token', `${SIGNED}.${'s'.repeat(86)}`, ['access token']],
  ['an API key that nobody made', swapped(KEY), []],
  ['an opaque token that nobody made', swapped(generateBearerToken().raw), []],
  ['a token without its signature', SIGNED, []],
  ['what is shown of a key', KEY.slice(0, 25), []],
])('by its form: %s', (_, text, kinds) => {
  expect(findShapes(`before "${text}" after`).map(({ kind }) => kind)).toEqual(kinds as CredentialKind[])
})

test('what this process makes or is given is looked for', async () => {
  await using app = await createTestApp()
  await addPeople(app)
  const key = await addKey(app)
  const rotated = await app.core.keys.rotate(key.id)
  const { rawToken } = await app.core.tokens.bearer.create({ name: 'x' })
  const { pair } = await addTokens(app, 'user_bob')
  const { cookieValue } = await addSession(app, 'user_bob')
  await app.ask('/auth/login', { body: { email: ALICE, password: PASSWORD } })
  const looked = {
    'API key': [key.rawKey, rotated.rawKey],
    'opaque bearer token': [rawToken],
    'access token': [pair.access_token],
    'refresh token': [pair.refresh_token],
    session: [cookieValue],
    'root secret': [SECRET],
    'master key': [MASTER_KEY],
    password: [PASSWORD],
  }
  for (const [kind, texts] of Object.entries(looked)) {
    for (const text of texts) expect([kind, issued.find(Buffer.from(text))[0]?.kind]).toEqual([kind, kind])
  }
  expect(issued.find(Buffer.from(generateSessionText().id))).toEqual([])
})
