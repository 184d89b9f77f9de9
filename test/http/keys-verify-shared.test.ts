/** `/keys/verify` with counts that several processes share. */
import { expect, test } from 'bun:test'
import { MemorySharedLimits } from '../support/shared-limits.ts'
import { addKey, asMaster, createTestApp } from '../support/test-app.ts'

const RATE = { limit: 3, window: '1m' } as const

test('a use counts for the key’s rate as a request with it does, in one question', async () => {
  const shared = new MemorySharedLimits()
  await using t = await createTestApp({}, undefined, shared)
  const key = await addKey(t, { rateLimit: RATE })
  const verify = async () => {
    const { json } = await t.ask('/auth/keys/verify', { headers: asMaster, body: { key: key.rawKey, consume: true } })
    return [json.code, json.remaining]
  }
  expect([await verify(), await verify()]).toEqual([
    ['valid', 2],
    ['valid', 1],
  ])
  expect((await t.ask('/key', { headers: key.headers })).said).toBe('200')
  expect(await verify()).toEqual(['rate_limited', 0])
  expect(shared.calls.hits.map((claims) => claims.length)).toEqual([1, 1, 1, 1])
})

test('what cannot be counted is no answer, and uses nothing up', async () => {
  const shared = new MemorySharedLimits()
  await using t = await createTestApp({}, undefined, shared)
  const key = await addKey(t, { rateLimit: RATE, monthlyQuota: 2 })
  const verify = (consume: boolean) =>
    t.ask('/auth/keys/verify', { headers: asMaster, body: { key: key.rawKey, consume } })
  shared.isAway = true
  for (let time = 0; time < 4; time += 1) expect((await verify(true)).said).toBe('503 storage_unavailable')
  expect((await verify(false)).json.code).toBe('valid')
  shared.isAway = false
  expect([(await verify(true)).json.code, (await verify(true)).json.code]).toEqual(['valid', 'valid'])
  expect((await verify(true)).json.code).toBe('quota_exceeded')
})
