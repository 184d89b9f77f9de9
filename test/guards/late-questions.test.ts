/** `auth` calls after the answer has begun, in streams and open sockets, with a key that has a quota. */
import { afterAll, describe, expect, test } from 'bun:test'
import type { Auth } from '../../src/guards/auth.ts'
import { addKey, createTestApp } from '../support/test-app.ts'

/** Asks so often at once, and says what came of it. */
async function askAtOnce(auth: Pick<Auth, 'apiKey'>, times: number): Promise<string> {
  const asked = Array.from({ length: times }, () =>
    auth.apiKey().then(
      () => 'proven',
      ({ code }) => String(code),
    ),
  )
  return (await Promise.all(asked)).join()
}

const t = await createTestApp({}, (app) =>
  app
    .get('/late/:times', async function* ({ auth, params }) {
      yield 'begun '
      await Bun.sleep(1)
      yield await askAtOnce(auth, Number(params.times))
    })
    .get('/other', async function* ({ auth }) {
      yield 'begun '
      await Bun.sleep(1)
      yield (await auth.optionalUser().catch(({ code }) => code)) ?? 'nobody'
    })
    .ws('/socket', {
      open: (ws) => void ws.send('open'),
      message: async (ws, times) => void ws.send(await askAtOnce(ws.data.auth, Number(times))),
    }),
)
afterAll(t.close)

const LIMITS = [
  ['credits', (uses: number) => ({ credits: { remaining: uses } })],
  ['a monthly quota', (uses: number) => ({ monthlyQuota: uses })],
  ['both', (uses: number) => ({ credits: { remaining: uses }, monthlyQuota: uses })],
] as const

/** Uses that are left, found out by using them up. */
async function useUp(headers: Readonly<Record<string, string>>): Promise<number> {
  let uses = 0
  while ((await t.ask('/key', { headers })).status === 200) uses += 1
  return uses
}

describe.each(LIMITS)('a key with %s', (_, limitedTo) => {
  test.each([1, 3])('that a stream asks for %d times at once is counted once', async (times) => {
    const { headers } = await addKey(t, limitedTo(5))
    const { text } = await t.ask(`/late/${times}`, { headers })
    expect(text).toBe(`begun ${Array(times).fill('proven').join()}`)
    expect(await useUp(headers)).toBe(4)
  })

  test('that is used up is refused there as everywhere', async () => {
    const { headers } = await addKey(t, limitedTo(1))
    expect(await useUp(headers)).toBe(1)
    expect((await t.ask('/late/2', { headers })).text).toBe('begun quota_exceeded,quota_exceeded')
  })

  test('over its rate there gives its use back', async () => {
    const { headers } = await addKey(t, { ...limitedTo(3), rateLimit: { limit: 1, window: '1m' } })
    expect((await t.ask('/key', { headers })).status).toBe(200)
    expect((await t.ask('/late/1', { headers })).text).toBe('begun rate_limited')
    const uses: number[] = []
    for (let minute = 0; minute < 3; minute += 1) {
      t.time.now += 60_000
      uses.push((await t.ask('/key', { headers })).status)
    }
    expect(uses).toEqual([200, 200, 429])
  })

  test('in an open socket is counted once, however many messages ask', async () => {
    const { headers } = await addKey(t, limitedTo(5))
    const said: unknown[] = []
    await new Promise<void>((resolve, reject) => {
      // Bun's WebSocket takes headers; the type of browsers does not know them.
      const socket = new WebSocket(`${t.origin.replace('http', 'ws')}/socket`, { headers } as unknown as string[])
      socket.onerror = reject
      socket.onmessage = ({ data }) => {
        said.push(data)
        if (said.length < 4) return socket.send(String(said.length))
        socket.close()
        resolve()
      }
    })
    expect(said).toEqual(['open', 'proven', 'proven,proven', 'proven,proven,proven'])
    expect(await useUp(headers)).toBe(4)
  })
})

test('a question that needs no key takes no use', async () => {
  const { headers } = await addKey(t, { credits: { remaining: 2 } })
  expect((await t.ask('/other', { headers: { cookie: 'session_id=x' } })).text).toBe('begun nobody')
  expect(await useUp(headers)).toBe(2)
})
