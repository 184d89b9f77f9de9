/** What an app says is not storage's: its own functions that fail are answered as ever while the database is away. */
import { expect, test } from 'bun:test'
import { MachineAuthError } from '../../src/index.ts'
import { withLog } from '../guards/support.ts'
import { addKey, withBearer } from '../support/test-app.ts'
import { createApp, STALENESS, TTL } from './support.ts'

const ask = async (t: Awaited<ReturnType<typeof createApp>>, path: string, headers: Record<string, string>) => {
  const { result } = await withLog(() => t.ask(path, { headers }))
  return result.said
}

test.each([
  ['with an error of its own', new Error('its database is away'), '500 internal_error'],
  ['as if it were storage', new MachineAuthError('storage_unavailable'), '503 storage_unavailable'],
])('a verifier of its own that fails %s is not made up for', async (_, failure, said) => {
  const app = { isAway: false }
  await using t = await createApp({
    bearer: {
      verify(text) {
        if (app.isAway) throw failure
        return text === 'opaque-of-the-app' ? { permissions: ['*'], expiresAt: t.time.now + STALENESS } : null
      },
    },
  })
  const headers = withBearer('opaque-of-the-app')
  expect(await ask(t, '/users', headers)).toBe('200')
  app.isAway = true
  expect(await ask(t, '/users', headers)).toBe('200')
  t.pass(TTL)
  expect(await ask(t, '/users', headers)).toBe(said)
})

test('users are asked for on every request: what the app says last counts, also of a key that is believed', async () => {
  const app = { roles: ['admin'], isAway: false }
  await using t = await createApp({
    users: {
      load(id) {
        if (app.isAway) throw new Error('its database is away')
        return { id, roles: app.roles }
      },
    },
  })
  const { headers } = await addKey(t, { userId: 'user_of_the_app', permissions: ['*'] })
  expect(await ask(t, '/admin', headers)).toBe('200')
  t.outage.isAway = true
  t.pass(TTL)
  expect(await ask(t, '/admin', headers)).toBe('200')
  app.roles = ['user']
  expect(await ask(t, '/admin', headers)).toBe('403 role_required')
  app.isAway = true
  expect(await ask(t, '/admin', headers)).toBe('500 internal_error')
})
