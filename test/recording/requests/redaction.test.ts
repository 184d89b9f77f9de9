/** What is left of texts when everything secret is taken out, in whatever form they come. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { generateApiKey } from '../../../src/credentials/api-key-format.ts'
import { formatRefreshToken, generateBearerToken, generateSessionText } from '../../../src/credentials/secret-text.ts'
import {
  type BodyForm,
  redactBody,
  redactPath,
  redactQuery,
  redactText,
} from '../../../src/recording/requests/redaction.ts'
import { createSecretNames } from '../../../src/recording/requests/secret-names.ts'

const { secrets, credentials } = createSecretNames(['x-company-key', 'session_id'], ['iban'])
const R = '***REDACTED***'

/** As nanoid and our own tokens are: 21 and 22 characters. */
const TOKEN = 'V1StGXR8_Z5jdHi6B-myT'
const PEM_KEY =
  '-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8Qu\n-----END RSA PRIVATE KEY-----'

describe('a text', () => {
  test.each([
    ['broken JSON', '{"password":"hunter2","a":1', `{"password":"${R}","a":1`],
    ['JSON without its end', '{"a":1,"password":"hunter2', `{"a":1,"password":"${R}`],
    ['JSON with a quote too few', '{"a: "x", "password": "hunter2"}', `{"a: "x", "password": "${R}"}`],
    ['a list in broken JSON', '{"tokens":["hunter2","hunter2"], "a":', `{"tokens":${R}, "a":`],
    ['an escaped name in broken JSON', '{"pass\\u0077ord":"hunter2"', `{"password":"${R}"`],
    ['JSON in a text', 'got {\\"password\\":\\"hunter2\\"}', `got {\\"password\\":\\"${R}\\"}`],
    [
      'JSON in JSON in JSON and so on',
      `{${'\\'.repeat(511)}"password${'\\'.repeat(511)}": ${'\\'.repeat(511)}"hunter2`,
      `{${'\\'.repeat(511)}"password${'\\'.repeat(511)}": ${R}`,
    ],
    ['JavaScript', "{'password': 'hunter2', x: 1}", `{'password': '${R}', x: 1}`],
    ['YAML', 'user: a\npassword: hunter2 and more\nnext: 1', `user: a\npassword: ${R}\nnext: 1`],
    [
      'XML',
      '<a><ns:Password type="x">hunter2</ns:Password><b>1</b></a>',
      `<a><ns:Password type="x">${R}</ns:Password><b>1</b></a>`,
    ],
    ['a header', 'Cookie: a=hunter2; b=hunter2', `Cookie: ${R}`],
    ['a URL', 'see /x?token=hunter2&page=1 there', `see /x?token=${R}&page=1 there`],
    ['a database URL', 'postgres://user:hunter2@host/db', `postgres://user:${R}@host/db`],
    ['a URL without its scheme', '//user:hunter2@host/db', `//user:${R}@host/db`],
    ['a scheme', 'sent Basic aHVudGVyMjpodW50ZXIy to it', `sent Basic ${R} to it`],
    ['a token in the path of a URL', `to https://app/reset/${TOKEN}?a=1`, `to https://app/reset/${R}?a=1`],
    ['a token in a path alone', `/reset/${TOKEN}/done`, `/reset/${R}/done`],
    ['a fragment', '/cb#access_token=hunter2&b=1', `/cb#access_token=${R}&b=1`],
    ['a code of OAuth', 'https://app/cb?code=hunter2&page=1', `https://app/cb?code=${R}&page=1`],
    ['a URL in a URL', '/x?next=%2Fcb%3Fpassword%3Dhunter2', `/x?next=${encodeURIComponent(`/cb?password=${R}`)}`],
    ['a YAML block', 'private_key: |\n  hunter2\n\n  hunter2\nnext: 1', `private_key: |\n  ${R}\nnext: 1`],
    ['a folded YAML block', ' - token: >-\n     hunter2\n     hunter2\n - a', ` - token: >-\n     ${R}\n - a`],
    ['a YAML list', 'tokens:\n- hunter2\n- hunter2\nnext: 1', `tokens:\n${R}\nnext: 1`],
    ['a private key', `a ${PEM_KEY} b`, `a ${R} b`],
    ['a private key that was cut', `a ${PEM_KEY.slice(0, 60)}`, `a ${R}`],
    ['the place of an error', 'at f (/srv/session.js:120:5)\nnext', 'at f (/srv/session.js:120:5)\nnext'],
    ['no place of an error', 'session.js: hunter2', `session.js: ${R}`],
    ['nothing secret', 'keyId: key_1, author: "me", url=http://x/', 'keyId: key_1, author: "me", url=http://x/'],
  ])('%s', (_, given, expected) => {
    expect(redactText(given, secrets)).toBe(expected)
  })
})

const ISSUED: readonly (readonly [string, string])[] = [
  ['an API key', generateApiKey('mac', 'live').raw],
  ['a test key of another prefix', generateApiKey('acme2', 'test').raw],
  ['a bearer token', generateBearerToken().raw],
  ['a refresh token', formatRefreshToken('rt_0123456789abcdef', 12, `${'a'.repeat(20) + '-_'.repeat(11)}b`)],
  ['a session', generateSessionText().raw],
  ['a JWT', 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1c2VyXzEifQ.c2lnbmF0dXJlLW9mLWEtdG9rZW4'],
]

describe.each(ISSUED)('%s', (_, credential) => {
  test.each([
    ['alone', credential],
    ['in a sentence', `the key ${credential}, which leaked.`],
    ['in quotes', `"${credential}"`],
    ['behind a word', `x=${credential}`],
  ])('%s is taken out of a text, by its form alone', (_name, text) => {
    const redacted = redactText(text, () => false)
    expect(redacted).toContain(R)
    expect(redacted).not.toContain(credential.slice(-30))
  })

  test('is taken out of a path, also in percents', () => {
    const encoded = [...credential].map((each) => `%${each.charCodeAt(0).toString(16)}`).join('')
    for (const text of [credential, encoded]) {
      expect(redactPath(`/reset/${text}/now`)).toMatch(/^\/reset\/(?:mac|acme2)?(?:\*|%2A)+REDACTED/)
    }
    expect(decodeURIComponent(redactQuery(`a=${encoded}&b=1`, () => false))).not.toContain(credential.slice(-30))
  })

  test('is no name of a member either', () => {
    const body = JSON.stringify({ [credential]: 1 })
    expect(redactBody('json', body, () => false)).not.toContain(credential.slice(-30))
  })
})

describe('a path', () => {
  test.each([
    ['/reset/9f86d081884c7d659a2feaa0c55ad015', `/reset/${R}`],
    ['/invite/Ab3dEf6hIj9kLmNoPqRsTuVw', `/invite/${R}`],
    ['/users/550e8400-e29b-41d4-a716-446655440000', '/users/550e8400-e29b-41d4-a716-446655440000'],
    ['/keys/key_7Yc1DgXf8Hq2LmVs/rotate', '/keys/key_7Yc1DgXf8Hq2LmVs/rotate'],
    [`/reset/${TOKEN}`, `/reset/${R}`],
    ['/reset/Zk3v9QpLx7Tn2RbWaa0011', `/reset/${R}`],
    ['/reset/aBcDeFgHiJkLmNoPqRsTuV', `/reset/${R}`],
    ['/reset/0123456789012345678901234567890123456789', `/reset/${R}`],
    ['/x;password=hunter2;sid=hunter2;page=1/y', `/x;password=${R};sid=${R};page=1/y`],
    ['/x;p%61ssword=a%20b', `/x;p%61ssword=${R}`],
    ['/users/user_4dTyWz8Qm1nBvK3c', '/users/user_4dTyWz8Qm1nBvK3c'],
    ['/getUserProfileSettingsOfAll', '/getUserProfileSettingsOfAll'],
    ['/orders/507f1f77bcf86cd799439011/2030-01-31', '/orders/507f1f77bcf86cd799439011/2030-01-31'],
    ['/blog/how-to-do-2024-things-with-a-very-long-title', '/blog/how-to-do-2024-things-with-a-very-long-title'],
  ])('%s', (given, expected) => expect(redactPath(given)).toBe(expected))
})

describe('names', () => {
  const secret = (name: string): [string, boolean] => [name, true]
  const SECRET = [
    'password',
    'newPassword',
    'PASS_WORD',
    'api-key',
    'apiKey',
    'x-api-key',
    'client_secret',
    'x-auth-token',
  ]
  const MORE = [
    'Set-Cookie',
    'privateKey',
    'sessionId',
    'credentials',
    'key',
    'signature',
    'customerIban',
    'X_Company_Key',
  ]
  const CODES = ['passcode', 'pin_code', 'otpCode', 'recoveryCodes', 'verification-code', 'security_code', 'mfa_code']
  const WORDS = ['user_pass', 'dbPass', 'userPin', 'user[key]', 'cvv2', 'basic-auth', 'bearer', 'creds', 'login.pin']
  const SPELLED = ['ｐassword', 'pässword', 'pass\u200bword', `${'x'.repeat(300)}Password`]
  const PERSONAL = ['passport', 'card_number', 'ssn', 'dateOfBirth']
  test.each([...SECRET, ...MORE, ...CODES, ...WORDS, ...SPELLED, ...PERSONAL])('%s is secret', (name) =>
    expect(secrets(name)).toBe(true),
  )
  const OTHERS = [
    'code',
    'errorCode',
    'country_code',
    'postcode',
    'auth_method',
    'passed',
    'compass',
    'opinion',
    'spinner',
  ]
  test.each(['keyId', 'author', 'name', 'url', 'monkey', '', '-_-', ...OTHERS])('%p is not', (name) => {
    expect(secrets(name)).toBe(false)
  })
  test.each([
    ['password', true],
    ['refresh_token', true],
    ['Cookie', true],
    ['x-company-key', true],
    ['iban', true],
    ['customer_iban', true],
    ['token', true],
    ['signature', true],
    ...['x-auth-token', 'private-token', 'x-vault-token', 'x-amz-security-token', 'x-webhook-secret'].map(secret),
    ...['pwd', 'pass', 'passcode', 'resetToken', 'auth_token', 'session', 'jwt', 'key', 'secret'].map(secret),
    ['passport', false],
    ['card_number', false],
    ['date-of-birth', false],
    ['email', false],
  ])('raw takes %s out: %p', (name, isSecret) => expect(credentials(name)).toBe(isSecret))
})

test('what is secret by neither name nor look stays readable', () => {
  const sent = JSON.stringify({
    at: '2030-01-31T12:00:00.000Z',
    day: '2030/01/31',
    price: 1234.56,
    shown: '€ 1,234.56 (19% off)',
    count: 12,
    max_tokens: 4096,
    code: 'permission_denied',
    problem: 'urn:machine-auth:error:permission_denied',
    id: '550e8400-e29b-41d4-a716-446655440000',
    orderId: 'V1StGXR8_Z5jdHi6B-myT',
    sha: '9f86d081884c7d659a2feaa0c55ad015',
    keyId: 'key_7Yc1DgXf8Hq2LmVs',
    type: 'application/vnd.api+json; charset=utf-8',
    url: 'https://example.com/orders/550e8400-e29b-41d4-a716-446655440000?page=2&sort=-at#top',
    encoded: '/search?q=caf%C3%A9%20au%20lait',
    phone: '+49 30 1234567',
    place: 'session.js:120:5',
  })
  expect(redactBody('json', sent, secrets)).toBe(sent)
})

test('however often a URL is encoded, nothing is left of what it says', () => {
  const key = generateApiKey('mac', 'live').raw
  let text = `/cb?token=hunter2%20hunter2&x=${key.replaceAll('_', '%5F')}`
  for (let depth = 0; depth < 6; depth += 1) {
    text = `https://app/?next=${encodeURIComponent(text)}`
    expect(decodeURIComponent(redactText(text, secrets))).not.toContain(key.slice(-30))
    expect(redactText(text, secrets)).not.toContain('hunter2')
    expect(redactText(`{"u":"${text}"`, secrets)).not.toContain('hunter2')
  }
})

const SECRET = fc.stringMatching(/^[a-z]{2}[0-9]{8}[a-z]{2}$/)
const NAME = fc.constantFrom(
  'password',
  'Api_Key',
  'client-secret',
  'accessToken',
  'x-company-key',
  'IBAN',
  'my password',
)
const OTHER = fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.boolean())

/** A secret behind its name, somewhere in objects and lists. */
const NESTED = fc
  .tuple(SECRET, NAME, fc.array(fc.tuple(fc.nat(2), fc.string(), OTHER), { maxLength: 12 }))
  .chain(([secret, name, layers]) =>
    fc.constantFrom<unknown>(secret, [secret], { a: [[secret]] }, `x ${secret}`, { [secret]: 1 }).map((held) => ({
      secret,
      value: layers.reduce<unknown>(
        (inner, [kind, key, other]) => {
          if (kind === 0) return [other, inner, other]
          if (kind === 1) return { before: other, [`_${key}`]: inner, after: other }
          return { text: JSON.stringify(inner), other }
        },
        { x: 1, [name]: held, y: '"' },
      ),
    })),
  )

describe('whatever a secret is put in', () => {
  test('it is not in the JSON that is left, which is still JSON', () => {
    fc.assert(
      fc.property(NESTED, fc.constantFrom(0, 2), ({ secret, value }, indent) => {
        const left = redactBody('json', JSON.stringify(value, null, indent), secrets)
        expect(left).not.toContain(secret)
        JSON.parse(left)
      }),
    )
  })

  test('nor in what is left of a body that was cut off', () => {
    fc.assert(
      fc.property(SECRET, NAME, fc.nat(200), (secret, name, cut) => {
        const text = JSON.stringify({ a: 'x"y', list: [1, { [name]: secret, more: [secret.slice(1)] }] })
        const given = text.slice(0, Math.max(0, text.indexOf(secret) + secret.length - (cut % secret.length)))
        const left = redactBody('json', given, secrets)
        const half = secret.slice(0, 3)
        expect(left.includes(half)).toBe(false)
      }),
    )
  })

  test('nor in a query, whatever is encoded', () => {
    const encode = (text: string) =>
      [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
    fc.assert(
      fc.property(SECRET, NAME, fc.boolean(), fc.boolean(), fc.webQueryParameters(), (secret, name, one, two, rest) => {
        const pair = `${one ? encode(name) : name}=${two ? encode(secret) : secret}`
        const left = redactQuery(`${rest}&${pair}&${rest}`, secrets)
        expect(left).not.toContain(secret)
        expect(decodeURIComponent(left.split('&').find((each) => each.includes('REDACTED')) ?? '')).not.toContain(
          secret,
        )
        expect(redactQuery(rest, () => false)).toBe(rest)
      }),
    )
  })

  test('nothing throws, and what holds no secret stays as it is', () => {
    const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.json(), fc.stringMatching(/^[:=<>"'{}[\]\\ a]{0,40}$/))
    fc.assert(
      fc.property(texts, fc.constantFrom<BodyForm>('json', 'form', 'text'), (text, form) => {
        redactBody(form, text, secrets)
        redactPath(text)
        if (form === 'json')
          expect(redactBody('json', JSON.stringify({ a: [text.length, true] }), secrets)).toContain('"a"')
      }),
    )
  })

  test('numbers and doubled members are as they were sent', () => {
    const sent = '{ "n": 12345678901234567890, "a": 1, "a": 2 }'
    expect(redactBody('json', sent, secrets)).toBe(sent)
    expect(redactBody('json', '{"password":"x","password":null}', secrets)).not.toContain('"x"')
  })
})

describe('work grows with the length of a text, not faster', () => {
  const HOSTILE = ['a', 'eyJ', 'eyJ.', '=', 'password=', 'password=null ', '"', '\\"', '"password":"', '"password":{']
  const MARKUP = [
    '\\',
    '\\:',
    '\\":',
    '<',
    '>',
    '<password>',
    '<password/>',
    'Bearer ',
    ' ',
    '://a:',
    '\\u0061',
    '[',
    '_live_',
    '":',
    ' :',
    '?a=',
    '/?a=',
    '%3Fa%3D',
    '%2525',
    ';a=',
    '#',
    'password:\n ',
    'password: |\n',
    'private_key: |\n  a\n',
    '-----BEGIN PRIVATE KEY-----',
    '-----END ',
    'a-',
    'aA',
    'Pass.',
    'ä',
    'x/',
  ]
  test.each([...HOSTILE, ...MARKUP])('%p', (part) => {
    const time = (length: number) => {
      const text = part.repeat(Math.ceil(length / part.length))
      const run = () => {
        const start = performance.now()
        for (const form of ['json', 'form', 'text'] as const) redactBody(form, text, secrets)
        return performance.now() - start
      }
      return Math.min(run(), run(), run(), run())
    }
    time(4096)
    // Sixteen times the text: a quadratic step would take 256 times as long.
    expect(time(65_536)).toBeLessThan(64 * Math.max(time(4096), 1))
  })
})
