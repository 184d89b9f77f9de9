import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import {
  glanceAtJwt,
  isCredentialText,
  MAX_CREDENTIAL_LENGTH,
  parseAuthorization,
} from '../../src/credentials/authorization.ts'

const SCHEMES = new Set(['bearer', 'apikey', 'machine_auth'])
const parse = (header: string, schemes: ReadonlySet<string> = SCHEMES) => parseAuthorization(header, schemes, 'mac')

describe('parseAuthorization', () => {
  test.each([
    ['Bearer mac_live_x', 'apiKey', 'mac_live_x'],
    ['bearer mac_live_x', 'apiKey', 'mac_live_x'],
    ['ApiKey mac_live_x', 'apiKey', 'mac_live_x'],
    ['APIKEY anything', 'apiKey', 'anything'],
    ['machine_auth mac_test_x', 'apiKey', 'mac_test_x'],
    ['ApiKey a.b.c', 'apiKey', 'a.b.c'],
    ['Bearer a.b.c', 'jwt', 'a.b.c'],
    ['BEARER a.b.c', 'jwt', 'a.b.c'],
    ['Bearer mac.b.c', 'jwt', 'mac.b.c'],
    ['Bearer mac_a.b.c', 'apiKey', 'mac_a.b.c'],
    ['Bearer mat_x', 'bearer', 'mat_x'],
    ['Bearer x', 'bearer', 'x'],
    ['Bearer a.b', 'bearer', 'a.b'],
    ['Bearer a.b.c.d', 'bearer', 'a.b.c.d'],
    ['Bearer a.b.c.d.e', 'bearer', 'a.b.c.d.e'],
    ['Bearer .b.c', 'bearer', '.b.c'],
    ['Bearer a..c', 'bearer', 'a..c'],
    ['Bearer ..', 'bearer', '..'],
    ['Bearer MAC_live_x', 'bearer', 'MAC_live_x'],
    ['Bearer macx', 'bearer', 'macx'],
    ['Bearer abc~+/==', 'bearer', 'abc~+/=='],
  ])('%s is %s %s', (header, kind, text) => {
    expect(parse(header)).toEqual({ kind, text } as ReturnType<typeof parse>)
  })

  test('an unsecured JWT has the form of one, and is told by its verifier', () => {
    expect(parse('Bearer eyJhbGciOiJub25lIn0.e30.')).toEqual({ kind: 'jwt', text: 'eyJhbGciOiJub25lIn0.e30.' })
  })

  test.each([
    '',
    ' ',
    'Bearer',
    'Bearer ',
    'Bearer  a.b.c',
    ' Bearer a.b.c',
    'Bearer a.b.c ',
    'Bearer a b',
    'Bearer\ta.b.c',
    'Bearer a.b.c\t',
    'Bearer "a.b.c"',
    'Bearer é',
    'Bearer \u00ff',
    'Bearer a\u0000b',
    'Bearer a\u007f',
    'Bearera.b.c',
    'Basic YTpi',
    'Digest username="x"',
    'Negotiate abc',
    'Token abc',
    'a.b.c',
    'mac_live_x',
    'Bearer: a.b.c',
    'Bearer=a.b.c',
    'ApiKey',
    'ApiKey key value',
    '__proto__ x',
    'constructor x',
    `Bearer ${'x'.repeat(MAX_CREDENTIAL_LENGTH)}`,
  ])('%j is unusable', (header) => {
    expect(parse(header)).toEqual({ kind: 'unusable' })
  })

  test.each(['Bearer a.b.c, Bearer d.e.f', 'Bearer a.b.c,', ',', 'ApiKey x, Bearer y', 'Digest a="b", c="d"'])(
    '%j is more than one',
    (header) => {
      expect(parse(header)).toEqual({ kind: 'ambiguous' })
    },
  )

  test('where Bearer carries no keys, a key is a token like any other', () => {
    const schemes = new Set(['apikey'])
    expect(parse('Bearer mac_live_x', schemes)).toEqual({ kind: 'bearer', text: 'mac_live_x' })
    expect(parse('ApiKey mac_live_x', schemes)).toEqual({ kind: 'apiKey', text: 'mac_live_x' })
    expect(parse('machine_auth mac_live_x', schemes)).toEqual({ kind: 'unusable' })
    expect(parse('Bearer a.b.c', new Set())).toEqual({ kind: 'jwt', text: 'a.b.c' })
  })

  test('the longest credential is read, a longer one is not', () => {
    const longest = `Bearer ${'x'.repeat(MAX_CREDENTIAL_LENGTH - 'Bearer '.length)}`
    expect(parse(longest).kind).toBe('bearer')
    expect(parse(`${longest}x`).kind).toBe('unusable')
  })

  test('never throws, and passes on only what it was given, whole', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ maxLength: 60 }), fc.string({ unit: 'binary', maxLength: 30 })), (random) => {
        for (const header of [random, `Bearer ${random}`, `ApiKey ${random}`, `machine_auth ${random}`]) {
          const credential = parse(header)
          if (!('text' in credential)) continue
          expect(header.slice(header.indexOf(' ') + 1)).toBe(credential.text)
          expect(credential.text).toMatch(/^[!-~]+$/)
          expect(credential.text).not.toMatch(/[,"]/)
        }
      }),
      { numRuns: 250 },
    )
  })

  test('exactly texts of three parts with the first two filled have the form of a JWT', () => {
    const part = fc.string({ unit: fc.constantFrom('a', 'B', '0', '-', '_', '='), maxLength: 4 })
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
        const text = parts.join('.')
        fc.pre(text !== '')
        const isJwt = parts.length === 3 && parts[0] !== '' && parts[1] !== ''
        expect(parse(`Bearer ${text}`).kind).toBe(isJwt ? 'jwt' : 'bearer')
      }),
    )
  })

  test('takes hostile headers in its stride', () => {
    const started = performance.now()
    for (const header of ['.', ' ', 'a', '.a', 'Bearer ', '\u00ff']) parse(header.repeat(50_000))
    for (const text of ['.'.repeat(8000), 'a.'.repeat(4000)]) parse(`Bearer ${text}`)
    expect(performance.now() - started).toBeLessThan(500)
  })
})

test.each([
  ['', false],
  ['x', true],
  ['!#$%&()*+-./:;<=>?@[]^_`{|}~', true],
  ['a b', false],
  ['a,b', false],
  ['a"b', false],
  ['a\u00e9', false],
  ['a\u0000', false],
  ['a\n', false],
  ['x'.repeat(MAX_CREDENTIAL_LENGTH), true],
  ['x'.repeat(MAX_CREDENTIAL_LENGTH + 1), false],
])('isCredentialText(%j) is %p', (text, expected) => {
  expect(isCredentialText(text)).toBe(expected)
})

describe('glanceAtJwt', () => {
  test.each([
    ['Bearer a.b.c', 'a.b.c'],
    ['Bearer a.b', 'a.b'],
    ['Bearer mat_x', null],
    ['bearer a.b.c', null],
    ['Bearer', null],
    ['', null],
    ['ApiKey a.b.c', null],
    [' Bearer a.b.c', null],
  ])('%j gives %j', (header, expected) => {
    expect(glanceAtJwt(header)).toBe(expected)
  })

  test('where it agrees that there is a JWT, it is the same as parsing finds', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '.', ',', ' ', '"', 'é', '\t'), maxLength: 8 })
    fc.assert(
      fc.property(text, (random) => {
        const header = `Bearer ${random}`
        const credential = parse(header)
        if (credential.kind === 'jwt') expect(glanceAtJwt(header)).toBe(credential.text)
      }),
      { numRuns: 250 },
    )
  })
})
