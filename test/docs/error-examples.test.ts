/** Every example of `docs/errors` is what the server answers: each refusal is provoked, and compared with its page. */
import { expect, test } from 'bun:test'
import { ERROR_CODES } from '../../src/errors.ts'
import { withLog } from '../guards/support.ts'
import { createTestApp, type Json } from '../support/test-app.ts'
import { readErrorPage } from './error-pages.ts'
import { PROVOCATIONS, type Provocation } from './provocations.ts'

/** Headers of the connection, not of the answer. */
const OF_THE_CONNECTION = new Set(['date', 'content-length', 'connection', 'keep-alive', 'transfer-encoding'])

/** `…` where the page has it: ids are different every time. */
function withGaps(real: Json, shown: Json): Json {
  return Object.fromEntries(Object.entries(real).map(([name, value]) => [name, shown[name] === '…' ? '…' : value]))
}

async function answerTo({ options, provoke }: Provocation) {
  await using t = await createTestApp(options)
  return await provoke(t)
}

test.each([...ERROR_CODES])('%s', async (code) => {
  const { example } = readErrorPage(code)
  const { result } = await withLog(() => answerTo(PROVOCATIONS[code]))
  const headers = Object.fromEntries([...result.headers].filter(([name]) => !OF_THE_CONNECTION.has(name)))
  expect(result.said).toBe(`${example.status} ${code}`)
  expect(withGaps(result.json, example.body)).toEqual(example.body)
  expect(withGaps(headers, example.headers)).toEqual(example.headers)
})
