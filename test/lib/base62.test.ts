import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { BASE62_ALPHABET, encodeBase62, isBase62, randomBase62 } from '../../src/lib/base62.ts'
import { CHECKSUM_LENGTH, checksum, crc32 } from '../../src/lib/crc32.ts'

/** Fills with the given bytes, over and over. */
function cycle(...given: number[]): (bytes: Uint8Array) => void {
  let next = 0
  return (bytes) => {
    for (let index = 0; index < bytes.length; index += 1) {
      bytes[index] = given[next % given.length] ?? 0
      next += 1
    }
  }
}

describe('randomBase62', () => {
  test('draws bytes again that would bias the result', () => {
    expect(randomBase62(3, cycle(248, 255, 0, 61, 62))).toBe('0z0')
    expect(randomBase62(2, cycle(247))).toBe('zz')
  })

  test('maps each byte below 248 so that every character has exactly four of them', () => {
    const counts = new Map<string, number>()
    for (let byte = 0; byte < 248; byte += 1) {
      const character = randomBase62(1, cycle(byte))
      counts.set(character, (counts.get(character) ?? 0) + 1)
    }
    expect(counts.size).toBe(62)
    expect(new Set(counts.values())).toEqual(new Set([4]))
  })

  test('has the length asked for, and does not repeat', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200 }), (length) => {
        const text = randomBase62(length)
        expect(text).toHaveLength(length)
        expect(length === 0 || isBase62(text)).toBe(true)
      }),
    )
    expect(new Set(Array.from({ length: 2000 }, () => randomBase62(16))).size).toBe(2000)
  })

  test('spreads characters evenly', () => {
    const counts = new Map<string, number>()
    for (const character of randomBase62(62_000)) counts.set(character, (counts.get(character) ?? 0) + 1)
    // 1000 expected each, standard deviation 31: eight of them away is no accident.
    for (const character of BASE62_ALPHABET) {
      expect(counts.get(character)).toBeGreaterThan(750)
      expect(counts.get(character)).toBeLessThan(1250)
    }
  })
})

describe('encodeBase62', () => {
  test.each([
    [0, 1, '0'],
    [0, 3, '000'],
    [61, 2, '0z'],
    [62, 2, '10'],
    [2 ** 32 - 1, 6, '4gfFC3'],
  ])('writes %p in %p characters as %p', (value, length, expected) => {
    expect(encodeBase62(value, length)).toBe(expected)
  })

  test.each([
    [62, 1],
    [1, 0],
    [-1, 3],
    [1.5, 3],
    [Number.NaN, 3],
    [2 ** 53, 20],
  ])('refuses %p in %p characters', (value, length) => {
    expect(() => encodeBase62(value, length)).toThrow(RangeError)
  })

  test('reads back as the same number', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        const digits = [...encodeBase62(value, 9)].map((character) => BigInt(BASE62_ALPHABET.indexOf(character)))
        expect(digits.reduce((sum, digit) => sum * 62n + digit, 0n)).toBe(BigInt(value))
      }),
    )
  })
})

describe('isBase62', () => {
  test.each(['', ' a', 'a ', 'a-b', 'a_b', 'é', 'ａ', '🔑', 'a\0', 'a\n', '/', ':', '@', '[', '`', '{'])(
    'refuses %j',
    (text) => {
      expect(isBase62(text)).toBe(false)
    },
  )

  test('looks at the part asked for', () => {
    expect(isBase62('__ab__', 2, 4)).toBe(true)
    expect(isBase62('__ab__', 2, 5)).toBe(false)
    expect(isBase62('ab', 0, 3)).toBe(false)
    expect(isBase62('ab', 1, 1)).toBe(false)
  })

  test('agrees with the alphabet', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(isBase62(text)).toBe(text !== '' && [...text].every((character) => BASE62_ALPHABET.includes(character)))
      }),
    )
  })
})

describe('checksum', () => {
  test('is the CRC-32 that everyone computes', () => {
    expect(crc32('123456789')).toBe(0xcbf43926)
    expect(checksum('123456789')).toBe(encodeBase62(0xcbf43926, 6))
    expect(crc32('')).toBe(0)
  })

  test('has six characters and changes with any one character', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.nat(), (text, at) => {
        const index = at % text.length
        const other = text.slice(0, index) + (text[index] === 'x' ? 'y' : 'x') + text.slice(index + 1)
        expect(checksum(text)).toHaveLength(CHECKSUM_LENGTH)
        expect(checksum(other)).not.toBe(checksum(text))
      }),
    )
  })
})
