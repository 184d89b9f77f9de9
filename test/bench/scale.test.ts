import { describe, expect, test } from 'bun:test'
import { parseLoad } from '../../bench/scale/load.ts'
import { parseLookups } from '../../bench/scale/server.ts'
import { keyTextOf, shownOf } from '../../bench/scale/texts.ts'
import { parseApiKey } from '../../src/credentials/api-key-format.ts'

const SAID = (latency: string, rest = '') => `Running 4s test @ http://127.0.0.1:1/
  1 threads and 32 connections
  Latency Distribution
     50%  ${latency}
     99%    1.50ms
  1200 requests in 4.00s, 1.00MB read
${rest}Requests/sec:    300.25
`

describe('parseLoad', () => {
  const cases = [
    { name: 'microseconds', said: SAID('250.00us'), expected: { median: 0.25, refused: 0 } },
    { name: 'milliseconds', said: SAID('2.50ms'), expected: { median: 2.5, refused: 0 } },
    { name: 'seconds', said: SAID('1.20s'), expected: { median: 1200, refused: 0 } },
    {
      name: 'refusals',
      said: SAID('1.00ms', '  Non-2xx or 3xx responses: 7\n'),
      expected: { median: 1, refused: 7 },
    },
  ]
  test.each(cases)('$name', ({ said, expected }) => {
    expect(parseLoad(said)).toEqual({ requestsPerSecond: 300.25, requests: 1200, p99: 1.5, ...expected })
  })

  test('says what was said when it cannot be read', () => {
    expect(() => parseLoad('unable to connect')).toThrow('unable to connect')
  })
})

describe('keyTextOf', () => {
  test('makes keys that this library could have made, each with its own id', () => {
    const texts = Array.from({ length: 500 }, (_, index) => keyTextOf(index))
    const ids = texts.map((text, index) => {
      expect(text.startsWith(shownOf(index))).toBe(true)
      return parseApiKey('mac', text)?.id
    })
    expect(ids).not.toContain(undefined)
    expect(new Set(ids).size).toBe(500)
    expect(keyTextOf(7)).toBe(texts[7] ?? '')
  })
})

test('parseLookups takes those of API keys, and no others', () => {
  const text = [
    'machine_auth_cache_lookups_total{cache="jwt",result="hit"} 9',
    'machine_auth_cache_lookups_total{cache="api_key",result="hit"} 12',
    'machine_auth_cache_lookups_total{cache="api_key",result="miss"} 3',
  ].join('\n')
  expect(parseLookups(text)).toEqual({ hits: 12, misses: 3 })
})
