import { describe, expect, test } from 'bun:test'
import { parsePasswordHash } from '../../src/accounts/password-hash.ts'
import { bunPasswordHasher, newPasswordMistake, Passwords } from '../../src/accounts/passwords.ts'
import { createSemaphore } from '../../src/lib/concurrency.ts'
import { expectRefused } from '../support/refusals.ts'
import { createFakeHasher, fakeBcrypt } from '../support/services.ts'

const BCRYPT = await Bun.password.hash('correct horse', { algorithm: 'bcrypt', cost: 4 })
const real = new Passwords()

describe('hashing for real', () => {
  test('argon2id with the parameters that OWASP asks for at least', async () => {
    const hash = await real.hash('correct horse')
    expect(hash).toStartWith('$argon2id$v=19$m=19456,t=2,p=1$')
    expect(await real.verify('correct horse', hash)).toEqual({ isRight: true, upgraded: null })
    expect(await real.verify('correct horsf', hash)).toEqual({ isRight: false, upgraded: null })
  })

  test.each(['$2a$', '$2b$', '$2y$'])('bcrypt %s is verified, and upgraded when right', async (version) => {
    const hash = version + BCRYPT.slice(4)
    const { isRight, upgraded } = await real.verify('correct horse', hash)
    expect(isRight).toBe(true)
    expect(upgraded).toStartWith('$argon2id$')
    expect(await real.verify('correct horse', upgraded)).toEqual({ isRight: true, upgraded: null })
    expect(await real.verify('wrong', hash)).toEqual({ isRight: false, upgraded: null })
  })

  test('a password is taken as it is: spaces, case, accents in either form, and all of its length', async () => {
    const hash = await real.hash(' Caf\u00e9 au lait ')
    for (const other of ['Caf\u00e9 au lait', ' caf\u00e9 au lait ', ' Cafe\u0301 au lait ', ' Caf\u00e9 au lait']) {
      expect((await real.verify(other, hash)).isRight).toBe(false)
    }
    const long = 'x'.repeat(1024)
    expect((await real.verify(`${long.slice(1)}y`, await real.hash(long))).isRight).toBe(false)
  })

  test('bcrypt: over 72 bytes nothing matches, not even its own hash or its first 72 bytes', async () => {
    const long = 'x'.repeat(80)
    const hashes = await Promise.all(
      [long, long.slice(0, 72)].map((text) => Bun.password.hash(text, { algorithm: 'bcrypt', cost: 4 })),
    )
    for (const hash of hashes) expect((await real.verify(long, hash)).isRight).toBe(false)
    expect((await real.verify(long.slice(0, 72), hashes[1] ?? '')).isRight).toBe(true)
    const accented = 'é'.repeat(36)
    const hash = await Bun.password.hash(accented, { algorithm: 'bcrypt', cost: 4 })
    expect((await real.verify(accented, hash)).isRight).toBe(true)
    expect((await real.verify(`${accented}x`, hash)).isRight).toBe(false)
  })

  test('a stored hash of any form that is not understood never throws', async () => {
    for (const hash of [
      '',
      'garbage',
      '$argon2id$v=19$m=19456,t=2,p=1$abc$def',
      '$1$md5',
      '$argon2i$v=19$m=16,t=2,p=1$c2FsdHNhbHQ$aGFzaA',
    ]) {
      expect(await real.verify('correct horse', hash)).toEqual({ isRight: false, upgraded: null })
    }
  })
})

describe('the same work for everyone', () => {
  const password = 'correct horse'
  test.each([
    { name: 'an unknown user', given: { password, hash: null } },
    {
      name: 'a wrong password',
      given: { password: 'wrong', hash: '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2g' },
    },
    { name: 'a hash that cannot be read', given: { password, hash: 'garbage' } },
    {
      name: 'a hash too dear to check',
      given: { password, hash: '$argon2id$v=19$m=9999999,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2g' },
    },
    { name: 'an empty password', given: { password: '', hash: null } },
    { name: 'a password too long', given: { password: 'x'.repeat(1025), hash: null } },
    { name: 'a password too long for bcrypt', given: { password: 'x'.repeat(73), hash: fakeBcrypt('x'.repeat(73)) } },
    { name: 'a lone surrogate', given: { password: '\ud800 is no character', hash: null } },
  ])('$name: one verification, and no', async ({ given }) => {
    const hasher = createFakeHasher()
    const verdict = await new Passwords({ hasher }).verify(given.password, given.hash)
    expect(verdict).toEqual({ isRight: false, upgraded: null })
    expect(hasher.calls).toEqual({ hash: 0, verify: 1 })
  })

  test('the password nobody has is verified under the parameters of today, with work to do', async () => {
    const seen: (readonly [string, string])[] = []
    const verify = async (...call: [string, string]) => seen.push(call) > 0
    const hasher = { ...bunPasswordHasher, verify }
    expect((await new Passwords({ hasher }).verify('correct horse', null)).isRight).toBe(false)
    const [password = '', hash = ''] = seen[0] ?? []
    expect(password).toBe('correct horse')
    expect(parsePasswordHash(hash)).toEqual({ kind: 'argon2id', memory: 19_456, passes: 2 })
  })
})

describe('a flood', () => {
  test('beyond what runs and waits is refused, without hashing', async () => {
    const doors: (() => void)[] = []
    const hasher = {
      hash: async () => '',
      verify: () => new Promise<boolean>((resolve) => doors.push(() => resolve(true))),
    }
    const passwords = new Passwords({ hasher, semaphore: createSemaphore(1, 2) })
    const admitted = [1, 2, 3].map(() => passwords.verify('correct horse', null))
    const refusal = await expectRefused(passwords.verify('correct horse', null), 'rate_limited')
    expect(refusal.headers['retry-after']).toBe('1')
    expect(doors).toHaveLength(1)
    for (let turn = 0; turn < 3; turn += 1) {
      doors[turn]?.()
      await admitted[turn]
    }
    expect(doors).toHaveLength(3)
  })

  test('leaves an upgrade for the next login', async () => {
    const fake = createFakeHasher()
    const passwords = new Passwords({ hasher: { ...fake, hash: () => Promise.reject(new Error('full')) } })
    const verdict = await passwords.verify('correct horse', fakeBcrypt('correct horse'))
    expect(verdict).toEqual({ isRight: true, upgraded: null })
  })
})

describe('new passwords', () => {
  test.each([
    { name: '7 characters', password: '1234567' },
    { name: '7 characters outside the basic plane', password: '🔑'.repeat(7) },
    { name: '1025 bytes', password: 'x'.repeat(1025) },
    { name: '1026 bytes in 513 characters', password: 'é'.repeat(513) },
    { name: 'a megabyte', password: 'x'.repeat(1_000_000) },
    { name: 'a lone surrogate', password: 'correct \ud800 horse' },
  ])('$name: refused, without repeating it', ({ password }) => {
    expect(newPasswordMistake(password)).toBe('must be 8 characters to 1024 bytes of text')
  })

  test.each(['12345678', '🔑'.repeat(8), 'x'.repeat(1024), 'é'.repeat(512), '        '])(
    '%p is accepted',
    (password) => {
      expect(newPasswordMistake(password)).toBeNull()
    },
  )
})

describe('parsePasswordHash', () => {
  test.each([
    [BCRYPT, { kind: 'bcrypt', cost: 4 }],
    [BCRYPT.replace('$04$', '$15$'), { kind: 'bcrypt', cost: 15 }],
    [BCRYPT.replace('$04$', '$16$'), null],
    [BCRYPT.replace('$04$', '$03$'), null],
    [BCRYPT.replace('$2b$', '$2x$'), null],
    [`${BCRYPT}x`, null],
    [`${BCRYPT}\n`, null],
    ['$argon2id$v=19$m=262145,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2g', null],
    ['$argon2id$v=19$m=19456,t=11,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2g', null],
    ['$argon2d$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2g', null],
  ])('%p', (text, expected) => {
    expect(parsePasswordHash(text)).toEqual(expected as ReturnType<typeof parsePasswordHash>)
  })
})
