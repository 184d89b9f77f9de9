import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { parseAuthorization } from '../../src/credentials/authorization.ts'
import {
  formatRefreshToken,
  generateBearerToken,
  generateId,
  generateSessionText,
  isSessionText,
  parseBearerToken,
  parseRefreshToken,
} from '../../src/credentials/secret-text.ts'
import { BASE62_ALPHABET } from '../../src/lib/base62.ts'

const FAMILY = 'rt_AAAAaaaa00001111'
const MAC = 'Aa0-_'.repeat(9).slice(0, 43)
const anyText = fc.oneof(fc.string({ maxLength: 120 }), fc.string({ unit: 'binary', maxLength: 30 }))
const character = fc.constantFrom(...BASE62_ALPHABET, '_', '-', ' ', '.', 'é')

/** A text with the character at a place exchanged for another. */
function changed(text: string, position: number, by: string): string {
  const at = position % text.length
  fc.pre(text[at] !== by)
  return text.slice(0, at) + by + text.slice(at + 1)
}

describe('bearer tokens', () => {
  test('have the form of the table, and their own id', () => {
    const { id, raw } = generateBearerToken()
    expect(raw).toMatch(/^mat_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}$/)
    expect(parseBearerToken(raw)).toBe(id)
    expect(id).toBe(`tok_${raw.slice(4, 20)}`)
    expect(parseAuthorization(`Bearer ${raw}`, new Set(['bearer']), 'mac')).toEqual({ kind: 'bearer', text: raw })
  })

  test.each(['', 'mat_', 'mat_x', 'mac_live_x', 'x'.repeat(70), `mat_${'x'.repeat(16)}_${'x'.repeat(49)}`])(
    '%j is none',
    (text) => {
      expect(parseBearerToken(text)).toBeNull()
    },
  )

  test('any other text is none', () => {
    fc.assert(fc.property(anyText, (text) => expect(parseBearerToken(text)).toBeNull()))
  })

  test('one changed character is noticed', () => {
    fc.assert(
      fc.property(fc.nat(), character, (position, by) => {
        expect(parseBearerToken(changed(generateBearerToken().raw, position, by))).toBeNull()
      }),
      { numRuns: 150 },
    )
  })
})

describe('refresh tokens', () => {
  test.each([0, 1, 9, 10, 4_294_967_295, 9_999_999_999])('of sequence %d come back as they were', (sequence) => {
    const text = formatRefreshToken(FAMILY, sequence, MAC)
    expect(parseRefreshToken(text)).toEqual({ familyId: FAMILY, sequence, mac: MAC })
    expect(text).not.toContain('.')
  })

  test('come back for any family, sequence and MAC', () => {
    const id = fc.string({ unit: fc.constantFrom(...BASE62_ALPHABET), minLength: 16, maxLength: 16 })
    const mac = fc.string({ unit: fc.constantFrom(...BASE62_ALPHABET, '-', '_'), minLength: 43, maxLength: 43 })
    fc.assert(
      fc.property(id, fc.nat({ max: 9_999_999_999 }), mac, (family, sequence, code) => {
        const familyId = `rt_${family}`
        expect(parseRefreshToken(formatRefreshToken(familyId, sequence, code))).toEqual({
          familyId,
          sequence,
          mac: code,
        })
      }),
    )
  })

  const id = FAMILY.slice(3)
  test.each([
    ['', 'empty'],
    ['mar_', 'the prefix alone'],
    [`mat_${id}_1_${MAC}`, 'another prefix'],
    [`MAR_${id}_1_${MAC}`, 'the prefix in another case'],
    [`mar_${id}_1_${MAC}x`, 'a longer MAC'],
    [`mar_${id}_1_${MAC.slice(1)}`, 'a shorter MAC'],
    [`mar_${id}_1_${MAC.slice(1)}=`, 'a padded MAC'],
    [`mar_${id}_1_${MAC.slice(1)}+`, 'a MAC in base64'],
    [`mar_${id}__${MAC}`, 'no sequence'],
    [`mar_${id}_01_${MAC}`, 'a sequence with a zero in front'],
    [`mar_${id}_-1_${MAC}`, 'a negative sequence'],
    [`mar_${id}_+1_${MAC}`, 'a signed sequence'],
    [`mar_${id}_1.5_${MAC}`, 'a broken sequence'],
    [`mar_${id}_1e3_${MAC}`, 'a sequence in powers'],
    [`mar_${id}_0x1_${MAC}`, 'a hexadecimal sequence'],
    [`mar_${id}_ 1_${MAC}`, 'a sequence with a space'],
    [`mar_${id}_٣_${MAC}`, 'a sequence in Arabic digits'],
    [`mar_${id}_10000000000_${MAC}`, 'a sequence of eleven digits'],
    [`mar_${id.slice(1)}_1_${MAC}`, 'a shorter id'],
    [`mar_${id.slice(1)}-_1_${MAC}`, 'an id of another alphabet'],
    [`mar_${id}_1_${MAC}\n`, 'a line feed behind'],
    [` mar_${id}_1_${MAC}`, 'a space in front'],
    ['mar_'.padEnd(8192, 'x'), '8 KB'],
  ])('%j is none: %s', (text) => {
    expect(parseRefreshToken(text)).toBeNull()
  })

  test('any other text is none', () => {
    fc.assert(fc.property(anyText, (text) => expect(parseRefreshToken(text)).toBeNull()))
  })

  test('no two texts read as one token', () => {
    const text = formatRefreshToken(FAMILY, 17, MAC)
    fc.assert(
      fc.property(fc.nat(), character, (position, by) => {
        const parsed = parseRefreshToken(changed(text, position, by))
        if (parsed !== null) expect(parsed).not.toEqual({ familyId: FAMILY, sequence: 17, mac: MAC })
      }),
      { numRuns: 150 },
    )
  })
})

describe('sessions', () => {
  test('have 59 characters of base62, the first 16 of which are their id', () => {
    const { id, raw } = generateSessionText()
    expect(raw).toMatch(/^[0-9A-Za-z]{59}$/)
    expect(isSessionText(raw)).toBe(true)
    expect(id).toBe(`sess_${raw.slice(0, 16)}`)
  })

  test('name plus value stay far below what a browser keeps', () => {
    expect(`__Host-session_id=${generateSessionText().raw}`.length).toBeLessThan(4096)
  })

  test.each(['', 'x', 'x'.repeat(58), 'x'.repeat(60), `${'x'.repeat(58)}-`, `${'x'.repeat(58)}é`, ' '.repeat(59)])(
    '%j is none',
    (text) => {
      expect(isSessionText(text)).toBe(false)
    },
  )
})

describe('what is handed out', () => {
  test('is never the same twice', () => {
    const texts = Array.from({ length: 300 }, () => [
      generateBearerToken().raw,
      generateSessionText().raw,
      generateId('user'),
    ]).flat()
    expect(new Set(texts).size).toBe(texts.length)
  })

  test.each(['org', 'user', 'sess', 'rt', 'evt'] as const)('an id of %s says what it is', (prefix) => {
    expect(generateId(prefix)).toMatch(new RegExp(`^${prefix}_[0-9A-Za-z]{16}$`))
  })

  test('no kind can be taken for another', () => {
    const bearer = generateBearerToken().raw
    const refresh = formatRefreshToken(FAMILY, 1, MAC)
    const session = generateSessionText().raw
    expect([parseBearerToken(refresh), parseBearerToken(session)]).toEqual([null, null])
    expect([parseRefreshToken(bearer), parseRefreshToken(session)]).toEqual([null, null])
    expect([isSessionText(bearer), isSessionText(refresh)]).toEqual([false, false])
    for (const text of [bearer, refresh, session]) {
      expect(parseAuthorization(`Bearer ${text}`, new Set(['bearer']), 'mac').kind).toBe('bearer')
    }
  })
})
