import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { addressSubject, formatSubject, parseSubject, type SubjectKind, subjectOf } from '../../src/limits/subjects.ts'

const LONG = 'x'.repeat(129)
const KINDS: readonly SubjectKind[] = ['ip', 'range', 'apiKey', 'user', 'organization', 'custom']

describe('addresses', () => {
  test.each([
    { name: 'IPv4', addresses: ['203.0.113.5', '::ffff:203.0.113.5', '::FFFF:CB00:7105'], subject: 'ip:203.0.113.5' },
    {
      name: 'IPv6 of one /64',
      addresses: ['2001:db8::1', '2001:db8:0:0:ffff::', '2001:DB8::dead:beef'],
      subject: 'ip:2001:db8::/64',
    },
    { name: 'loopback', addresses: ['::1', '::2'], subject: 'ip:::/64' },
    { name: 'unknown', addresses: [null, 'none:of:these', 'fe80::1%eth0'], subject: 'ip:unknown' },
  ])('$name: one subject for all of them', ({ addresses, subject }) => {
    expect(new Set(addresses.map(addressSubject))).toEqual(new Set([subject]))
  })

  test('of different /64, or next to each other, are different', () => {
    const addresses = ['2001:db8::1', '2001:db8:0:1::1', '203.0.113.5', '203.0.113.6', null]
    expect(new Set(addresses.map(addressSubject)).size).toBe(addresses.length)
  })
})

describe('named subjects', () => {
  test('of different kinds or ids are different, whatever the ids contain', () => {
    const subject = fc.tuple(fc.constantFrom(...KINDS), fc.oneof(fc.string(), fc.string({ minLength: 120 })))
    fc.assert(
      fc.property(subject, subject, ([kind, id], [otherKind, otherId]) => {
        const isSame = kind === otherKind && id === otherId
        expect(subjectOf(kind, id) === subjectOf(otherKind, otherId)).toBe(isSame)
      }),
    )
  })

  test.each(['user:a', 'ip:1.2.3.4', ':', ''])('an id %j does not make another kind of it', (id) => {
    for (const kind of KINDS) expect(subjectOf(kind, id)).toBe(`${kind}:${id}`)
  })

  test('with long ids are short, and still told apart', () => {
    const subjects = [LONG, `${LONG}x`, `y${LONG}`, 'x'.repeat(1_000_000)].map((id) => subjectOf('custom', id))
    for (const subject of subjects) expect(subject.length).toBeLessThan(64)
    expect(new Set(subjects).size).toBe(subjects.length)
    expect(subjectOf('custom', 'x'.repeat(128))).toBe(`custom:${'x'.repeat(128)}`)
  })
})

describe('subjects as people write them', () => {
  test.each([
    ['203.0.113.5', 'ip:203.0.113.5', '203.0.113.5'],
    ['::ffff:203.0.113.5', 'ip:203.0.113.5', '203.0.113.5'],
    ['203.0.113.5/32', 'ip:203.0.113.5', '203.0.113.5'],
    ['::ffff:203.0.113.5/128', 'ip:203.0.113.5', '203.0.113.5'],
    ['203.0.113.5/24', 'range:203.0.113.0/24', '203.0.113.0/24'],
    ['0.0.0.0/0', 'range:0.0.0.0/0', '0.0.0.0/0'],
    ['2001:db8::1', 'ip:2001:db8::/64', '2001:db8::/64'],
    ['2001:DB8::1/64', 'ip:2001:db8::/64', '2001:db8::/64'],
    ['2001:db8::1/128', 'range:2001:db8::1/128', '2001:db8::1/128'],
    ['2001:db8::/32', 'range:2001:db8::/32', '2001:db8::/32'],
    ['::/0', 'range:::/0', '::/0'],
    ['unknown', 'ip:unknown', 'unknown'],
    ['key_1', 'apiKey:key_1', 'key_1'],
    ['user_1', 'user:user_1', 'user_1'],
    ['org_1', 'organization:org_1', 'org_1'],
    ['apiKey:key_1', 'apiKey:key_1', 'key_1'],
    ['user:user_1', 'user:user_1', 'user_1'],
    ['organization:org_1', 'organization:org_1', 'org_1'],
    ['user:42', 'user:42', 'user:42'],
    ['user:key_1', 'user:key_1', 'user:key_1'],
    ['apiKey:user_1', 'apiKey:user_1', 'apiKey:user_1'],
    ['user:203.0.113.5', 'user:203.0.113.5', 'user:203.0.113.5'],
    ['user:a:b', 'user:a:b', 'user:a:b'],
    ['custom:login-5-1m:a\nb', 'custom:login-5-1m:a\nb', 'custom:login-5-1m:a\nb'],
  ])('%j is %j, and reads %j', (text, subject, shown) => {
    expect(parseSubject(text)).toBe(subject)
    expect(formatSubject(subject)).toBe(shown)
    expect(parseSubject(shown)).toBe(subject)
  })

  test.each([
    '',
    ' ',
    ' 203.0.113.5',
    '203.0.113',
    '010.0.0.1',
    '203.0.113.5/33',
    '203.0.113.5/',
    '2001:db8::/129',
    '::ffff:0:0/95',
    'fe80::1%eth0',
    'key_',
    'user_',
    'org_',
    'user:',
    'ip:203.0.113.5',
    'range:10.0.0.0/8',
    'User:42',
    'something',
    `user:${'x'.repeat(300)}`,
  ])('%j is none', (text) => {
    expect(parseSubject(text)).toBeNull()
  })

  test.each(['user', 'apiKey', 'organization', 'custom'] as const)(
    'a long id of a %s is the one that counts',
    (kind) => {
      const subject = subjectOf(kind, LONG)
      expect(parseSubject(`${kind}:${LONG}`)).toBe(subject)
      expect(parseSubject(formatSubject(subject))).toBe(subject)
    },
  )

  test('what is shown of a subject means it again', () => {
    const id = fc.oneof(fc.string({ minLength: 1, maxLength: 140 }), fc.constantFrom('key_1', 'user_1', 'org_1'))
    const kinds = fc.constantFrom<SubjectKind>('apiKey', 'user', 'organization', 'custom')
    fc.assert(
      fc.property(kinds, id, (kind, text) => {
        const subject = subjectOf(kind, text)
        expect(parseSubject(formatSubject(subject))).toBe(subject)
      }),
    )
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        const subject = addressSubject(address)
        expect(parseSubject(formatSubject(subject))).toBe(subject)
        expect(parseSubject(address)).toBe(subject)
      }),
    )
  })
})
