import { describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import fc from 'fast-check'
import { createPathMatcher } from '../../src/lib/path.ts'
import { createRouteMatcher } from '../../src/lib/route-matcher.ts'

/** Pieces of hostile paths. */
const piece = fc.constantFrom(
  ...['posts', 'POSTS', '%70osts', '%2570osts', 'likes', 'Likes', 'likes%2f', 'v2', 'x', '7', 'a%2Fb', 'a%5cb', 'a\\b'],
  ...['..', '.', '', '%2e%2e', '..%2f', '%2F', '..\\', '%', '%zz', 'y z'],
)
const hostilePath = fc.array(piece, { maxLength: 7 }).map((pieces) => `/${pieces.join('/')}`)

describe('createRouteMatcher', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ['/posts', ['/posts', '/posts/', '/posts/7', '/Posts', '/x/../posts'], ['/', '/postsx', '/x/posts', '/post/s']],
    ['/posts/:id', ['/posts/7', '/posts/7/likes', '/posts/7/', '//posts//7'], ['/posts', '/posts/', '/postsx/7']],
    ['/posts/:id/', ['/posts/7'], ['/posts/', '/posts//']],
    ['/a/:b?', ['/a', '/a/', '/a/1', '/a/1/2'], ['/', '/ab', '/b/a']],
    ['/files/*', ['/files', '/files/', '/files/x/y.txt'], ['/', '/filesx', '/x/files']],
    ['/files/*/', ['/files/x'], ['/file']],
    ['/:any', ['/x', '/X/y', '/%2e'], ['/', '', '//']],
    ['/:tenant/users', ['/acme/users', '/ACME/Users/7', '/x/../acme/users'], ['/users', '/acme/users2', '/a/b/users']],
    ['/v:version/x', ['/v2/x', '/V2/x/y', '/v%2e/x'], ['/w2/x', '/2/x', '/v2/y']],
    ['/static*', ['/static', '/static-files/x', '/STATIC/x'], ['/stati', '/x/static']],
    ['/%61pi/:id', ['/api/1', '/API/1'], ['/api', '/%61']],
    ['/urn%3Aisbn', ['/urn:isbn', '/urn%3aISBN/1'], ['/urn:issn', '/urn']],
    ['/caf\u00e9/:id', ['/cafe%CC%81/1', '/CAF%C3%89/1'], ['/cafe/1']],
    ['/', ['/', '', '/x', '//'], []],
    ['/*', ['/', '/x/y'], []],
    ['/:all?', ['/', '/x/y'], []],
  ])('%s', (pattern, inside, outside) => {
    const matches = createRouteMatcher(pattern)
    expect(inside.filter((path) => !matches(path))).toEqual([])
    expect(outside.filter(matches)).toEqual([])
  })

  describe('/posts/:id/likes', () => {
    const matches = createRouteMatcher('/posts/:id/likes')

    test.each([
      '/posts/7/likes',
      '/posts/7/likes/9',
      '/POSTS/7/Likes/',
      '//posts//7//likes',
      '/%70osts/7/%2570osts/../likes',
      '/posts\\7\\likes',
      '/posts%2f7%5clikes',
      '/./posts/7/./likes',
      '/x/../posts/7/likes',
      '/x/..%2fposts/7/likes',
      '/posts/7/x/../likes',
      '/posts/7/../8/likes',
      '/posts/7/likes/..',
      // One value to Elysia, more than one segment, or none, to others.
      '/posts/a%2Fb/likes',
      '/posts/a%252Fb%5cc/likes',
      '/posts/a\\b/likes',
      '/posts/%2F/likes',
      '/posts/./likes',
      '/posts/../likes',
      '/posts/%2e%2e/likes',
      '/posts/..%2f../likes',
      '/x/../posts/..%2fy/likes',
      '/posts/y%2f../likes',
      // Not readable: encoded too often, too many accents, too many `..`.
      '/%25252525252561',
      `/${'%CC%81'.repeat(40)}`,
      '/..'.repeat(9),
    ])('has %s inside', (path) => {
      expect(matches(path)).toBe(true)
    })

    test.each([
      '/',
      '/posts',
      '/posts/7',
      '/posts/likes',
      '/posts//likes',
      '/posts/7/likesx',
      '/posts/7/x/likes',
      '/posts/a%2Fb/x/likes',
      '/posts%2f7/x/likes',
      '/x/posts/7/likes',
      '/posts/7/../likes',
      '/posts/7%2Fx',
      '/files/a%2Fb%2Fc%2Fd/likes',
      '/x/../posts/7',
      '/posts/7/%zz',
    ])('leaves %s outside', (path) => {
      expect(matches(path)).toBe(false)
    })
  })

  test.each([
    ...['', 'posts', '*', ':id', 'http://x/posts', '\\posts'],
    ...['/posts?', '/posts?x', '/posts#x', '/a/:b?/c', '/:?', '/a/:b?c', '/a/:b??', '/:b#', '/a?/*'],
    ...['/a/*/b', '/a*b', '/a/**', '/a*/'],
    ...['/..', '/a/../b', '/a/%2e%2e/b', '/a/..%2fb', '/a\\..\\b'],
    ...['/%25252525252561', `/${'\u0301'.repeat(40)}`],
  ])('refuses the pattern %j and says what is accepted', (pattern) => {
    expect(() => createRouteMatcher(pattern)).toThrow(TypeError)
    expect(() => createRouteMatcher(pattern)).toThrow("'/posts/:id'")
  })

  test('does not repeat a long pattern in its message', () => {
    expect(() => createRouteMatcher(`/?${'x'.repeat(50_000)}`)).toThrow(/^.{0,300}$/)
  })

  test.each([
    ['/posts', '/posts'],
    ['/posts/x', '/posts/:id'],
    ['/posts/x/likes', '/posts/:id/likes'],
    ['/x/likes', '/:id/likes/*'],
    ['/v2/x', '/v:version/x'],
    ['/posts/7', '/posts/7/:id?'],
  ])('what is below %s as a rule is so for %s', (rule, pattern) => {
    const guards = createPathMatcher(rule)
    const matches = createRouteMatcher(pattern)
    fc.assert(
      fc.property(hostilePath, (path) => {
        if (guards(path)) expect(matches(path)).toBe(true)
      }),
      { numRuns: 3000 },
    )
  })

  test.each(['/posts/:id', '/posts/:id/likes', '/:id/likes', '/posts/:id?', '/posts/*', '/v:version/x', '/po*'])(
    'Elysia routes nothing to %s unseen, whatever is in front of it',
    (pattern) => {
      const matches = createRouteMatcher(pattern)
      const { router } = new Elysia().get(pattern, 'here')
      let routed = 0
      fc.assert(
        fc.property(hostilePath, (path) => {
          const url = new URL(`http://localhost${path}`)
          for (const seen of [path, url.pathname]) {
            if (router.http.find('GET', seen) === null) continue
            routed += 1
            expect([seen, matches(path), matches(seen)]).toEqual([seen, true, true])
          }
        }),
        { numRuns: 5000, examples: [['/posts/7/likes'], ['/v2/x']] },
      )
      expect(routed).toBeGreaterThan(0)
    },
  )

  test('takes a long hostile path in its stride', () => {
    const matches = createRouteMatcher('/posts/:id/:x/:y/likes')
    const start = performance.now()
    for (const unit of ['/%25', '/..', '%', '/', '/.', '%2f', '%2f.', '/posts', '%2f..%2fposts', '\u0301', '\\a']) {
      for (const ups of ['', '/..'.repeat(8)]) {
        const path = `/posts/${unit.repeat(16_384 / unit.length)}${ups}`
        expect(typeof matches(path)).toBe('boolean')
      }
    }
    expect(performance.now() - start).toBeLessThan(1000)
  })
})
