/** The session cookie reaches the browser beside an app's own cookies, and a login ends the session it replaces. */
import { expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { machineAuth } from '../../src/index.ts'
import { ALICE, addPeople, addSession, createTestApp, createTestCore, PASSWORD } from '../support/test-app.ts'

test('an app that sets a cookie on every answer does not take ours away', async () => {
  const { core } = createTestCore()
  await core.ready
  const { alice } = await addPeople({ core })
  const app = new Elysia()
    .derive({ as: 'global' }, ({ cookie }) => {
      cookie.visit?.set({ value: 'seen' })
      return {}
    })
    .use(machineAuth(core))
  const call = (method: string, path: string, headers: Record<string, string>, body?: object) =>
    app.handle(
      new Request(`http://localhost${path}`, {
        method,
        headers: { 'content-type': 'application/json', ...headers },
        ...(body && { body: JSON.stringify(body) }),
      }),
    )
  const opened = await call('POST', '/auth/sessions', {}, { email: ALICE, password: PASSWORD })
  expect(opened.status).toBe(201)
  expect(opened.headers.getSetCookie().some((cookie) => cookie.startsWith('session_id='))).toBe(true)
  const { headers } = await addSession({ core }, alice.id)
  const closed = await call('DELETE', '/auth/sessions/current', headers)
  expect(closed.status).toBe(204)
  expect(closed.headers.getSetCookie().some((cookie) => /^session_id=;.*Max-Age=0/.test(cookie))).toBe(true)
  await core.close()
})

/** @see ASVS 7.2.4 */
test('a login ends the session that the browser came with', async () => {
  await using t = await createTestApp()
  const { alice } = await addPeople(t)
  const { headers } = await addSession(t, alice.id)
  const login = await t.ask('/auth/sessions', { headers, body: { email: ALICE, password: PASSWORD } })
  expect(login.status).toBe(201)
  expect((await t.ask('/session', { headers })).said).toBe('401 session_invalid')
})
