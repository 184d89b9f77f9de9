/** SECURITY P45: whether a request that a browser authenticates by cookie was meant by a page of ours. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { isSameOrigin, isUnsafeRequest } from '../../src/credentials/origin.ts'

const TRUSTED = ['https://app.example', 'http://localhost:5173']
const judge = (headers: Record<string, string>) => isSameOrigin(new Headers(headers), TRUSTED)

describe('isSameOrigin', () => {
  test.each<[headers: Record<string, string>, expected: boolean]>([
    // Both absent: not a browser.
    [{}, true],
    [{ host: 'api.example' }, true],
    // The browser says so.
    [{ 'sec-fetch-site': 'same-origin' }, true],
    [{ 'sec-fetch-site': 'none' }, true],
    [{ 'sec-fetch-site': 'same-origin', origin: 'https://evil.example', host: 'api.example' }, true],
    [{ 'sec-fetch-site': 'cross-site' }, false],
    [{ 'sec-fetch-site': 'same-site' }, false],
    [{ 'sec-fetch-site': '' }, false],
    [{ 'sec-fetch-site': 'SAME-ORIGIN' }, false],
    [{ 'sec-fetch-site': 'same-origin, cross-site' }, false],
    [{ 'sec-fetch-site': 'anything' }, false],
    // A trusted origin.
    [{ origin: 'https://app.example', host: 'api.example' }, true],
    [{ 'sec-fetch-site': 'cross-site', origin: 'https://app.example', host: 'api.example' }, true],
    [{ 'sec-fetch-site': 'same-site', origin: 'http://localhost:5173', host: 'localhost:3000' }, true],
    [{ origin: 'http://app.example', host: 'api.example' }, false],
    [{ origin: 'https://app.example:8443', host: 'api.example' }, false],
    [{ origin: 'https://app.example.evil.example', host: 'api.example' }, false],
    [{ origin: 'https://evil.example/https://app.example', host: 'api.example' }, false],
    [{ origin: 'https://sub.app.example', host: 'api.example' }, false],
    [{ origin: 'https://app.example, https://evil.example', host: 'api.example' }, false],
    // The host itself.
    [{ origin: 'https://api.example', host: 'api.example' }, true],
    [{ origin: 'http://api.example', host: 'api.example' }, true],
    [{ origin: 'http://API.example', host: 'api.EXAMPLE' }, true],
    [{ origin: 'https://api.example', host: 'api.example:443' }, true],
    [{ origin: 'http://api.example', host: 'api.example:80' }, true],
    [{ origin: 'http://api.example:3000', host: 'api.example:3000' }, true],
    [{ origin: 'http://127.0.0.1:3000', host: '127.0.0.1:3000' }, true],
    [{ origin: 'http://[::1]:3000', host: '[::1]:3000' }, true],
    [{ origin: 'http://api.example:3001', host: 'api.example:3000' }, false],
    [{ origin: 'https://evil.example', host: 'api.example' }, false],
    [{ origin: 'https://api.example.evil.example', host: 'api.example' }, false],
    [{ origin: 'https://evil-api.example', host: 'api.example' }, false],
    [{ origin: 'https://api.example@evil.example', host: 'api.example' }, false],
    [{ origin: 'https://api.example' }, false],
    // No origin that names a host.
    [{ origin: 'null', host: 'api.example' }, false],
    [{ origin: 'null' }, false],
    [{ origin: '', host: 'api.example' }, false],
    [{ origin: '', host: '' }, false],
    [{ origin: 'api.example', host: 'api.example' }, false],
    [{ origin: '//api.example', host: 'api.example' }, false],
    [{ origin: 'https://', host: 'api.example' }, false],
    [{ origin: 'data:text/html,x', host: '' }, false],
    [{ origin: 'file:///x', host: '' }, false],
    [{ origin: 'about:blank', host: '' }, false],
    [{ origin: 'not a url', host: 'not a url' }, false],
  ])('%j: %p', (headers, expected) => {
    expect(judge(headers)).toBe(expected)
  })

  test('never throws, and lets in no stranger', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', '.', ':', '/', '@', '8', '0'), maxLength: 8 })
    fc.assert(
      fc.property(word, word, (origin, host) => {
        const stranger = `https://evil.example${origin === '' ? '' : `/${origin}`}`
        expect(judge({ origin: stranger, host: `x${host}` })).toBe(false)
        expect(typeof judge({ origin, host })).toBe('boolean')
      }),
      { numRuns: 250 },
    )
  })
})

describe('isUnsafeRequest', () => {
  test.each(['GET', 'HEAD', 'OPTIONS'])('%s changes nothing, unless it upgrades', (method) => {
    expect(isUnsafeRequest(new Request('http://localhost/', { method }))).toBe(false)
    const upgrade = new Request('http://localhost/', { method, headers: { upgrade: 'websocket' } })
    expect(isUnsafeRequest(upgrade)).toBe(true)
  })

  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'QUERY', 'LOCK'])('%s may change something', (method) => {
    expect(isUnsafeRequest(new Request('http://localhost/', { method }))).toBe(true)
  })
})
