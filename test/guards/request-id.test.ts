import { expect, test } from 'bun:test'
import { generateApiKey } from '../../src/credentials/api-key-format.ts'
import { formatRefreshToken, generateBearerToken, generateSessionText } from '../../src/credentials/secret-text.ts'
import { createRequestIds, givenRequestId } from '../../src/guards/request-id.ts'
import { randomBase62 } from '../../src/lib/base62.ts'

const given = (id: string) => givenRequestId(new Headers({ 'x-request-id': id }))
const encode = (text: string) => Buffer.from(text).toString('base64url')

test.each([
  'abcd.1-2_3',
  '6f0c1a52-7f3e-4d0b-9f55-0d6b7c1d2e3f',
  '01HV3J5Y8Q9Z7K2M4N6P8R0S2T',
  '4bf92f3577b34da6a3ce929d0e0e4736',
  'a'.repeat(128),
  createRequestIds()(),
])('%s is kept', (id) => expect(given(id)).toBe(id))

test.each(['', 'short', 'a'.repeat(129), 'with space', 'with,comma', 'ümläut-id'])('%p is not', (id) => {
  expect(given(id)).toBeNull()
})

test.each([
  ['an API key', generateApiKey('mac', 'live').raw],
  ['an API key of another prefix', generateApiKey('acme', 'test').raw],
  ['an opaque token', generateBearerToken().raw],
  ['a refresh token', formatRefreshToken('rt_0123456789abcdef', 1, randomBase62(43))],
  ['a session', generateSessionText().raw],
  ['a JWT', `${encode('{"alg":"HS256"}')}.${encode('{"sub":"u"}')}.${randomBase62(43)}`],
])('%s is no id: logs would keep it', (_, credential) => expect(given(credential)).toBeNull())
