import { expect, test } from 'bun:test'
import { serializeClearingCookie, serializeSessionCookie } from '../../src/sessions/cookie.ts'

test.each([
  {
    name: 'over https',
    options: { cookie: '__Host-session_id', sameSite: 'lax', secure: true },
    expected: '__Host-session_id=abc; Path=/; Max-Age=604800; HttpOnly; SameSite=Lax; Secure',
  },
  {
    name: 'over http, strict',
    options: { cookie: 'session_id', sameSite: 'strict', secure: false },
    expected: 'session_id=abc; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict',
  },
  {
    name: 'for other sites',
    options: { cookie: 'session_id', sameSite: 'none', secure: true },
    expected: 'session_id=abc; Path=/; Max-Age=604800; HttpOnly; SameSite=None; Secure',
  },
] as const)('$name', ({ options, expected }) => {
  expect(serializeSessionCookie(options, 'abc', 7 * 86_400_000)).toBe(expected)
  const clearing = serializeClearingCookie(options)
  expect(clearing).toBe(expected.replace('=abc;', '=;').replace('Max-Age=604800', 'Max-Age=0'))
})

test('a lifetime is cut to whole seconds: the browser never keeps it longer than we do', () => {
  const options = { cookie: 's', sameSite: 'lax', secure: false } as const
  expect(serializeSessionCookie(options, 'v', 1999)).toContain('Max-Age=1;')
})
