/** `override`: on some routes another limit takes the place of a key's own. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { addKey, createTestApp, type TestApp } from '../support/test-app.ts'

const OWN = { limit: 2, window: '1m' }

describe('a limit with override', () => {
  let t: TestApp
  beforeAll(async () => {
    t = await createTestApp({}, (app) =>
      app
        .get('/wide', () => 'wide', {
          apiKey: true,
          rateLimit: { limit: 4, window: '1m', by: 'apiKey', override: true },
        })
        // The guard stands first: the limit counts before it all the same.
        .get('/beside', () => 'beside', {
          requirePermission: 'users.view',
          rateLimit: { limit: 9, window: '1m', by: 'apiKey' },
        }),
    )
  })
  afterAll(() => t.close())

  async function statuses(path: string, headers: Readonly<Record<string, string>>, count: number) {
    const answers: string[] = []
    for (let index = 0; index < count; index += 1) answers.push((await t.ask(path, { headers })).said)
    return answers
  }

  test('lets a key through more often than its own limit, and does not use that up', async () => {
    const key = await addKey(t, { rateLimit: OWN, permissions: ['users.view'] })
    expect(await statuses('/wide', key.headers, 5)).toEqual(['200', '200', '200', '200', '429 rate_limited'])
    expect(await statuses('/key', key.headers, 3)).toEqual(['200', '200', '429 rate_limited'])
  })

  test('is not meant by a limit without it: both count', async () => {
    const key = await addKey(t, { rateLimit: OWN, permissions: ['users.view'] })
    expect(await statuses('/beside', key.headers, 3)).toEqual(['200', '200', '429 rate_limited'])
  })

  test('leaves quotas and credits in force', async () => {
    const metered = await addKey(t, { rateLimit: OWN, monthlyQuota: 3 })
    expect(await statuses('/wide', metered.headers, 4)).toEqual(['200', '200', '200', '429 quota_exceeded'])
    const counted = await addKey(t, { rateLimit: OWN, credits: { remaining: 1 } })
    expect(await statuses('/wide', counted.headers, 2)).toEqual(['200', '429 quota_exceeded'])
  })

  test('is told in the headers in place of the key\u2019s own', async () => {
    const key = await addKey(t, { rateLimit: OWN })
    const { headers } = await t.ask('/wide', { headers: key.headers })
    expect(headers.get('ratelimit-policy')).toBe('"apiKey-4-1m";q=4;w=60')
    expect(headers.get('x-ratelimit-limit')).toBe('4')
  })

  test('is refused where nothing is overridden', () => {
    const wrong = { limit: 4, window: '1m', override: true } as const
    expect(() => t.app.get('/wrong', () => '', { rateLimit: wrong })).toThrow("override is for by: 'apiKey'")
  })
})
