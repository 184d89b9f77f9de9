import { describe, expect, test } from 'bun:test'
import { djangoPbkdf2 } from '../../src/authentication/imported-keys/django-pbkdf2.ts'
import { sha256, sha256Pepper } from '../../src/authentication/imported-keys/sha256.ts'
import { type HashKind, isHashKind } from '../../src/options/hash-kind.ts'

const KEY = 'bk_9f8_live_AbCdEfGhIjKlMnOpQrStUvWxYz012345'
const HEX = 'e82a78abb8a8e5a13eda76f71a3d42adbe9fe09f638cfdd8a79863f81bef8536'
const BASE64URL = '6Cp4q7io5aE-2nb3Gj1Crb6f4J9jjP3Yp5hj-BvvhTY'
const PEPPER = 'keyguard-pepper'
/** SHA-256 of the key with the pepper behind it. */
const PEPPERED = 'b7d06351b41a17ad7a646ffcf7ab5e542588b40c497f5b8d80d9436aa0499512'
const DJANGO_KEY = 'Bk3LmZ9Q.4vYw1tS8uNcRxE0aJpHfGiDoKqVbMzC7'
const DJANGO = 'pbkdf2_sha256$150000$k1tVn0Zq8sXwYbD3mRfJ5u$BxfkQrr91GMft2LK02uDqfXfj4azojnWUpgynjdOPxk='

/** Each hash as the system that made it wrote it (the last by Django's own test of its hasher). */
const VECTORS: readonly (readonly [string, HashKind, string, hash: string, prefix: string | null])[] = [
  ['SHA-256 in hex', sha256(), KEY, HEX, null],
  ['SHA-256 in upper-case hex', sha256(), KEY, HEX.toUpperCase(), null],
  ['SHA-256 in base64url', sha256(), KEY, BASE64URL, null],
  ['SHA-256 in padded base64', sha256(), KEY, `${BASE64URL.replace('-', '+').replace('-', '+')}=`, null],
  ['SHA-256 of nothing special, FIPS 180-4', sha256(), 'abc', Bun.SHA256.hash('abc', 'hex'), 'a'],
  ['SHA-256 with a pepper', sha256Pepper(PEPPER), KEY, PEPPERED, null],
  ['PBKDF2 of Django', djangoPbkdf2(), DJANGO_KEY, DJANGO, 'Bk3LmZ9Q'],
  [
    'PBKDF2 of Django’s own test',
    djangoPbkdf2(),
    'lètmein',
    'pbkdf2_sha256$390000$seasalt$8xBlGd3jVgvJ+92hWPxi5ww0uuAuAnKgC45eudxro7c=',
    'seaside',
  ],
]

test.each(VECTORS)('%s is read and verified, and nothing else is right', async (_, kind, key, hash, prefix) => {
  const parsed = kind.parse(hash, prefix)
  if (parsed === null) throw new Error('not read')
  expect(await kind.verify(key, parsed.hash)).toBeTrue()
  for (const wrong of [`${key}x`, key.slice(0, -1), hash, parsed.hash, parsed.lookup]) {
    expect([wrong, await kind.verify(wrong, parsed.hash)]).toEqual([wrong, false])
  }
})

test.each(VECTORS.slice(0, 7))('a key of %s is found by its text', (_, kind, key, hash, prefix) => {
  expect(kind.lookupOf(key)).toBe(kind.parse(hash, prefix)?.lookup ?? 'unread')
})

test('both forms of a digest are the same hash', () => {
  expect(sha256().parse(BASE64URL, null)).toEqual(sha256().parse(HEX, null))
})

describe('what is no hash of a kind', () => {
  const CASES: readonly (readonly [HashKind, hash: string, prefix: string | null])[] = [
    [sha256(), '', null],
    [sha256(), HEX.slice(1), null],
    [sha256(), `${HEX}0`, null],
    [sha256(), `${HEX.slice(1)}g`, null],
    // The same digest with other bits where no byte is left: two texts would be one hash.
    [sha256(), `${BASE64URL.slice(0, -1)}Z`, null],
    [sha256(), DJANGO, null],
    [djangoPbkdf2(), HEX, 'Bk3LmZ9Q'],
    [djangoPbkdf2(), DJANGO, null],
    [djangoPbkdf2(), DJANGO, ''],
    [djangoPbkdf2(), DJANGO, 'Bk3L.mZ9'],
    [djangoPbkdf2(), DJANGO.replace('150000', '0'), 'Bk3LmZ9Q'],
    [djangoPbkdf2(), DJANGO.replace('150000', '2000001'), 'Bk3LmZ9Q'],
    [djangoPbkdf2(), DJANGO.replace('150000', '1e9'), 'Bk3LmZ9Q'],
    [djangoPbkdf2(), DJANGO.replace('sha256', 'sha1'), 'Bk3LmZ9Q'],
    [djangoPbkdf2(), `${DJANGO}\n`, 'Bk3LmZ9Q'],
    [djangoPbkdf2(), 'argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdA$aGFzaA', 'Bk3LmZ9Q'],
  ]
  test.each(CASES)('%o %s, prefix %s', (kind, hash, prefix) => {
    expect(kind.parse(hash, prefix)).toBeNull()
  })
})

test.each(['Bk3LmZ9Q', '.secretsecret', 'Bk3LmZ9Q.', 'Bk3!mZ9Q.secret', `${'x'.repeat(65)}.secret`])(
  'the text %s is no key of Django',
  (text) => expect(djangoPbkdf2().lookupOf(text)).toBeNull(),
)

test('a pepper is needed, and shown by nothing', () => {
  expect(() => sha256Pepper('')).toThrow(TypeError)
  const kind = sha256Pepper(PEPPER, 'keyguard')
  expect(kind.name).toBe('keyguard')
  expect(Bun.inspect(kind, { depth: 10 }) + JSON.stringify(kind)).not.toContain(PEPPER)
})

describe('a kind', () => {
  const own = { ...sha256(), name: 'sha512' }
  test.each([sha256(), sha256Pepper(PEPPER), djangoPbkdf2(), own])('$name has all it needs', (kind) => {
    expect(isHashKind(kind)).toBeTrue()
  })
  test.each([
    null,
    'sha256',
    sha256,
    { ...own, name: 'hmac' },
    { ...own, name: 'Sha512' },
    { ...own, name: 'a:b' },
    { ...own, name: '' },
    { ...own, name: 'x'.repeat(33) },
    { ...own, isSlow: undefined },
    { ...own, lookupOf: undefined },
    { ...own, parse: undefined },
    { ...own, verify: undefined },
  ])('is none: %o', (value) => {
    expect(isHashKind(value)).toBeFalse()
  })
})
