/** Two API keys are refused whether or not they were seen before. */
import { expect, test } from 'bun:test'
import { addKey, createTestApp } from '../support/test-app.ts'

test('in two configured headers, at the first request as at the second', async () => {
  await using t = await createTestApp({ apiKeys: { headers: ['x-api-key', 'x-other-key'] } })
  const first = await addKey(t)
  const second = await addKey(t)
  for (const other of [second.rawKey, 'garbage']) {
    const { rawKey } = await addKey(t)
    const headers = { 'x-api-key': rawKey, 'x-other-key': other }
    expect((await t.ask('/key', { headers })).said).toBe('400 request_malformed')
    expect((await t.ask('/key', { headers })).said).toBe('400 request_malformed')
  }
  expect((await t.ask('/key', { headers: first.headers })).said).toBe('200')
})
