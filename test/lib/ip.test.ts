import { describe, expect, test } from 'bun:test'
import { BlockList, isIP } from 'node:net'
import fc from 'fast-check'
import { createAddressMatcher, limitKey, parseAddress, parseCidr } from '../../src/lib/ip.ts'

describe('parseAddress', () => {
  test.each([
    ['192.168.1.1', '192.168.1.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:db8::1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['::ffff:192.168.1.1', '192.168.1.1'],
    ['::FFFF:c0a8:0101', '192.168.1.1'],
    ['0:0:0:0:0:ffff:192.168.1.1', '192.168.1.1'],
    ['::1.2.3.4', '::102:304'],
    ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
    ['::fffe:1.2.3.4', '::fffe:102:304'],
  ])('%s is %s', (text, expected) => {
    expect(parseAddress(text)).toBe(expected)
  })

  test.each([
    '',
    'localhost',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '192.168.001.001',
    '01.2.3.4',
    '1.2.3.04',
    '0x7f.0.0.1',
    '2130706433',
    '1.2.3.-4',
    '1.2.3.+4',
    ' 1.2.3.4',
    '1.2.3.4 ',
    '1.2.3.4/32',
    '1.2.3.4:80',
    '1..3.4',
    '1.2.3.４',
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    '1::2::3',
    ':1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:',
    '12345::',
    'g::',
    'fe80::1%eth0',
    'fe80::1%25eth0',
    '[::1]',
    '::ffff:1.2.3',
    '::ffff:01.2.3.4',
    '::1.2.3.4:5',
    '1.2.3.4::',
    '::ffff:1.2.3.4%1',
    '1:2:3:4:5:6:7:1.2.3.4',
    '0'.repeat(50_000),
    ':'.repeat(50_000),
  ])('refuses %j', (text) => {
    expect(parseAddress(text)).toBeNull()
  })

  test('reads every IPv4 address back as itself', () => {
    fc.assert(fc.property(fc.ipV4(), (text) => expect(parseAddress(text)).toBe(text)))
  })

  test('one address has one text, however it is written', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const canonical = parseAddress(text)
        expect(canonical).not.toBeNull()
        expect(parseAddress(canonical ?? '')).toBe(canonical)
        expect(parseAddress(text.toUpperCase())).toBe(canonical)
        // Bun's URL parser refuses some valid forms, such as 0:0:0:0::0.0.0.0, so it is asked about groups only.
        const url = `http://[${text}]/`
        if (canonical?.includes(':') && !text.includes('.')) expect(new URL(url).hostname).toBe(`[${canonical}]`)
      }),
    )
  })

  test('accepts no text that the platform refuses', () => {
    const noise = fc.string({ unit: fc.constantFrom(...'0123456789abcdefF:.%/[] '), maxLength: 24 })
    fc.assert(fc.property(noise, (text) => expect(parseAddress(text) !== null && isIP(text) === 0).toBe(false)))
  })
})

describe('parseCidr', () => {
  test.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['10.1.2.3', '10.1.2.3/32'],
    ['10.1.2.255/25', '10.1.2.128/25'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:db8::1', '2001:db8::1/128'],
    ['2001:db8:ffff::/33', '2001:db8:8000::/33'],
    ['::/0', '::/0'],
    ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
    ['::ffff:10.0.0.1', '10.0.0.1/32'],
  ])('%s is %s', (text, expected) => {
    expect(parseCidr(text)?.text).toBe(expected)
  })

  test.each([
    '',
    '/',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/08',
    '10.0.0.0/8.0',
    '10.0.0.0/ 8',
    '10.0.0.0/8/8',
    '10.0.0.0/255.0.0.0',
    '10.0.0/8',
    '10.*',
    '::/129',
    'fe80::%1/64',
    '::ffff:10.0.0.0/90',
  ])('refuses %j', (text) => {
    expect(parseCidr(text)).toBeNull()
  })
})

describe('createAddressMatcher', () => {
  test.each<[string, string, boolean]>([
    ['192.168.1.0/24', '192.168.1.0', true],
    ['192.168.1.0/24', '192.168.1.255', true],
    ['192.168.1.0/24', '192.168.0.255', false],
    ['192.168.1.0/24', '192.168.2.0', false],
    ['192.168.1.128/25', '192.168.1.127', false],
    ['192.168.1.128/25', '192.168.1.128', true],
    ['192.168.1.1', '192.168.1.1', true],
    ['192.168.1.1', '192.168.1.2', false],
    ['192.168.1.1', '::ffff:192.168.1.1', true],
    ['192.168.1.1', '::ffff:c0a8:101', true],
    ['::ffff:192.168.1.0/120', '192.168.1.7', true],
    ['192.168.1.1', '192.168.001.001', false],
    ['192.168.1.1', '192.168.1.1, 10.0.0.1', false],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '::1', false],
    ['::/0', '2001:db8::1', true],
    ['::/0', '203.0.113.9', false],
    ['2001:db8::/32', '2001:0DB8:ffff:0:0:0:0:1', true],
    ['2001:db8::/32', '2001:db9::', false],
    ['2001:db8::/33', '2001:db8:8000::', false],
    ['::1', '0:0:0:0:0:0:0:1', true],
    ['0.0.0.0/0', '', false],
    ['0.0.0.0/0', 'unknown', false],
  ])('%s holds %s: %p', (range, address, expected) => {
    expect(createAddressMatcher([range])(address)).toBe(expected)
  })

  test('an empty list holds nothing', () => {
    expect(createAddressMatcher([])('127.0.0.1')).toBe(false)
  })

  test('names the entry that is not a range', () => {
    expect(() => createAddressMatcher(['10.0.0.0/8', '10.0.0.0/40'])).toThrow(TypeError)
    expect(() => createAddressMatcher(['10.0.0.0/8', '10.0.0.0/40'])).toThrow('"10.0.0.0/40"')
  })

  test('agrees with net.BlockList', () => {
    // Few distinct bits, so that ranges are hit often.
    const v4 = fc
      .tuple(...Array.from({ length: 4 }, () => fc.constantFrom(0, 1, 127, 128, 255)))
      .map((b) => b.join('.'))
    const v6 = fc
      .tuple(...Array.from({ length: 8 }, () => fc.constantFrom('0', '1', '8000', 'fffe', 'ffff')))
      .map((groups) => groups.join(':'))
      .filter((text) => parseAddress(text)?.includes(':') === true)
    const cases = fc.oneof(
      fc.record({ net: v4, address: v4, bits: fc.integer({ min: 0, max: 32 }), family: fc.constant('ipv4' as const) }),
      fc.record({ net: v6, address: v6, bits: fc.integer({ min: 0, max: 128 }), family: fc.constant('ipv6' as const) }),
    )
    fc.assert(
      fc.property(cases, ({ net, address, bits, family }) => {
        const list = new BlockList()
        list.addSubnet(net, bits, family)
        expect(createAddressMatcher([`${net}/${bits}`])(address)).toBe(list.check(address, family))
      }),
      { numRuns: 1000 },
    )
  })
})

describe('limitKey', () => {
  test.each<[string | null, string]>([
    ['203.0.113.9', '203.0.113.9'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2:ffff::', '2001:db8:1:2::/64'],
    ['2001:db8:1:3::', '2001:db8:1:3::/64'],
    ['::1', '::/64'],
    [null, 'unknown'],
    ['', 'unknown'],
    ['evil', 'unknown'],
  ])('%p counts as %p', (address, key) => {
    expect(limitKey(address)).toBe(key)
  })
})
