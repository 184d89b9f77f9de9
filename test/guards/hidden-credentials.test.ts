/** `hideCredentials`: who is let in is known, and what he presented is seen by nobody. */
import { afterAll, describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { createMachineAuth, machineAuth } from '../../src/index.ts'
import {
  addKey,
  addPeople,
  addSession,
  addTokens,
  askServer,
  asMaster,
  createTestApp,
  type Json,
  MASTER_KEY,
  SECRET,
} from '../support/test-app.ts'
import { openSocket } from './support.ts'

const OPTIONS = {
  apiKeys: { headers: ['x-api-key', 'x-service-key'], defaultRateLimit: false },
  // A rule reads credentials before any route is found.
  protect: [{ path: '/ruled', require: { currentUser: true } }],
} as const

const KINDS = ['Authorization', 'key', 'another key header', 'master key', 'session', 'all at once'] as const
type Kind = (typeof KINDS)[number]

interface Seen {
  readonly request: Request
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly cookie: Readonly<Record<string, { readonly value: unknown }>>
}

/** All that a handler can see of a request, as text in which to look for a credential. */
function everythingOf({ request, headers, cookie }: Seen) {
  const cookies = Object.fromEntries(Object.entries(cookie).map(([name, { value }]) => [name, value]))
  return {
    headers,
    cookies,
    request: [...request.headers],
    // A request whose body was read cannot be copied.
    clone: request.bodyUsed ? [] : [...request.clone().headers],
    copy: request.bodyUsed ? [] : [...new Request(request).headers],
  }
}

async function create(hideCredentials: boolean) {
  const hooks: string[] = []
  const note = (name: string, request: Request) => hooks.push(`${name} ${JSON.stringify([...request.headers])}`)
  const t = await createTestApp({ ...OPTIONS, hideCredentials }, (app) =>
    app
      .onRequest(({ request }) => void note('request', request))
      .onAfterHandle(({ request }) => void note('after', request))
      .onError(({ request }) => void note('error', request))
      .get('/see', everythingOf)
      .post('/see', async (context) => ({ ...everythingOf(context), body: context.body }))
      .get('/ruled/see', everythingOf)
      .get('/guarded/see', (context) => ({ ...everythingOf(context), id: context.currentUser.id }), {
        currentUser: true,
      })
      .get('/called/see', async (context) => {
        const seen = everythingOf(context)
        await Bun.sleep(0)
        return { ...seen, id: (await context.auth.currentUser()).id }
      })
      .mount('/mounted', (request: Request) => Response.json({ mounted: [...request.headers] }))
      .ws('/see-ws', {
        open: (ws) => void ws.send(JSON.stringify(everythingOf(ws.data as Seen))),
        message: () => undefined,
      })
      .ws('/user-ws', {
        currentUser: true,
        async open(ws) {
          const { id } = await ws.data.auth.currentUser()
          ws.send(JSON.stringify({ ...everythingOf(ws.data as Seen), id }))
        },
        message: () => undefined,
      }),
  )
  const { bob } = await addPeople(t)
  const key = await addKey(t, { userId: bob.id })
  const { headers: bearer } = await addTokens(t, bob.id)
  const session = await addSession(t, bob.id)
  const cookie = `theme=dark; session_id=${session.cookieValue}; lang=a%20b`
  const presented: Record<Kind, Readonly<Record<string, string>>> = {
    Authorization: bearer,
    key: key.headers,
    'another key header': { 'x-service-key': key.rawKey },
    'master key': asMaster,
    session: { cookie },
    'all at once': { ...bearer, ...key.headers, ...asMaster, cookie },
  }
  const secrets = [bearer.authorization.slice('Bearer '.length), key.rawKey, MASTER_KEY, session.cookieValue]
  const findSecrets = (text: string) => secrets.filter((secret) => text.includes(secret))
  return { t, hooks, presented, findSecrets, bob, session }
}

const hidden = await create(true)
const shown = await create(false)
afterAll(async () => {
  await hidden.t.close()
  await shown.t.close()
})

const PATHS = ['/see', '/guarded/see', '/called/see', '/ruled/see', '/mounted', '/nowhere', '/auth/me']

describe('with hideCredentials', () => {
  test.each(KINDS)('nobody sees %s', async (kind) => {
    hidden.hooks.splice(0)
    for (const path of PATHS) {
      const answer = await hidden.t.ask(path, { headers: { ...hidden.presented[kind], 'x-other': 'kept' } })
      expect(hidden.findSecrets(answer.text)).toEqual([])
      if (answer.status === 200 && path !== '/auth/me') expect(answer.text).toContain('kept')
    }
    const posted = await hidden.t.ask('/see', { headers: { ...hidden.presented[kind] }, body: { a: 1 } })
    expect([posted.status, posted.json.body]).toEqual([200, { a: 1 }])
    expect(hidden.findSecrets(posted.text)).toEqual([])
    // The app's own hooks ran, and saw the request.
    expect(hidden.hooks.length).toBeGreaterThan(PATHS.length)
    expect(hidden.findSecrets(hidden.hooks.join('\n'))).toEqual([])
  })

  test.each(KINDS)('the same routes show %s without it', async (kind) => {
    for (const path of ['/see', '/mounted']) {
      const { text } = await shown.t.ask(path, { headers: shown.presented[kind] })
      expect(shown.findSecrets(text).length).toBeGreaterThan(0)
    }
    shown.hooks.splice(0)
  })

  test.each(['Authorization', 'key', 'another key header', 'session'] as const)(
    'guards, rules and calls in the handler still know who presents %s',
    async (kind) => {
      for (const path of ['/guarded/see', '/called/see']) {
        const answer = await hidden.t.ask(path, { headers: hidden.presented[kind] })
        expect([answer.status, answer.json.id]).toEqual([200, hidden.bob.id])
      }
      expect((await hidden.t.ask('/ruled/see', { headers: hidden.presented[kind] })).status).toBe(200)
      expect((await hidden.t.ask('/ruled/see')).said).toBe('401 credential_missing')
    },
  )

  test('other cookies stay as they were sent', async () => {
    const { json } = await hidden.t.ask('/see', { headers: hidden.presented.session })
    expect(json.cookies).toEqual({ theme: 'dark', lang: 'a b' })
    expect((json.headers as Json).cookie).toBe('theme=dark; lang=a%20b')
  })

  test.each([
    ['alone', (value: string) => `session_id=${value}`],
    ['twice', (value: string) => `session_id=${value};session_id=${value}`],
    ['spaced', (value: string) => `\tsession_id =${value} ; a=b`],
  ])('a session cookie that is sent %s', async (_, cookie) => {
    const { text } = await hidden.t.ask('/see', { headers: { cookie: cookie(hidden.session.cookieValue) } })
    expect(text).not.toContain('session_id')
    expect(hidden.findSecrets(text)).toEqual([])
  })

  test.each(['Authorization', 'key', 'session'] as const)(
    'a WebSocket sees no %s, and knows who opened it',
    async (kind) => {
      for (const [path, id] of [
        ['/see-ws', undefined],
        ['/user-ws', hidden.bob.id],
      ] as const) {
        const first = await openSocket(hidden.t.origin, path, hidden.presented[kind])
        expect(first).not.toBeNull()
        expect(hidden.findSecrets(first ?? '')).toEqual([])
        expect(JSON.parse(first ?? '{}').id).toBe(id)
      }
      expect(await openSocket(hidden.t.origin, '/user-ws', {})).toBeNull()
    },
  )

  test('wrong credentials are hidden and refused', async () => {
    hidden.hooks.splice(0)
    const wrong = { 'x-api-key': 'mac_live_wrong', 'x-admin-key': 'wrong-admin' }
    expect((await hidden.t.ask('/key', { headers: wrong })).said).toBe('401 api_key_invalid')
    expect((await hidden.t.ask('/master', { headers: wrong })).said).toBe('401 master_key_invalid')
    expect(hidden.hooks.join()).not.toContain('wrong')
  })

  test('the endpoints of the package still know who asks', async () => {
    const { t, bob } = hidden
    expect((await t.ask('/master', { headers: asMaster })).json).toEqual({ id: 'master' })
    expect((await t.ask('/auth/keys', { headers: asMaster })).status).toBe(200)
    expect((await t.ask('/auth/token/new', { method: 'POST', headers: asMaster })).status).toBe(200)
    const session = await addSession(t, bob.id)
    const { json } = await t.ask('/auth/sessions', { headers: session.headers })
    expect((json.items as Json[]).find(({ current }) => current)?.id).toBe(session.id)
    expect((await t.ask('/auth/sessions/current', { method: 'DELETE', headers: session.headers })).status).toBe(204)
    expect((await t.ask('/auth/me', { headers: session.headers })).said).toBe('401 session_invalid')
  })

  test('a key that is looked up for the first time is hidden too', async () => {
    const key = await addKey(hidden.t, { userId: hidden.bob.id })
    const { text, status } = await hidden.t.ask('/guarded/see', { headers: key.headers })
    expect(status).toBe(200)
    expect(text).not.toContain(key.rawKey)
  })

  test('a request that its address alone refuses shows nothing to hooks that stand before the plugin', async () => {
    const core = createMachineAuth(
      {
        database: 'sqlite::memory:',
        secret: SECRET,
        docs: false,
        hideCredentials: true,
        rateLimit: { default: { limit: 1, window: '1m' } },
      },
      { env: {}, clock: () => 0 },
    )
    const seen: (string | null)[] = []
    const app = new Elysia()
      .onRequest(({ request }) => void seen.push(request.headers.get('x-api-key')))
      .use(machineAuth(core))
      .listen({ port: 0, hostname: '127.0.0.1' })
    const origin = `http://127.0.0.1:${app.server?.port}`
    const said = []
    for (let time = 0; time < 2; time += 1) {
      said.push((await askServer(origin, '/', { headers: { 'x-api-key': 'secret' } })).said)
    }
    expect(said).toEqual(['404 not_found', '429 rate_limited'])
    expect(seen).toEqual([null, null])
    await app.stop(true)
    await core.close()
  })
})
