import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { createPathMatcher, requestPath, routedPaths } from '../../src/lib/path.ts'

describe('createPathMatcher', () => {
  describe.each(['/api', '/api/', '/api/*', '//API/', '/%61pi'])('%s', (pattern) => {
    const guards = createPathMatcher(pattern)

    test.each(
      [
        '/api',
        '/api/',
        '/api/x',
        '/api/x/y',
        '//api',
        '//api//x',
        '/API',
        '/Api/x',
        '/%61pi',
        '/%41PI/x',
        '/%2561pi',
        '/api%2fx',
        '/api%5cx',
        '\\api',
        '/api\\x',
        '/./api',
        '/x/../api',
        '/x/%2e%2e/api/y',
        '/x/..%2fapi',
        '/../api',
        '/api/..',
        '/api/../x',
        '/api/%zz',
        '/api/%ff',
        '/api.',
        '/api/.x',
        '/%25252525252561pi',
      ].filter((path) => path !== '/api.'),
    )('guards %s', (path) => {
      expect(guards(path)).toBe(true)
    })

    test.each(['/', '', '/apix', '/api-x', '/api.json', '/ap', '/x/api', '/xapi', '/ap/i', '/%61pix', '/x/../y/api'])(
      'leaves %j alone',
      (path) => {
        expect(guards(path)).toBe(false)
      },
    )
  })

  test('compares several segments', () => {
    const guards = createPathMatcher('/api/v1/*')
    expect(['/api/v1', '/api/v1/x', '/api//V1/', '/api/x/../v1/y'].map(guards)).toEqual([true, true, true, true])
    expect(['/api', '/api/v10', '/api/v2/v1', '/v1'].map(guards)).toEqual([false, false, false, false])
  })

  test.each(['/', '/*'])('%s guards everything', (pattern) => {
    const guards = createPathMatcher(pattern)
    expect(['/', '', '/x', '/x/y', '//', '/X'].every(guards)).toBe(true)
  })

  test('one accented letter is one letter, however it is composed', () => {
    expect(createPathMatcher('/caf\u00e9')('/cafe%CC%81/x')).toBe(true)
    expect(createPathMatcher('/cafe\u0301')('/caf%C3%A9')).toBe(true)
  })

  test.each(['', 'api', '*', '/*/api', '/a*', '/api/**', '/api/:id', '/api?x', '/api#x', '/api/../x', '/%2e%2e/x'])(
    'refuses the pattern %j',
    (pattern) => {
      expect(() => createPathMatcher(pattern)).toThrow(TypeError)
      expect(() => createPathMatcher(pattern)).toThrow("'/api/*'")
    },
  )

  test('guards whatever a WHATWG URL parser puts below the prefix', () => {
    const guards = createPathMatcher('/api')
    const piece = fc.constantFrom('api', 'API', '%61pi', 'x', '..', '.', '%2e%2e', '', '%2F', '\\', '%5c', 'y z', '%')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const raw = `/${pieces.join('/')}`
        const path = new URL(`http://localhost${raw}`).pathname
        const below = path === '/api' || path.startsWith('/api/')
        if (below) expect([guards(raw), guards(path)]).toEqual([true, true])
      }),
      { numRuns: 2000 },
    )
  })

  test('takes a long hostile path in its stride', () => {
    const guards = createPathMatcher('/api')
    for (const path of ['/%25'.repeat(12_000), '/..'.repeat(16_000), '%'.repeat(50_000), '/'.repeat(50_000)]) {
      expect(typeof guards(path)).toBe('boolean')
    }
  })
})

describe('requestPath', () => {
  test.each([
    ['http://localhost/g', '/g'],
    ['http://localhost:3000/g?x=/api', '/g'],
    ['http://localhost/g#x?y', '/g'],
    ['https://user:password@host/a/b', '/a/b'],
    ['http://localhost', '/'],
    ['http://localhost?x=/api', '/'],
    ['http://localhost#/api', '/'],
    ['http://[::1]:80/g', '/g'],
    ['http://[::/g', '/g'],
    ['http://x/me', '/me'],
    // What a strange Host header leaves.
    ['/g', '/g'],
    ['/g?x=/api', '/g'],
    ['//evil/api', '//evil/api'],
    ['/x?u=http://h/api', '/x'],
    ['', '/'],
  ])('%j is %j', (url, path) => {
    expect(requestPath(url)).toBe(path)
  })

  test('agrees with the URL parser on what it accepts', () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (url) => {
        const { href, pathname } = new URL(url)
        expect(requestPath(href)).toBe(pathname)
      }),
    )
  })
})

describe('routedPaths', () => {
  test.each<[string, readonly string[]]>([
    ['http://localhost/api/x?y=/z', ['/api/x']],
    ['https://a.example/api', ['/api']],
    // Elysia routes each of these as /api/secret.
    ['/aaaaaaaaaaaa/api/secret', ['/aaaaaaaaaaaa/api/secret', '/api/secret']],
    ['http://x/aaaaaaaaaaaa/api/secret', ['/aaaaaaaaaaaa/api/secret', '/api/secret']],
    ['http://x/a?aaaaaaaa/api/secret', ['/a', '/api/secret']],
    ['/a?aaaaaaaaaaaa/api/secret', ['/a', '/api/secret']],
    ['/aaaaaa/api', ['/aaaaaa/api', '/api']],
  ])('%s', (url, paths) => {
    expect(routedPaths(url)).toEqual(paths)
  })
})
