import { expect, test } from 'bun:test'
import { serializeCookie } from 'elysia/cookies'
import { type CookieOptions, clearSessionCookie, setSessionCookie } from '../../src/sessions/cookie.ts'

/** The header that Elysia makes of it. */
function headerOf(options: CookieOptions, value: string, ttl: number) {
  const set = {}
  if (value === '') clearSessionCookie(set, options)
  else setSessionCookie(set, options, value, ttl)
  return serializeCookie((set as { cookie: Parameters<typeof serializeCookie>[0] }).cookie)
}

test.each([
  {
    name: 'over https',
    options: { cookie: '__Host-session_id', sameSite: 'lax', secure: true },
    expected: '__Host-session_id=abc; Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=Lax',
  },
  {
    name: 'over http, strict',
    options: { cookie: 'session_id', sameSite: 'strict', secure: false },
    expected: 'session_id=abc; Max-Age=604800; Path=/; HttpOnly; SameSite=Strict',
  },
  {
    name: 'for other sites',
    options: { cookie: 'session_id', sameSite: 'none', secure: true },
    expected: 'session_id=abc; Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=None',
  },
] as const)('$name', ({ options, expected }) => {
  expect(headerOf(options, 'abc', 7 * 86_400_000)).toBe(expected)
  const clearing = headerOf(options, '', 0)
  expect(clearing).toBe(expected.replace('=abc;', '=;').replace('Max-Age=604800', 'Max-Age=0'))
})

test('a lifetime is cut to whole seconds: the browser never keeps it longer than we do', () => {
  const options = { cookie: 's', sameSite: 'lax', secure: false } as const
  expect(headerOf(options, 'v', 1999)).toContain('Max-Age=1;')
})
