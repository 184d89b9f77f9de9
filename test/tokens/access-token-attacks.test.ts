/** What must not pass for an access token (SECURITY: P1 to P8, P12, P20). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import type { SigningAlgorithm } from '../../src/storage/records.ts'
import { createHmacSigner, createJwkSigner, forge, openSigningKey, type Signer, unsigned } from '../support/forge.ts'
import { createServices, SECRET, type Services, START } from '../support/services.ts'

const NOW = START / 1000
const FAMILY = `rt_${'a'.repeat(16)}`
const CLAIMS = {
  iss: 'machine-auth',
  aud: 'machine-auth',
  sub: 'user_1',
  jti: 'j1',
  iat: NOW,
  exp: NOW + 900,
  fid: FAMILY,
}

interface Forgery {
  readonly services: Services
  readonly kid: string
  readonly header: Readonly<Record<string, unknown>>
  readonly signer: Signer
  readonly jwk: Readonly<Record<string, unknown>>
}

/** A service with its key opened, as its worst enemy would have it. */
async function setUp(algorithm: SigningAlgorithm): Promise<Forgery> {
  const services = createServices({ jwt: { algorithm } })
  await services.signingKeys.ensureCurrent()
  const [record] = [...services.memory.rows.signingKeys.values()]
  if (record === undefined) throw new Error('expected a signing key')
  const jwk = openSigningKey(record, SECRET)
  const header = { alg: algorithm, typ: 'at+jwt', kid: record.kid }
  return { services, kid: record.kid, header, signer: createJwkSigner(jwk), jwk }
}

const verdict = async ({ services }: Forgery, text: string) => {
  const outcome = await services.verifyAccessToken(text, services.time.now)
  return 'kind' in outcome ? outcome.code : 'accepted'
}

const without = (name: keyof typeof CLAIMS) =>
  Object.fromEntries(Object.entries(CLAIMS).filter(([key]) => key !== name))

describe.each(['EdDSA', 'ES256', 'HS256'] as const)('with %s', (algorithm) => {
  test('the honest token is accepted, so that the forgeries below fail for their own reason', async () => {
    const forgery = await setUp(algorithm)
    expect(await verdict(forgery, forge(forgery.header, CLAIMS, forgery.signer))).toBe('accepted')
  })

  test.each(['none', 'None', 'nOnE', '', 'HS384', 'HS512', 'RS256', 'PS256', 'ES384', 'Ed25519', 'HS256 '])(
    'alg %p is refused, signed or not',
    async (alg) => {
      const forgery = await setUp(algorithm)
      for (const signer of [unsigned, forgery.signer]) {
        expect(await verdict(forgery, forge({ ...forgery.header, alg }, CLAIMS, signer))).toBe('token_invalid')
      }
    },
  )

  test('a signature of one wrong bit, and one of another key, are refused', async () => {
    const forgery = await setUp(algorithm)
    const stranger = await setUp(algorithm)
    const honest = forge(forgery.header, CLAIMS, forgery.signer)
    const at = honest.length - 20
    const flipped = honest.slice(0, at) + (honest[at] === 'A' ? 'B' : 'A') + honest.slice(at + 1)
    expect(await verdict(forgery, flipped)).toBe('token_invalid')
    expect(await verdict(forgery, forge(forgery.header, CLAIMS, stranger.signer))).toBe('token_invalid')
    expect(await verdict(forgery, forge(stranger.header, CLAIMS, stranger.signer))).toBe('token_invalid')
  })
})

describe.each(['EdDSA', 'ES256'] as const)('algorithm confusion with %s', (algorithm) => {
  test('HS256 with anything public as its secret is refused', async () => {
    const forgery = await setUp(algorithm)
    const { d: _, ...publicJwk } = forgery.jwk
    const key = createPublicKey({ key: publicJwk, format: 'jwk' })
    const jwks = await forgery.services.signingKeys.jwks()
    const secrets = [
      key.export({ type: 'spki', format: 'pem' }),
      key.export({ type: 'spki', format: 'der' }),
      JSON.stringify(jwks),
      JSON.stringify(jwks.keys[0]),
      Buffer.from(String(publicJwk.x), 'base64url'),
    ]
    for (const secret of secrets) {
      const token = forge({ ...forgery.header, alg: 'HS256' }, CLAIMS, createHmacSigner('sha256', secret))
      expect(await verdict(forgery, token)).toBe('token_invalid')
    }
  })
})

test.each([
  ['HS384', 'sha384'],
  ['HS512', 'sha512'],
] as const)('%s with the HS256 secret is refused', async (alg, hash) => {
  const forgery = await setUp('HS256')
  const secret = Buffer.from(String(forgery.jwk.k), 'base64url')
  for (const name of [alg, 'HS256']) {
    const token = forge({ ...forgery.header, alg: name }, CLAIMS, createHmacSigner(hash, secret))
    expect(await verdict(forgery, token)).toBe('token_invalid')
  }
})

describe('headers', () => {
  let requests = 0
  let listener: ReturnType<typeof Bun.serve>
  beforeAll(() => {
    listener = Bun.serve({
      port: 0,
      fetch() {
        requests += 1
        return Response.json({ keys: [] })
      },
    })
  })
  afterAll(() => listener.stop(true))

  test('a key that comes with the token is not used, and nothing is fetched', async () => {
    const forgery = await setUp('EdDSA')
    const own = generateKeyPairSync('ed25519')
    const jwk = own.privateKey.export({ format: 'jwk' })
    const { d: _, ...publicJwk } = jwk
    const url = listener.url.href
    const tricks = [
      { jwk: publicJwk },
      { jku: url },
      { x5u: url },
      { x5c: ['MIIB'] },
      { x5t: 'abc' },
      { jwk: publicJwk, kid: undefined },
      { jku: url, kid: 'elsewhere' },
    ]
    for (const trick of tricks) {
      const theirs = forge({ ...forgery.header, ...trick }, CLAIMS, createJwkSigner({ ...jwk }))
      expect(await verdict(forgery, theirs)).toBe('token_invalid')
      const ours = forge({ ...forgery.header, ...trick }, CLAIMS, forgery.signer)
      expect(await verdict(forgery, ours)).toBe('token_invalid')
    }
    expect(requests).toBe(0)
  })

  test.each([
    { name: 'crit', header: { crit: ['exp'], exp: 1 } },
    { name: 'empty crit', header: { crit: [] } },
    { name: 'b64: false', header: { b64: false, crit: ['b64'] } },
    { name: 'b64: true', header: { b64: true } },
    { name: 'zip', header: { zip: 'DEF' } },
    { name: 'a nested token', header: { cty: 'JWT' } },
    { name: 'no typ', header: { typ: undefined } },
    { name: 'typ JWT', header: { typ: 'JWT' } },
    { name: 'an id token', header: { typ: 'id+jwt' } },
    { name: 'a logout token', header: { typ: 'logout+jwt' } },
    { name: 'typ of another type', header: { typ: 1 } },
    { name: 'no kid', header: { kid: undefined } },
    { name: 'kid of another type', header: { kid: ['a'] } },
    { name: 'an unknown kid', header: { kid: 'unknown' } },
    { name: 'kid with a path', header: { kid: '../../etc/passwd' } },
    { name: 'kid __proto__', header: { kid: '__proto__' } },
    { name: 'a long kid', header: { kid: 'k'.repeat(65) } },
  ])('$name is refused although the signature is right', async ({ header }) => {
    const forgery = await setUp('EdDSA')
    expect(await verdict(forgery, forge({ ...forgery.header, ...header }, CLAIMS, forgery.signer))).toBe(
      'token_invalid',
    )
  })

  test('the media type in full is the same type', async () => {
    const forgery = await setUp('EdDSA')
    const token = forge({ ...forgery.header, typ: 'application/at+jwt' }, CLAIMS, forgery.signer)
    expect(await verdict(forgery, token)).toBe('accepted')
  })
})

describe('claims', () => {
  test.each([
    { name: 'no exp', payload: without('exp'), expected: 'token_invalid' },
    { name: 'no iat', payload: without('iat'), expected: 'token_invalid' },
    { name: 'no sub', payload: without('sub'), expected: 'token_invalid' },
    { name: 'no jti', payload: without('jti'), expected: 'token_invalid' },
    { name: 'no iss', payload: without('iss'), expected: 'token_invalid' },
    { name: 'no aud', payload: without('aud'), expected: 'token_invalid' },
    { name: 'no family', payload: without('fid'), expected: 'token_invalid' },
    { name: 'a string exp', payload: { ...CLAIMS, exp: String(NOW + 900) }, expected: 'token_invalid' },
    { name: 'a fractional exp', payload: { ...CLAIMS, exp: NOW + 0.5 }, expected: 'token_invalid' },
    { name: 'a null exp', payload: { ...CLAIMS, exp: null }, expected: 'token_invalid' },
    { name: 'a huge exp', payload: { ...CLAIMS, exp: 1e300 }, expected: 'token_invalid' },
    { name: 'a lifetime of a year', payload: { ...CLAIMS, exp: NOW + 31_536_000 }, expected: 'token_invalid' },
    { name: 'a lifetime just over the maximum', payload: { ...CLAIMS, exp: NOW + 932 }, expected: 'token_invalid' },
    { name: 'an exp before iat', payload: { ...CLAIMS, exp: NOW - 1 }, expected: 'token_invalid' },
    { name: 'a negative iat', payload: { ...CLAIMS, iat: -1 }, expected: 'token_invalid' },
    { name: 'a string iat', payload: { ...CLAIMS, iat: String(NOW) }, expected: 'token_invalid' },
    { name: 'nbf in the future', payload: { ...CLAIMS, nbf: NOW + 31 }, expected: 'token_invalid' },
    { name: 'a string nbf', payload: { ...CLAIMS, nbf: '0' }, expected: 'token_invalid' },
    { name: 'nbf within the tolerance', payload: { ...CLAIMS, nbf: NOW + 30 }, expected: 'accepted' },
    { name: 'iat within the tolerance', payload: { ...CLAIMS, iat: NOW + 30 }, expected: 'accepted' },
    { name: 'iat beyond the tolerance', payload: { ...CLAIMS, iat: NOW + 31 }, expected: 'token_invalid' },
    { name: 'iat 90 s ahead', payload: { ...CLAIMS, iat: NOW + 90 }, expected: 'token_invalid' },
    { name: 'another issuer', payload: { ...CLAIMS, iss: 'https://evil.example' }, expected: 'token_invalid' },
    { name: 'an issuer array', payload: { ...CLAIMS, iss: ['machine-auth'] }, expected: 'token_invalid' },
    { name: 'another audience', payload: { ...CLAIMS, aud: 'billing' }, expected: 'token_invalid' },
    { name: 'audiences without ours', payload: { ...CLAIMS, aud: ['billing', 'shop'] }, expected: 'token_invalid' },
    {
      name: 'audiences with ours second',
      payload: { ...CLAIMS, aud: ['billing', 'machine-auth'] },
      expected: 'accepted',
    },
    { name: 'an empty sub', payload: { ...CLAIMS, sub: '' }, expected: 'token_invalid' },
    { name: 'a numeric sub', payload: { ...CLAIMS, sub: 1 }, expected: 'token_invalid' },
    { name: 'a family of another kind', payload: { ...CLAIMS, fid: 'user_1' }, expected: 'token_invalid' },
    { name: 'a client id that is not the subject', payload: { ...CLAIMS, client_id: 'x' }, expected: 'token_invalid' },
    { name: 'claims that are an array', payload: [CLAIMS], expected: 'token_invalid' },
    { name: 'claims that are text', payload: 'sub', expected: 'token_invalid' },
  ])('$name: $expected', async ({ payload, expected }) => {
    const forgery = await setUp('EdDSA')
    expect(await verdict(forgery, forge(forgery.header, payload, forgery.signer))).toBe(expected)
  })

  test.each([
    { at: 899_999, expected: 'accepted' },
    { at: 929_999, expected: 'accepted' },
    { at: 930_000, expected: 'token_expired' },
    { at: 930_001, expected: 'token_expired' },
  ])('$at ms after it was made, 30 s of tolerance included: $expected', async ({ at, expected }) => {
    const forgery = await setUp('EdDSA')
    forgery.services.time.now = START + at
    expect(await verdict(forgery, forge(forgery.header, CLAIMS, forgery.signer))).toBe(expected)
  })

  test('an expired token is called expired only when all else is right', async () => {
    const forgery = await setUp('EdDSA')
    const stranger = await setUp('EdDSA')
    forgery.services.time.now = START + 10_000_000
    const expectation = [
      [forge(forgery.header, CLAIMS, forgery.signer), 'token_expired'],
      [forge(forgery.header, CLAIMS, stranger.signer), 'token_invalid'],
      [forge(forgery.header, { ...CLAIMS, aud: 'billing' }, forgery.signer), 'token_invalid'],
      [forge({ ...forgery.header, typ: 'JWT' }, CLAIMS, forgery.signer), 'token_invalid'],
    ] as const
    for (const [token, expected] of expectation) expect(await verdict(forgery, token)).toBe(expected)
  })
})

describe('texts', () => {
  test.each([
    { name: '8193 characters', text: (token: string) => token + 'A'.repeat(8193 - token.length) },
    { name: 'a megabyte', text: (token: string) => token + 'A'.repeat(1_000_000) },
    { name: 'five parts (JWE)', text: (token: string) => `${token}.a.b` },
    { name: 'a space in front', text: (token: string) => ` ${token}` },
    { name: 'a line break behind', text: (token: string) => `${token}\n` },
    { name: 'padding', text: (token: string) => `${token}==` },
    { name: 'plain base64', text: (token: string) => `${token.slice(0, -2)}+/` },
    { name: 'an empty signature', text: (token: string) => token.slice(0, token.lastIndexOf('.') + 1) },
    { name: 'two parts', text: (token: string) => token.slice(0, token.lastIndexOf('.')) },
    { name: 'no JSON in the header', text: (token: string) => `e30x${token.slice(token.indexOf('.'))}` },
    { name: 'nothing', text: () => '' },
  ])('$name: refused without touching storage', async ({ text }) => {
    const forgery = await setUp('EdDSA')
    const mangled = text(forge(forgery.header, CLAIMS, forgery.signer))
    forgery.services.memory.calls.length = 0
    expect(await verdict(forgery, mangled)).toBe('token_invalid')
    expect(forgery.services.memory.calls).toEqual([])
  })

  test('thousands of nested claims are over the limit of length before anything reads them', async () => {
    const forgery = await setUp('EdDSA')
    let deep: unknown = 1
    for (let level = 0; level < 3000; level += 1) deep = [deep]
    expect(await verdict(forgery, forge(forgery.header, { ...CLAIMS, deep }, forgery.signer))).toBe('token_invalid')
  })

  test('a refresh token is no access token', async () => {
    const { tokens, authenticators, verifyAccessToken, time } = createServices()
    const pair = await tokens.issueForClient()
    expect(await verifyAccessToken(pair.refresh_token, time.now)).toMatchObject({ code: 'token_invalid' })
    expect(await authenticators.bearer.resolve(pair.refresh_token)).toMatchObject({ code: 'token_invalid' })
  })
})
