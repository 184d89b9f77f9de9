/** Sessions end when they are idle, also while nobody can write down that they were used. */
import { expect, test } from 'bun:test'
import { addSession } from '../support/test-app.ts'
import { createApp } from './support.ts'

const IDLE = 120_000
const OPTIONS = { sessions: { idleTtl: '2m' } }

async function warmUp() {
  const t = await createApp(OPTIONS)
  const { headers } = await addSession(t, t.bob.id)
  const ask = async () => (await t.ask('/session', { headers })).said
  expect(await ask()).toBe('200')
  t.outage.isAway = true
  return { t, ask }
}

test('one in use goes on during an outage, and after it', async () => {
  const { t, ask } = await warmUp()
  await using _app = t
  for (let passed = 0; passed < 2 * IDLE; passed += IDLE / 4) {
    t.pass(IDLE / 4)
    expect(await ask()).toBe('200')
  }
  t.outage.isAway = false
  t.pass(IDLE - 1)
  expect(await ask()).toBe('200')
})

test('one that was idle is served no more: another process may have seen it, which only the database knows', async () => {
  const { t, ask } = await warmUp()
  await using _app = t
  t.pass(IDLE)
  expect(await ask()).toBe('503 storage_unavailable')
  expect(await ask()).toBe('503 storage_unavailable')
  t.outage.isAway = false
  expect(await ask()).toBe('401 session_expired')
})

test('that it was used is written once a second at most until the database takes it', async () => {
  const { t, ask } = await warmUp()
  await using _app = t
  const takeTouches = () => t.outage.asked.splice(0).filter((verb) => verb === 'sessions.touch').length
  t.pass(IDLE / 4)
  for (const touches of [1, 0, 0]) {
    expect(await ask()).toBe('200')
    expect(takeTouches()).toBe(touches)
  }
  t.pass(1000)
  t.outage.isAway = false
  expect(await ask()).toBe('200')
  const [session] = t.memory.rows.sessions.values()
  expect(session?.lastSeenAt).toBe(t.time.now)
})
