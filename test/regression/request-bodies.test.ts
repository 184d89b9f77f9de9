/** Bodies that make a validator stumble: refused as wrong, not with a 500, and not at a price. */
import { expect, spyOn, test } from 'bun:test'
import { withLog } from '../guards/support.ts'
import { asMaster, createTestApp } from '../support/test-app.ts'

const MEMBERS: readonly (readonly [string, string])[] = [
  ['/auth/login', 'email'],
  ['/auth/sessions', 'password'],
  ['/auth/refresh', 'refresh_token'],
  ['/auth/logout', 'refresh_token'],
  ['/auth/token/refresh', 'refresh_token'],
]

test.each(MEMBERS)('%s: a value that cannot be made a text is a wrong one', async (path, member) => {
  await using t = await createTestApp()
  const { result, log } = await withLog(async () => [
    (await t.ask(path, { body: { [member]: { toString: 1 } } })).said,
    (await t.ask(path, { body: { [member]: [{ toString: 1 }] } })).said,
  ])
  expect(result).toEqual(['422 validation_failed', '422 validation_failed'])
  expect(log).toEqual([])
})

test('a body of 24 KB nested 4000 levels deep is not written out as one of 64 MB', async () => {
  await using t = await createTestApp()
  const { stringify } = JSON
  let longest = 0
  const spy = spyOn(JSON, 'stringify').mockImplementation(((...given: Parameters<typeof stringify>) => {
    const text = stringify(...given)
    longest = Math.max(longest, text?.length ?? 0)
    return text
  }) as typeof stringify)
  try {
    const raw = `{"email":${'['.repeat(4000)}${']'.repeat(4000)}}`
    const { status } = await t.ask('/auth/login', { raw })
    expect([400, 422]).toContain(status)
  } finally {
    spy.mockRestore()
  }
  expect(longest).toBeLessThan(1_000_000)
})

test('a list with thousands of mistakes is not answered with thousands of lines', async () => {
  await using t = await createTestApp()
  const body = { permissions: Array.from({ length: 20_000 }, () => 1) }
  const answer = await t.ask('/auth/token/new', { headers: asMaster, body })
  expect(answer.said).toBe('422 validation_failed')
  expect(answer.text.length).toBeLessThan(100_000)
})
