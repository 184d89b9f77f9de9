/** SECURITY.md, tokens: what must not pass for an access token on a guarded route. */
import { afterAll, describe, expect, test } from 'bun:test'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import type { SigningAlgorithm } from '../../src/storage/records.ts'
import { expectProblem } from '../support/answers.ts'
import { createHmacSigner, createJwkSigner, forge, openSigningKey, type Signer, unsigned } from '../support/forge.ts'
import { addPeople, addTokens, createTestApp, type Json, SECRET, START, withBearer } from '../support/test-app.ts'

const NOW = START / 1000

interface StoredKey {
  readonly kid: string
  readonly encrypted_private_jwk: string
}

/** An app with one of its tokens opened, and its key, as its worst enemy would have them. */
async function setUp(algorithm: SigningAlgorithm) {
  const t = await createTestApp({ jwt: { algorithm } })
  const { bob } = await addPeople(t)
  const { pair } = await addTokens(t, bob.id)
  const stored = t.client.query<StoredKey, []>('select * from machine_auth_signing_keys').get()
  if (stored === null) throw new Error('expected a signing key')
  const { kid } = stored
  const opened = { publicJwk: null, encryptionKey: '', createdAt: 0, retiredAt: null }
  const jwk = openSigningKey({ ...opened, kid, algorithm, encryptedPrivateJwk: stored.encrypted_private_jwk }, SECRET)
  const { d: _, k: __, ...publicJwk } = jwk
  const claims: Json = JSON.parse(Buffer.from(pair.access_token.split('.')[1] ?? '', 'base64url').toString())
  return {
    t,
    jwk,
    publicJwk,
    claims,
    header: { alg: algorithm, typ: 'at+jwt', kid },
    signer: createJwkSigner(jwk),
    ask: (token: string, path = '/token') => t.ask(path, { headers: withBearer(token) }),
  }
}

const eddsa = await setUp('EdDSA')
const es256 = await setUp('ES256')
const hs256 = await setUp('HS256')
const ALL = [eddsa, es256, hs256]
afterAll(() => Promise.all(ALL.map(({ t }) => t.close())))

type Enemy = typeof eddsa

async function expectRefused(enemy: Enemy, ...tokens: readonly string[]): Promise<void> {
  for (const token of tokens) {
    for (const path of ['/token', '/user', '/optional', '/auth/me', '/auth/keys']) {
      expectProblem(await enemy.ask(token, path), 'token_invalid')
    }
  }
}

test('a token forged with the right key and claims passes: what follows fails for its own reason', async () => {
  for (const enemy of ALL) {
    const { header, claims, signer, ask } = enemy
    expect((await ask(forge(header, claims, signer))).json).toEqual({ id: 'user_bob' })
    expect((await ask(forge(header, { ...claims, jti: 'x' }, signer))).status).toBe(200)
  }
})

describe('P1 alg none is refused', () => {
  test.each(['none', 'None', 'nOnE', 'NONE', '', null, undefined])('as %p, signed or not', async (alg) => {
    for (const enemy of ALL) {
      const header = { ...enemy.header, alg }
      await expectRefused(enemy, forge(header, enemy.claims, unsigned), forge(header, enemy.claims, enemy.signer))
    }
  })

  test('and so is a right header with an empty or short signature', async () => {
    for (const enemy of ALL) {
      const whole = forge(enemy.header, enemy.claims, enemy.signer)
      const body = whole.slice(0, whole.lastIndexOf('.') + 1)
      await expectRefused(enemy, body, `${body}A`, whole.slice(0, -4), `${whole}AAAA`, `${whole}.`, `.${whole}`)
    }
  })
})

test('P2 a public key does not verify as a shared secret', async () => {
  for (const enemy of [eddsa, es256]) {
    const key = createPublicKey({ key: enemy.publicJwk, format: 'jwk' })
    const jwks = (await enemy.t.ask('/.well-known/jwks.json')).text
    const secrets = [
      String(key.export({ type: 'spki', format: 'pem' })),
      key.export({ type: 'spki', format: 'der' }),
      Buffer.from(String(enemy.publicJwk.x), 'base64url'),
      String(enemy.publicJwk.x),
      JSON.stringify(enemy.publicJwk),
      jwks,
      SECRET,
      '',
    ]
    for (const secret of secrets) {
      const signer = createHmacSigner('sha256', secret)
      await expectRefused(enemy, forge({ ...enemy.header, alg: 'HS256' }, enemy.claims, signer))
      await expectRefused(enemy, forge(enemy.header, enemy.claims, signer))
    }
  }
})

test('P3 the right secret under another hash is refused', async () => {
  const secret = Buffer.from(String(hs256.jwk.k), 'base64url')
  for (const [alg, hash] of [
    ['HS384', 'sha384'],
    ['HS512', 'sha512'],
    ['HS256', 'sha512'],
    ['HS512', 'sha256'],
  ] as const) {
    await expectRefused(hs256, forge({ ...hs256.header, alg }, hs256.claims, createHmacSigner(hash, secret)))
  }
})

test('P2 a key of another algorithm, and of another app, does not verify', async () => {
  for (const enemy of ALL) {
    for (const other of ALL) {
      if (enemy === other) continue
      await expectRefused(enemy, forge(other.header, enemy.claims, other.signer))
      await expectRefused(enemy, forge({ ...other.header, kid: enemy.header.kid }, enemy.claims, other.signer))
      await expectRefused(enemy, forge(enemy.header, enemy.claims, other.signer))
    }
  }
})

describe('P5 keys that the header brings along', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const mine = publicKey.export({ format: 'jwk' })
  const signer: Signer = createJwkSigner(privateKey.export({ format: 'jwk' }) as Json)

  test('are not believed, and nobody is asked for them', async () => {
    let asked = 0
    const server = Bun.serve({
      port: 0,
      fetch() {
        asked += 1
        return Response.json({ keys: [{ ...mine, kid: eddsa.header.kid, alg: 'EdDSA', use: 'sig' }] })
      },
    })
    const url = `http://127.0.0.1:${server.port}/jwks.json`
    for (const more of [
      { jwk: mine },
      { jku: url },
      { x5u: url },
      { x5c: ['MIIB'] },
      { x5t: 'x' },
      { kid: url },
      { kid: '../../../dev/null' },
    ]) {
      await expectRefused(eddsa, forge({ ...eddsa.header, ...more }, eddsa.claims, signer))
      if (!('kid' in more)) await expectRefused(eddsa, forge({ ...eddsa.header, ...more }, eddsa.claims, eddsa.signer))
    }
    expect(asked).toBe(0)
    await server.stop(true)
  })

  test('a kid that is none of ours names no key', async () => {
    for (const kid of [undefined, '', 'x', "' or 1=1", 'x'.repeat(1000), 1, null, ['a'], {}, '__proto__']) {
      await expectRefused(eddsa, forge({ ...eddsa.header, kid }, eddsa.claims, eddsa.signer))
    }
  })
})

test('P6 crit, unencoded, nested, compressed and encrypted tokens are refused', async () => {
  for (const enemy of ALL) {
    const honest = forge(enemy.header, enemy.claims, enemy.signer)
    const headers = [
      { crit: ['exp'], exp: NOW },
      { crit: [] },
      { crit: ['b64'], b64: false },
      { b64: false },
      { cty: 'JWT' },
      { zip: 'DEF' },
    ]
    for (const more of headers) {
      await expectRefused(enemy, forge({ ...enemy.header, ...more }, enemy.claims, enemy.signer))
    }
    await expectRefused(enemy, forge({ ...enemy.header, cty: 'JWT' }, honest, enemy.signer))
    await expectRefused(enemy, forge(enemy.header, honest, enemy.signer))
    const jwe = Buffer.from('{"alg":"dir","enc":"A256GCM"}').toString('base64url')
    await expectRefused(enemy, `${jwe}..AAAA.BBBB.CCCC`)
    for (const payload of [null, [], 'x', 1]) await expectRefused(enemy, forge(enemy.header, payload, enemy.signer))
  }
})

describe('P7 times', () => {
  test.each([
    ['no exp', { exp: undefined }],
    ['exp as text', { exp: String(NOW + 900) }],
    ['exp as null', { exp: null }],
    ['a huge exp', { exp: NOW + 10 ** 9 }],
    ['an unsafe exp', { exp: 1e300 }],
    ['a lifetime above the configured one', { exp: NOW + 1000 }],
    ['no iat', { iat: undefined }],
    ['a negative iat', { iat: -1 }],
    ['iat as text', { iat: String(NOW) }],
    ['iat half a second', { iat: NOW + 0.5 }],
    ['an iat after exp', { iat: NOW + 1000, exp: NOW + 900 }],
    ['an iat of ten minutes later', { iat: NOW + 600 }],
    ['an nbf of ten minutes later', { nbf: NOW + 600 }],
    ['nbf as text', { nbf: '0' }],
  ])('%s is refused', async (_, more) => {
    for (const enemy of ALL) await expectRefused(enemy, forge(enemy.header, { ...enemy.claims, ...more }, enemy.signer))
  })
})

describe('P8 issuer, audience, subject and family', () => {
  test.each([
    ['no iss', { iss: undefined }],
    ['another iss', { iss: 'https://evil.example' }],
    ['an iss in capitals', { iss: 'MACHINE-AUTH' }],
    ['a list of iss', { iss: ['machine-auth'] }],
    ['no aud', { aud: undefined }],
    ['another aud', { aud: 'other' }],
    ['others as aud', { aud: ['other', 'another'] }],
    ['an empty list of aud', { aud: [] }],
    ['no sub', { sub: undefined }],
    ['another’s sub', { sub: 'user_alice' }],
    ['a list of sub', { sub: ['user_bob'] }],
    ['no jti', { jti: undefined }],
    ['no family', { fid: undefined }],
    ['a family that is none', { fid: 'x' }],
    ['a client beside the user', { client_id: 'billing' }],
    ['the user as a client', { client_id: 'user_alice', sub: 'user_alice' }],
  ])('%s is refused', async (_, more) => {
    for (const enemy of ALL) await expectRefused(enemy, forge(enemy.header, { ...enemy.claims, ...more }, enemy.signer))
  })

  test('our audience among others is ours', async () => {
    for (const { header, claims, signer, ask } of ALL) {
      expect((await ask(forge(header, { ...claims, aud: ['other', 'machine-auth'] }, signer))).status).toBe(200)
    }
  })

  test('an unknown family is refused as revoked', async () => {
    for (const { header, claims, signer, ask } of ALL) {
      const fid = `rt_${'0'.repeat(16)}`
      expectProblem(await ask(forge(header, { ...claims, fid }, signer)), 'token_revoked')
    }
  })

  test('roles and permissions in the token count for nothing: the user’s own do', async () => {
    const { header, claims, signer, ask } = eddsa
    const token = forge(header, { ...claims, roles: ['admin'], scope: '*', permissions: ['*'] }, signer)
    expectProblem(await ask(token, '/admin'), 'role_required', ['required'])
    expectProblem(await ask(token, '/users'), 'permission_required', ['required'])
  })
})

test('P9 other kinds of token are refused where an access token is due', async () => {
  for (const enemy of ALL) {
    for (const typ of [undefined, '', 'JWT', 'jwt', 'id+jwt', 'logout+jwt', 'rt+jwt', 'dpop+jwt', 'at']) {
      await expectRefused(enemy, forge({ ...enemy.header, typ }, enemy.claims, enemy.signer))
    }
  }
})

describe('P20 size', () => {
  test('a token above 8 KB is refused undecoded, with no statement', async () => {
    for (const enemy of ALL) {
      const token = forge(enemy.header, { ...enemy.claims, jti: 'x'.repeat(7000) }, enemy.signer)
      expect(token.length).toBeGreaterThan(8192)
      enemy.t.takeStatements()
      expectProblem(await enemy.ask(token), 'token_invalid')
      expect(enemy.t.takeStatements()).toEqual([])
    }
  })

  test('a token of a megabyte does not reach the app', async () => {
    const answer = await eddsa.ask('x'.repeat(1_000_000)).catch(() => null)
    expect([null, 400, 413, 431]).toContain(answer?.status ?? null)
  })

  test('thousands of nested claims are no danger', async () => {
    for (const { header, claims, signer, ask } of ALL) {
      const nested = JSON.parse(`${'['.repeat(2000)}${']'.repeat(2000)}`)
      expect((await ask(forge(header, { ...claims, nested }, signer))).status).toBe(200)
    }
  })
})
