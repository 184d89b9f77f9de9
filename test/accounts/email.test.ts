import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { normalizeEmail } from '../../src/accounts/email.ts'

describe('normalizeEmail', () => {
  test.each([
    ['alice@example.com', 'alice@example.com'],
    ['  Alice@Example.COM \n', 'alice@example.com'],
    ['a.b+tag@sub.example.co.uk', 'a.b+tag@sub.example.co.uk'],
    ["o'brien@example.com", "o'brien@example.com"],
    ['root@localhost', 'root@localhost'],
    ['cafe\u0301@example.com', 'caf\u00e9@example.com'],
    ['用户@例子.广告', '用户@例子.广告'],
    // The Kelvin sign is a k to everyone who reads it.
    ['\u212aelvin@example.com', 'kelvin@example.com'],
  ])('%p becomes %p', (given, expected) => {
    expect(normalizeEmail(given)).toBe(expected)
  })

  test.each([
    '',
    'alice',
    '@example.com',
    'alice@',
    'alice@@example.com',
    'a@b@example.com',
    'alice example@example.com',
    'alice@exa mple.com',
    'alice@-example.com',
    'alice@example-.com',
    'alice@example..com',
    'alice@.example.com',
    'alice@example.com.',
    '.alice@example.com',
    'alice.@example.com',
    'a..b@example.com',
    '"alice b"@example.com',
    'Alice <alice@example.com>',
    'alice@[127.0.0.1]',
    'alice@exam_ple.com',
    'alice\u0000@example.com',
    'ali\u200bce@example.com',
    'ali\u202ece@example.com',
    'alice\ud800@example.com',
    'alice@example.com\r\nBcc: eve@example.com',
    `${'a'.repeat(65)}@example.com`,
    `a@${'b'.repeat(64)}.com`,
    `a@${'b.'.repeat(130)}com`,
  ])('%p is refused', (given) => {
    expect(normalizeEmail(given)).toBeNull()
  })

  test('is its own normal form', () => {
    const texts = fc.oneof(
      fc.emailAddress(),
      fc.string({ unit: 'binary' }).map((text) => `${text}@example.com`),
    )
    fc.assert(
      fc.property(texts, (text) => {
        const once = normalizeEmail(text)
        if (once !== null) expect(normalizeEmail(once)).toBe(once)
      }),
    )
  })

  test('a megabyte is refused without being looked at', () => {
    expect(normalizeEmail(`${'a'.repeat(1_000_000)}@example.com`)).toBeNull()
    expect(normalizeEmail(`a@${'-'.repeat(1000)}`)).toBeNull()
  })
})
