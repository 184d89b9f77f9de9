/** A useless `Authorization` beside a good key or session made a limit by user count by address: a new limit each time. */
import { expect, test } from 'bun:test'
import { addKey, addPeople, addSession, addTokens, createTestApp } from '../support/test-app.ts'

const BY_USER = { limit: 2, window: '1m', by: 'user' } as const

test('whom the guard asks for is counted, whatever else the request presents', async () => {
  await using t = await createTestApp({}, (app) =>
    app
      .get('/by-key', () => 'ok', { apiKey: true, rateLimit: BY_USER })
      .get('/by-session', () => 'ok', { session: true, rateLimit: BY_USER }),
  )
  const { alice, bob } = await addPeople(t)
  const key = await addKey(t, { userId: alice.id })
  const session = await addSession(t, alice.id)
  const other = await addTokens(t, bob.id)
  const useless = { authorization: 'Basic Zm9vOmJhcg==' }
  for (const [path, headers] of [
    ['/by-key', key.headers],
    ['/by-session', session.headers],
  ] as const) {
    const heard: string[] = []
    for (const more of [{}, useless, other.headers, useless, {}]) {
      heard.push((await t.ask(path, { headers: { ...headers, ...more } })).said)
    }
    expect(heard).toEqual(['200', '200', '429 rate_limited', '429 rate_limited', '429 rate_limited'])
  }
})
