/** A key with a quota while the database is away: storage is asked for one thing in a request, and not for the next. */
import { expect, test } from 'bun:test'
import { addKey } from '../support/test-app.ts'
import { createApp, TTL } from './support.ts'

test('what is believed from memory has what was claimed, and asks for no more', async () => {
  await using t = await createApp()
  const { headers } = await addKey(t, { monthlyQuota: 1000 })
  const ask = async () => (await t.ask('/key', { headers })).said
  // The first claim brings one, the second a hundredth of what is left.
  expect([await ask(), await ask()]).toEqual(['200', '200'])
  t.outage.isAway = true
  t.pass(TTL)
  t.outage.asked.length = 0
  const said: string[] = []
  for (let times = 0; times < 10; times += 1) said.push(await ask())
  expect(said).toEqual([
    ...Array.from({ length: 8 }, () => '200'),
    ...Array.from({ length: 2 }, () => '503 storage_unavailable'),
  ])
  expect(t.outage.asked.filter((verb) => verb === 'keys.findWithOwner')).toHaveLength(1)
  t.outage.isAway = false
  t.pass(1000)
  expect(await ask()).toBe('200')
})
