/** A text that is looked through once is redacted the same the second time, and others' names change nothing. */
import { expect, test } from 'bun:test'
import { redactRepeated } from '../../../src/recording/requests/harmless-texts.ts'
import { redactText } from '../../../src/recording/requests/redaction.ts'
import { createSecretNames } from '../../../src/recording/requests/secret-names.ts'

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJlLW9mLWEtdGVzdA'

const TEXTS = [
  'application/json',
  'Mozilla/5.0 (X11; Linux x86_64)',
  'https://example.com/a?password=hunter2',
  `token ${JWT}`,
  'lamp=on; visitor=alice',
  `${'a '.repeat(200)}password=hunter2`,
]

test.each(TEXTS)('%s', (text) => {
  const { secrets } = createSecretNames([], [])
  const expected = redactText(text, secrets)
  expect([1, 2, 3].map(() => redactRepeated(text, secrets))).toEqual([expected, expected, expected])
})

test('what is harmless where a name is none of the secrets is redacted where it is one', () => {
  const text = 'visitor=alice'
  const [plain, named] = [createSecretNames([], []).secrets, createSecretNames([], ['visitor']).secrets]
  expect(redactRepeated(text, plain)).toBe(text)
  expect(redactRepeated(text, named)).not.toContain('alice')
  expect(redactRepeated(text, plain)).toBe(text)
})

test('a flood of texts changes nothing of what is redacted', () => {
  const { secrets } = createSecretNames([], [])
  for (let index = 0; index < 2500; index += 1) redactRepeated(`agent ${index}`, secrets)
  expect(redactRepeated('password=hunter2', secrets)).not.toContain('hunter2')
  expect(redactRepeated('agent 1', secrets)).toBe('agent 1')
})
