import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { apiKeyIdAt, generateApiKey, hasApiKeyPrefix, parseApiKey } from '../../src/credentials/api-key-format.ts'
import { BASE62_ALPHABET } from '../../src/lib/base62.ts'
import { checksum } from '../../src/lib/crc32.ts'

const ID = 'AAAAaaaa00001111'
const SECRET = 'S'.repeat(43)

/** A key of the right form from its parts, with a checksum that fits. */
function keyOf(prefix = 'mac', environment = 'live', id = ID, secret = SECRET): string {
  const body = `${prefix}_${environment}_${id}_${secret}`
  return body + checksum(body)
}

const environments = fc.constantFrom('live' as const, 'test' as const)
const prefixes = fc.constantFrom('mac', 'm', 'acme', 'my_app', 'a_live')
const generated = fc
  .record({ prefix: prefixes, environment: environments, seed: fc.integer() })
  .map(({ prefix, environment }) => ({ prefix, environment, ...generateApiKey(prefix, environment) }))

describe('generateApiKey', () => {
  test('writes the form of the contract', () => {
    const { id, shown, raw } = generateApiKey('mac', 'test')
    expect(raw).toMatch(/^mac_test_[0-9A-Za-z]{16}_[0-9A-Za-z]{43}[0-9A-Za-z]{6}$/)
    expect(raw.startsWith(`${shown}_`)).toBe(true)
    expect(`key_${shown.slice('mac_test_'.length)}`).toBe(id)
  })

  test('every key parses, under its own prefix and environment', () => {
    fc.assert(
      fc.property(generated, ({ prefix, environment, id, raw }) => {
        expect(parseApiKey(prefix, raw)).toEqual({ id, environment })
        expect(`key_${apiKeyIdAt(raw)}`).toBe(id)
        expect(hasApiKeyPrefix(prefix, raw)).toBe(true)
      }),
    )
  })

  test('no two keys share id or secret', () => {
    const keys = Array.from({ length: 200 }, () => generateApiKey('mac', 'live').raw)
    expect(new Set(keys).size).toBe(200)
    expect(new Set(keys.map((key) => key.split('_')[2])).size).toBe(200)
    expect(new Set(keys.map((key) => key.split('_')[3])).size).toBe(200)
  })
})

describe('parseApiKey', () => {
  test('reads a key', () => {
    expect(parseApiKey('mac', keyOf())).toEqual({ id: `key_${ID}`, environment: 'live' })
    expect(parseApiKey('mac', keyOf('mac', 'test'))).toEqual({ id: `key_${ID}`, environment: 'test' })
    expect(parseApiKey('my_app', keyOf('my_app'))).toEqual({ id: `key_${ID}`, environment: 'live' })
  })

  test.each([
    ['', 'empty'],
    ['mac', 'the prefix alone'],
    ['mac_live_', 'no id'],
    [keyOf('mad'), 'another prefix'],
    [keyOf('MAC'), 'the prefix in another case'],
    [keyOf('macc'), 'a longer prefix'],
    [keyOf('ma'), 'a shorter prefix'],
    [keyOf('mac', 'prod'), 'another environment'],
    [keyOf('mac', 'LIVE'), 'the environment in another case'],
    [keyOf('mac', 'live', `${ID}0`), 'a longer id'],
    [keyOf('mac', 'live', ID.slice(1)), 'a shorter id'],
    [keyOf('mac', 'live', ID.slice(1), `${SECRET}0`), 'a shorter id and a longer secret'],
    [keyOf('mac', 'live', ID, SECRET.slice(1)), 'a shorter secret'],
    [keyOf('mac', 'live', ID, `${SECRET}0`), 'a longer secret'],
    [keyOf('mac', 'live', `${ID.slice(1)}-`), 'an id of another alphabet'],
    [keyOf('mac', 'live', ID, `${SECRET.slice(1)}_`), 'a secret of another alphabet'],
    [keyOf('mac', 'live', ID, `${SECRET.slice(1)}é`), 'an accented secret'],
    [keyOf('mac', 'live', ID, `${SECRET.slice(1)}٣`), 'an Arabic digit'],
    [keyOf('mac', 'live', ID, `${SECRET.slice(1)}０`), 'a full-width digit'],
    [keyOf('mac', 'live', ID, `${SECRET.slice(1)} `), 'a space'],
    [` ${keyOf()}`, 'a space in front'],
    [`${keyOf()} `, 'a space behind'],
    [`${keyOf()}\n`, 'a line feed behind'],
    [`${keyOf()}\0`, 'a NUL behind'],
    [`\ufeff${keyOf()}`, 'a byte order mark'],
    [`${keyOf().slice(0, 20)}\u200b${keyOf().slice(20)}`, 'a zero-width space within'],
    [`"${keyOf()}"`, 'quotes'],
    [keyOf().replaceAll('_', '-'), 'dashes for underscores'],
    [keyOf().slice(0, -6), 'no checksum'],
    [`${keyOf().slice(0, -6)}000000`, 'a checksum that does not fit'],
    [keyOf() + keyOf(), 'two keys'],
    ['x'.repeat(8192), '8 KB'],
    ['😀'.repeat(40), 'emoji'],
  ])('refuses %j: %s', (text) => {
    expect(parseApiKey('mac', text)).toBeNull()
  })

  test('never throws and never accepts what it has not made', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ maxLength: 200 }), fc.string({ unit: 'binary', maxLength: 30 })), (text) => {
        expect(parseApiKey('mac', text)).toBeNull()
        expect(typeof apiKeyIdAt(text)).toBe('string')
      }),
      { numRuns: 250 },
    )
  })

  test('refuses a key with one character changed', () => {
    const characters = [...BASE62_ALPHABET, '_', '-', ' ', '.', 'é']
    fc.assert(
      fc.property(generated, fc.nat(), fc.constantFrom(...characters), ({ prefix, raw }, position, character) => {
        const at = position % raw.length
        fc.pre(raw[at] !== character)
        expect(parseApiKey(prefix, raw.slice(0, at) + character + raw.slice(at + 1))).toBeNull()
      }),
      { numRuns: 250 },
    )
  })

  test('refuses a key with one character dropped, doubled or two exchanged', () => {
    fc.assert(
      fc.property(generated, fc.nat(), ({ prefix, raw }, position) => {
        const at = position % (raw.length - 1)
        const [here = '', next = ''] = [raw[at], raw[at + 1]]
        expect(parseApiKey(prefix, raw.slice(0, at) + raw.slice(at + 1))).toBeNull()
        expect(parseApiKey(prefix, raw.slice(0, at) + here + raw.slice(at))).toBeNull()
        fc.pre(here !== next)
        expect(parseApiKey(prefix, raw.slice(0, at) + next + here + raw.slice(at + 2))).toBeNull()
      }),
      { numRuns: 150 },
    )
  })

  test('a key of one prefix is none of another', () => {
    fc.assert(
      fc.property(generated, prefixes, ({ prefix, raw }, other) => {
        fc.pre(prefix !== other)
        expect(parseApiKey(other, raw)).toBeNull()
      }),
    )
  })
})

test.each([
  ['mac', 'mac_', true],
  ['mac', 'mac_live_x', true],
  ['mac', 'mac', false],
  ['mac', 'macx_live', false],
  ['mac', 'MAC_live', false],
  ['mac', '', false],
  ['my_app', 'my_app_live', true],
  ['my', 'my_app_live', true],
])('hasApiKeyPrefix(%j, %j) is %p', (prefix, text, expected) => {
  expect(hasApiKeyPrefix(prefix, text)).toBe(expected)
})
