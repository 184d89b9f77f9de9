/** Each request is told of once, whatever answered it, with what was found out of it. */
import { describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { refusal } from '../../src/authentication/principal.ts'
import { MachineAuthError } from '../../src/errors.ts'
import { RequestObserver } from '../../src/guards/observation.ts'
import type { RequestFacts } from '../../src/recording/requests/logger.ts'
import { createTestPlugin, keyPrincipal, STANDARD, type Table, withServer } from '../support/guarded-app.ts'
import { PRESENT } from './support.ts'

const TABLE: Table = {
  ...STANDARD,
  keys: {
    ...STANDARD.keys,
    mac_live_revoked: { ...refusal('api_key_revoked'), refusedKey: { id: 'key_9', organizationId: 'org_9' } },
    mac_live_elsewhere: keyPrincipal('key_8', { organizationId: 'org_8', allowsAddress: () => false }),
  },
}

/** An app whose observer writes down what it hears. */
function createObserved(table: Table = TABLE) {
  let time = 0
  const counts: string[] = []
  const touches: string[] = []
  const measured: string[] = []
  const facts: RequestFacts[] = []
  const answers: (number | null)[] = []
  const observer = new RequestObserver(
    {
      usage: {
        count: (keyId, organizationId, method, route, status, elapsed, isUse) => {
          counts.push([keyId, organizationId, method, route, status, elapsed].join(' '))
          if (isUse === true) touches.push(keyId)
        },
        touch: (id) => void touches.push(id),
      },
      meter: {
        request: (outcome, elapsed) => void measured.push(`${outcome} ${elapsed}`),
        denial: (code) => void measured.push(code),
        authentication: (kind, isAccepted) => void measured.push(`${kind} ${isAccepted ? 'accepted' : 'refused'}`),
      },
      log: {
        begin: () => (heard, answer) => {
          facts.push(heard)
          answers.push(answer?.status ?? null)
        },
      },
    },
    () => (time += 1),
  )
  const { plugin } = createTestPlugin(table, { observer })
  const app = new Elysia()
    .use(plugin)
    .get('/open', () => 'open', { public: true })
    .get('/unguarded', () => 'unguarded')
    .get('/key', ({ apiKey }) => apiKey.id, { apiKey: true })
    .get('/asked', async ({ auth }) => (await auth.currentUser()).id)
    .get('/later', async ({ apiKey }) => (await Bun.file(import.meta.path).exists()) && apiKey.id, { apiKey: true })
    .get('/admin/:id', ({ currentUser }) => currentUser.id, { requireRole: 'admin' })
    .get('/teapot', ({ status }) => status(418), { apiKey: true })
    .get('/missing', () => new MachineAuthError('not_found') as never, { apiKey: true })
    .get('/broken', () => Promise.reject(new Error('broken')), { apiKey: true })
    .ws('/ws', { apiKey: true, message: () => undefined })
  return { app, counts, touches, measured, facts, answers }
}

const CASES: readonly (readonly [path: string, headers: Readonly<Record<string, string>>, told: readonly string[]])[] =
  [
    ['/open', PRESENT.nothing, []],
    ['/unguarded', PRESENT.key, []],
    ['/nowhere', PRESENT.key, []],
    ['/key', PRESENT.key, ['key_1  GET /key 200 1', 'allowed 1', 'apiKey accepted']],
    ['/key', PRESENT.nothing, ['  GET /key 401 1', 'denied 1', 'credential_missing', 'none refused']],
    ['/key', PRESENT['wrong key'], ['  GET /key 401 1', 'denied 1', 'api_key_invalid', 'apiKey refused']],
    [
      '/key',
      { 'x-api-key': 'mac_live_revoked' },
      ['key_9 org_9 GET /key 401 1', 'denied 1', 'api_key_revoked', 'apiKey refused'],
    ],
    [
      '/key',
      { 'x-api-key': 'mac_live_elsewhere' },
      ['key_8 org_8 GET /key 403 1', 'denied 1', 'ip_not_allowed', 'apiKey accepted'],
    ],
    ['/asked', PRESENT['user token'], ['  GET /asked 200 1', 'allowed 1', 'jwt accepted']],
    ['/later', PRESENT.key, ['key_1  GET /later 200 1', 'allowed 1', 'apiKey accepted']],
    ['/admin/7', PRESENT['user session'], ['  GET /admin/:id 403 1', 'denied 1', 'role_required', 'session accepted']],
    ['/teapot', PRESENT.key, ['key_1  GET /teapot 418 1', 'rejected 1', 'apiKey accepted']],
    ['/broken', PRESENT.key, ['key_1  GET /broken 500 1', 'failed 1', 'apiKey accepted']],
  ]

describe.each([false, true])('when credentials are looked up (slow: %p)', (slow) => {
  test.each(CASES.map((row) => [...row] as const))('%s, %o', async (path, headers, told) => {
    const { app, counts, measured, answers } = createObserved({ ...TABLE, slow })
    const status = await withServer(app, async (origin) => (await fetch(origin + path, { headers })).status)
    expect([...counts, ...measured]).toEqual([...told])
    expect(answers).toEqual([status])
  })
})

test('a key that was kept out was not used', async () => {
  const { app, touches } = createObserved()
  await withServer(app, async (origin) => {
    for (const key of ['mac_live_elsewhere', 'mac_live_revoked', 'mac_live_owned']) {
      await fetch(`${origin}/key`, { headers: { 'x-api-key': key } })
    }
  })
  expect(touches).toEqual(['key_2'])
})

test('what was found out of a request is told whole', async () => {
  const { app, facts } = createObserved()
  await withServer(app, (origin) =>
    fetch(`${origin}/admin/7`, { headers: { ...PRESENT['owned key'], 'x-request-id': 'request-of-a-test' } }),
  )
  expect(facts).toEqual([
    {
      requestId: 'request-of-a-test',
      route: '/admin/:id',
      status: 403,
      elapsed: 1,
      address: '127.0.0.1',
      credential: 'apiKey',
      keyId: 'key_2',
      userId: 'user_bob',
      organizationId: null,
      code: 'role_required',
    },
  ])
})

test('a request that becomes a WebSocket is told of once, as 101', async () => {
  const { app, counts, answers } = createObserved()
  await withServer(app, async (origin) => {
    const socket = new WebSocket(`${origin.replace('http', 'ws')}/ws`, { headers: PRESENT.key } as never)
    await new Promise((resolve) => socket.addEventListener('open', resolve))
    socket.close()
  })
  expect(counts).toEqual(['key_1  GET /ws 101 1'])
  expect(answers).toEqual([null])
})
