/** Which values are secret by the name they have, or by that of their neighbour. */
import { describe, expect, test } from 'bun:test'
import { redactBody, redactText } from '../../../src/recording/requests/redaction.ts'
import { createSecretNames } from '../../../src/recording/requests/secret-names.ts'

const { secrets, credentials } = createSecretNames(['x-company-key', 'session_id'], ['iban', 'widgetTokens'])
const R = '***REDACTED***'
const inJson = (text: string, isSecret = secrets) => redactBody('json', text, isSecret)

describe('a number', () => {
  const COUNTS = [
    'max_tokens',
    'tokens',
    'prompt-tokens',
    'sessions',
    'activeSessions',
    'session_count',
    'tokenLimit',
    'token_expires_in',
    'sessionTtl',
  ]
  const SECRETS = [
    'token',
    'session',
    'secret',
    'reset_token',
    'token_secret',
    'password',
    'newPassword',
    'passwordCount',
    'pin',
    'otp',
    'key',
    'api_keys',
    'access_tokens',
    'iban',
    'iban_count',
    'widget_tokens',
    'x-company-key',
    'session_id',
  ]

  test.each(COUNTS)('stays below %s, and a text does not', (name) => {
    for (const number of ['5', '0', '-1', '3600.5']) {
      expect(inJson(`{"${name}": ${number}}`)).toBe(`{"${name}": ${number}}`)
      expect(redactText(`${name}: ${number}\nx`, secrets)).toBe(`${name}: ${number}\nx`)
    }
    for (const text of ['"hunter2"', '"5"', '["hunter2"]', '[5]', '{"a":"hunter2"}', '{"hunter2":1}']) {
      expect(inJson(`{"${name}": ${text}}`)).toBe(`{"${name}": "${R}"}`)
      // The same in JSON that is none.
      expect(redactText(`{"${name}": ${text}, x`, secrets)).not.toMatch(/hunter2|5/)
    }
    for (const text of ['hunter2', '5 hunter2', '5; hunter2', '1e99', '12345678901234567890'])
      expect(redactText(`${name}: ${text}`, secrets)).toBe(`${name}: ${R}`)
  })

  test.each(SECRETS)('does not stay below %s', (name) => {
    expect(inJson(`{"${name}": 12345}`)).toBe(`{"${name}": "${R}"}`)
    expect(redactText(`${name}: 12345`, secrets)).toBe(`${name}: ${R}`)
  })
})

describe('a pair in JSON', () => {
  test.each([
    ['a name', '{"name":"password","value":"hunter2"}', `{"name":"password","value":"${R}"}`],
    ['a key, which is a secret’s name itself', '{"key":"password","value":"x"}', `{"key":"${R}","value":"${R}"}`],
    ['the value first', '{ "value": "hunter2", "name": "Api-Key" }', `{ "value": "${R}", "name": "Api-Key" }`],
    [
      'in a list',
      '[{"name":"a","value":"b"},{"name":"token","value":1}]',
      `[{"name":"a","value":"b"},{"name":"token","value":"${R}"}]`,
    ],
    ['an object for a value', '{"value":{"a":["hunter2"]},"name":"secret"}', `{"value":"${R}","name":"secret"}`],
    [
      'other members between',
      '{"name":"iban","x":{"name":"a"},"value":"1"}',
      `{"name":"iban","x":{"name":"a"},"value":"${R}"}`,
    ],
    ['escaped names', '{"n\\u0061me":"pass\\u0077ord","Value":"x"}', `{"n\\u0061me":"pass\\u0077ord","Value":"${R}"}`],
    ['two values', '{"value":"a","name":"pin","value":"b"}', `{"value":"${R}","name":"pin","value":"${R}"}`],
    ['two names', '{"name":"pin","value":"a","name":"color"}', `{"name":"pin","value":"${R}","name":"color"}`],
    ['another name', '{"name":"color","value":"red"}', '{"name":"color","value":"red"}'],
    ['a value of a neighbour', '[{"name":"pin"},{"value":"red"}]', '[{"name":"pin"},{"value":"red"}]'],
    ['a value inside', '{"name":"pin","a":{"value":"red"}}', '{"name":"pin","a":{"value":"red"}}'],
    ['brackets in texts', '{"a":"}{\\"","name":"pin","value":"x"}', `{"a":"}{\\"","name":"pin","value":"${R}"}`],
    ['nothing at all', '{"name":"pin","value":null}', '{"name":"pin","value":null}'],
    ['no object', '"name"', '"name"'],
  ])('%s', (_, given, expected) => {
    expect(inJson(given)).toBe(expected)
    JSON.parse(inJson(given))
  })

  test('is looked at in mode raw for credentials, and what an app names', () => {
    const text = '[{"name":"cookie","value":"a"},{"name":"iban","value":"b"},{"name":"passport","value":"c"}]'
    expect(inJson(text, credentials)).toBe(
      `[{"name":"cookie","value":"${R}"},{"name":"iban","value":"${R}"},{"name":"passport","value":"c"}]`,
    )
  })

  test.each(['{"name":"pin","value":', '{"value":', '['])('nested deeply costs no more than its length: %s', (part) => {
    const time = (depth: number) => {
      const text = `${part.repeat(depth)}1${part.startsWith('[') ? ']'.repeat(depth) : '}'.repeat(depth)}`
      const run = () => {
        const start = performance.now()
        inJson(text)
        return performance.now() - start
      }
      return Math.min(run(), run(), run(), run())
    }
    time(1000)
    expect(time(16_000)).toBeLessThan(64 * Math.max(time(1000), 1))
  })
})
