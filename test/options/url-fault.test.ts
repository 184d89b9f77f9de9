/** A URL that cannot be used is told by what is wrong with it, and never shown: any part may be a password. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { faultOfDatabase, parseDatabase } from '../../src/options/database.ts'
import { faultOfRedis } from '../../src/options/redis.ts'
import { failure, SECRET } from './support.ts'

const USERINFO = /^has a user or password with characters that must be percent-encoded: .*%2F.*%23.*%40/
const PORT = /^has a port/

describe('what is wrong with a URL', () => {
  test.each<[string, RegExp | null]>([
    ['//app:hunter/2@host', USERINFO],
    ['//app:1/hunter2@host', USERINFO],
    ['//app:hunter?2@host', USERINFO],
    ['//app:1#hunter2@host', USERINFO],
    ['//:hunter#2@host:5432/0', USERINFO],
    ['//app:hunter2%@host', USERINFO],
    ['//app:hunter2%zz@host/0', USERINFO],
    ['//app:hunter2@host:99999/0', PORT],
    ['//app:hunter2@host:0/0', PORT],
    ['//app:hunter2@host:port', PORT],
    ['//app:hunter2@', /^names no host$/],
    ['//', /^names no host$/],
    ['//a:5432,b:5432/0', /^is not a valid URL$/],
    ['//host', null],
    ['//app:hunter2@host:5432/0', null],
    ['//app:h%2Fu%40n%23ter2@[::1]:5432/0', null],
    // The last one counts, in every URL parser.
    ['//app:hunter@2@host', null],
  ])('%s', (rest, fault) => {
    for (const found of [faultOfDatabase(`postgres:${rest}`), faultOfRedis(`redis:${rest}`)]) {
      if (fault === null) expect(found).toBeNull()
      else expect(found).toMatch(fault)
    }
  })

  test.each<[string, RegExp | null]>([
    ['postgres://app@host/app?sslmode=verifyfull', /^has an sslmode that is none of disable, .*verify-full$/],
    ['postgres://app@host/app?application_name=a@b', null],
    ['postgres://host/app?user=app@host', null],
    ['postgres://host?user=app@host', null],
    ['postgres://host/a b', null],
    ['sqlite:', /^names no file$/],
    ['mysql://root@host', null],
    ['hunter2', null],
  ])('of a database: %s', (text, fault) => {
    if (fault === null) expect(faultOfDatabase(text)).toBeNull()
    else expect(faultOfDatabase(text)).toMatch(fault)
  })

  test.each<[string, RegExp | null]>([
    ['redis://host/main', /^has a path that is no number/],
    ['redis://host/0?tls=true', /^has parameters/],
    ['redis://host/0#x', /^has a fragment/],
    ['redis://host\n', /^has a space or a line break$/],
    ['http://host', null],
  ])('of a Redis: %j', (text, fault) => {
    if (fault === null) expect(faultOfRedis(text)).toBeNull()
    else expect(faultOfRedis(text)).toMatch(fault)
  })

  test('is told with the option, and nothing of the URL but its scheme', () => {
    const options = { database: 'postgres://app:hunter/2@host/app', redis: 'rediss://:hunter#2@host' }
    const { mistakes, message } = failure({ options: { secret: SECRET, ...options } })
    expect(mistakes.map(({ path }) => path)).toEqual(['database', 'redis'])
    expect(mistakes.map(({ given }) => given.split(': ')[0])).toEqual([
      '"postgres:***", which has a user or password with characters that must be percent-encoded',
      '"rediss:***", which has a user or password with characters that must be percent-encoded',
    ])
    expect(message).not.toContain('hunter')
    expect(() => parseDatabase(options.database)).toThrow(/percent-encoded/)
  })

  test('shows nothing, whatever is given', () => {
    const secret = fc.stringMatching(/^[0-9]{14}$/)
    const around = fc.string({ unit: fc.constantFrom(...'ab/?#@:%[].= '), maxLength: 12 })
    fc.assert(
      fc.property(around, secret, around, (before, password, after) => {
        const rest = `//${before}${password}${after}`
        for (const fault of [faultOfDatabase(`postgres:${rest}`), faultOfRedis(`redis:${rest}`)]) {
          expect(fault ?? '').not.toContain(password)
        }
      }),
    )
  })

  test('finds nothing in a password that is percent-encoded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (password) => {
        const rest = `//app:${encodeURIComponent(password)}@host:5432/0`
        expect([faultOfDatabase(`postgres:${rest}`), faultOfRedis(`redis:${rest}`)]).toEqual([null, null])
      }),
    )
  })
})
