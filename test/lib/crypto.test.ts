import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { equalsConstantTime } from '../../src/lib/constant-time.ts'
import { derive, fingerprint, type KeyPurpose, open, seal } from '../../src/lib/crypto.ts'
import { createKeyring } from '../../src/lib/keyring.ts'

const SECRET = 'q7Yw0mVb2ZxC9dK4nR8tL1pS6uF3hJ5a'
const OTHER = 'A5jh3Fu6Sp1Lt8Rn4Kd9CxZ2bVm0wY7q'
const PURPOSES: readonly KeyPurpose[] = [
  'api-key-pepper',
  'bearer-token-pepper',
  'signing-key-encryption',
  'refresh-token',
  'idempotency',
]

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

describe('derive', () => {
  test('stays what it was: stored rows depend on it', () => {
    expect(hex(derive(SECRET, 'api-key-pepper'))).toBe(
      'b5ab345f71a877e09e5262729a30c125ed837d2c98a94c0235fa9b44b07c0afe',
    )
    expect(fingerprint(derive(SECRET, 'api-key-pepper'))).toBe('daa1c9f84aace16f')
  })

  test('gives every purpose and every secret a key of its own', () => {
    const keys = [SECRET, OTHER].flatMap((secret) => PURPOSES.map((purpose) => hex(derive(secret, purpose))))
    expect(new Set(keys).size).toBe(keys.length)
  })

  test('gives the length asked for', () => {
    expect(derive(SECRET, 'refresh-token')).toHaveLength(32)
    expect(derive(SECRET, 'refresh-token', 16)).toHaveLength(16)
  })
})

describe('fingerprint', () => {
  test('is 16 hex characters and no plain hash of the key', () => {
    const key = derive(SECRET, 'refresh-token')
    expect(fingerprint(key)).toMatch(/^[0-9a-f]{16}$/)
    expect(new Bun.SHA256().update(key).digest('hex')).not.toStartWith(fingerprint(key))
    expect(fingerprint(derive(OTHER, 'refresh-token'))).not.toBe(fingerprint(key))
  })
})

describe('seal and open', () => {
  const key = derive(SECRET, 'signing-key-encryption')
  const sealed = seal(key, 'private', 'kid_1')

  test('any text comes back under the same key and context, and never looks the same twice', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, aad) => {
        const first = seal(key, text, aad)
        expect(open(key, first, aad)).toBe(text)
        expect(seal(key, text, aad)).not.toBe(first)
        expect(first).toMatch(/^v1\.[A-Za-z0-9_-]+$/)
      }),
    )
  })

  test.each<[string, () => string]>([
    ['another key', () => open(derive(OTHER, 'signing-key-encryption'), sealed, 'kid_1')],
    ['another context', () => open(key, sealed, 'kid_2')],
    ['another version', () => open(key, sealed.replace('v1.', 'v2.'), 'kid_1')],
    ['no version', () => open(key, sealed.slice(3), 'kid_1')],
    ['a shortened text', () => open(key, sealed.slice(0, -4), 'kid_1')],
    ['less than nonce and tag', () => open(key, 'v1.AAAA', 'kid_1')],
    ['nothing', () => open(key, '', 'kid_1')],
  ])('do not open %s', (_name, attempt) => {
    expect(attempt).toThrow('sealed under another secret')
  })

  test('do not open when any one byte changed', () => {
    const body = Buffer.from(sealed.slice(3), 'base64url')
    for (let index = 0; index < body.length; index += 1) {
      const altered = Buffer.from(body)
      altered[index] = (altered[index] ?? 0) ^ 1
      expect(() => open(key, `v1.${altered.toString('base64url')}`, 'kid_1')).toThrow('altered')
    }
  })

  test('the failure carries neither key nor text', () => {
    try {
      open(key, sealed, 'kid_2')
      throw new Error('opened')
    } catch (error) {
      const shown = Bun.inspect(error)
      expect(shown).not.toContain(sealed.slice(3))
      expect((error as Error).cause).toBeUndefined()
    }
  })
})

describe('createKeyring', () => {
  test('makes with the newest secret and finds the older ones by name', () => {
    const before = createKeyring([OTHER], 'api-key-pepper')
    const after = createKeyring([SECRET, OTHER], 'api-key-pepper')
    expect(after.current.key).toEqual(derive(SECRET, 'api-key-pepper'))
    expect(after.find(before.current.fingerprint)?.key).toEqual(before.current.key)
    expect(after.fingerprints).toEqual([after.current.fingerprint, before.current.fingerprint])
    expect(before.find(after.current.fingerprint)).toBeUndefined()
  })

  test('a key keeps its name wherever its secret stands in the list', () => {
    const forwards = createKeyring([SECRET, OTHER], 'refresh-token')
    const backwards = createKeyring([OTHER, SECRET], 'refresh-token')
    expect([...forwards.fingerprints].sort()).toEqual([...backwards.fingerprints].sort())
  })

  test('needs a secret', () => {
    expect(() => createKeyring([], 'api-key-pepper')).toThrow(TypeError)
  })
})

describe('equalsConstantTime', () => {
  test.each<[string, string, boolean]>([
    ['', '', true],
    ['a', 'a', true],
    ['a', 'b', false],
    ['a', 'aa', false],
    ['', 'a', false],
    ['é', 'e\u0301', false],
    ['\ud800', '\ud801', false],
    ['\ufffd', '\ud800', false],
  ])('%j and %j: %p', (a, b, expected) => {
    expect(equalsConstantTime(a, b)).toBe(expected)
  })

  test('agrees with ===', () => {
    const text = fc.string({ unit: 'binary', maxLength: 3 })
    fc.assert(fc.property(text, text, (a, b) => expect(equalsConstantTime(a, b)).toBe(a === b)))
  })
})
