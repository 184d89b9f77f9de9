/** How each refusal is provoked: the example on a code's page is what is answered here. */
import type { ErrorCode } from '../../src/errors.ts'
import { forgeKey } from '../support/limited.ts'
import {
  ALICE,
  type Answer,
  addKey,
  addPeople,
  addSession,
  addTokens,
  asMaster,
  BOB,
  type createTestApp,
  PASSWORD,
  type TestApp,
  withBearer,
  withCookie,
  withKey,
} from '../support/test-app.ts'

export interface Provocation {
  readonly options?: Parameters<typeof createTestApp>[0]
  readonly provoke: (t: TestApp) => Promise<Answer>
}

const DAY = 86_400_000

/** What a key answers after something was done about it. */
function byKey(
  change: (t: TestApp, key: Awaited<ReturnType<typeof addKey>>) => unknown,
  more: Parameters<typeof addKey>[1] = {},
  path = '/key',
): Provocation {
  return {
    async provoke(t) {
      const key = await addKey(t, more)
      await change(t, key)
      return t.ask(path, { headers: key.headers })
    },
  }
}

/** Asks as Bob, who may do little, by an access token of his. */
async function askAsBob(t: TestApp, path: string): Promise<Answer> {
  const { bob } = await addPeople(t)
  return t.ask(path, { headers: (await addTokens(t, bob.id)).headers })
}

const refresh = (t: TestApp, token: string) => t.ask('/auth/refresh', { body: { refresh_token: token } })
const asForeignPage = { 'sec-fetch-site': 'cross-site', origin: 'https://elsewhere.example' }

export const PROVOCATIONS: Readonly<Record<ErrorCode, Provocation>> = {
  request_malformed: { provoke: (t) => t.ask('/key', { headers: withKey('mac_live_one, mac_live_two') }) },

  credential_missing: { provoke: (t) => t.ask('/key') },
  api_key_invalid: {
    async provoke(t) {
      const { rawKey } = await addKey(t)
      return t.ask('/key', { headers: withKey(forgeKey(rawKey)) })
    },
  },
  api_key_expired: byKey((t) => (t.time.now += 2 * DAY), { expiresInDays: 1 }),
  api_key_revoked: byKey((t, { id }) => t.core.keys.revoke(id)),
  api_key_disabled: byKey((t, { id }) => t.core.keys.disable(id)),
  token_invalid: { provoke: (t) => t.ask('/token', { headers: withBearer('a.wrong.token') }) },
  token_expired: {
    async provoke(t) {
      const { bob } = await addPeople(t)
      const { headers } = await addTokens(t, bob.id)
      t.time.now += DAY
      return t.ask('/token', { headers })
    },
  },
  token_revoked: {
    async provoke(t) {
      const { bob } = await addPeople(t)
      const { headers } = await addTokens(t, bob.id)
      await t.core.tokens.revokeUser(bob.id)
      return t.ask('/token', { headers })
    },
  },
  session_invalid: { provoke: (t) => t.ask('/session', { headers: withCookie('nobodys') }) },
  session_expired: {
    async provoke(t) {
      const { bob } = await addPeople(t)
      const { headers } = await addSession(t, bob.id)
      t.time.now += 8 * DAY
      return t.ask('/session', { headers })
    },
  },
  refresh_token_reused: {
    async provoke(t) {
      const { bob } = await addPeople(t)
      const { pair } = await addTokens(t, bob.id)
      await refresh(t, pair.refresh_token)
      t.time.now += DAY
      return refresh(t, pair.refresh_token)
    },
  },
  login_failed: { provoke: (t) => t.ask('/auth/login', { body: { email: ALICE, password: 'a wrong password' } }) },
  master_key_invalid: { provoke: (t) => t.ask('/auth/keys', { headers: { 'x-admin-key': 'wrong' } }) },

  role_required: { provoke: (t) => askAsBob(t, '/admin') },
  permission_required: { provoke: (t) => askAsBob(t, '/users') },
  not_owner: {
    provoke(t) {
      const note = { ownerId: 'user_alice' }
      const ownership = { owner: ({ ownerId }: typeof note) => ownerId, roles: ['admin'] }
      t.app.get('/notes/1', ({ auth }) => auth.authorizedResource(note, ownership), { currentUser: true })
      return askAsBob(t, '/notes/1')
    },
  },
  ip_not_allowed: byKey(() => undefined, { ipAllowlist: ['203.0.113.0/24'] }),
  environment_mismatch: byKey(() => undefined, { environment: 'test' }, '/live'),
  user_required: byKey(() => undefined, {}, '/user'),
  organization_suspended: {
    async provoke(t) {
      const { id: organizationId } = await t.core.organizations.create({ name: 'Acme' })
      const { headers } = await addKey(t, { organizationId })
      await t.core.organizations.suspend(organizationId)
      return t.ask('/key', { headers })
    },
  },
  user_disabled: {
    async provoke(t) {
      const { bob } = await addPeople(t)
      const { headers } = await addKey(t, { userId: bob.id })
      await t.core.users.disable(bob.id)
      return t.ask('/key', { headers })
    },
  },
  address_blocked: {
    async provoke(t) {
      await t.core.blocks.add({ subject: '127.0.0.1', duration: '1h' })
      return t.ask('/key')
    },
  },
  csrf_rejected: {
    async provoke(t) {
      const { bob } = await addPeople(t)
      const { headers } = await addSession(t, bob.id)
      return t.ask('/user', { method: 'POST', headers: { ...headers, ...asForeignPage } })
    },
  },

  not_found: { provoke: (t) => t.ask('/auth/keys/key_nobodys', { headers: asMaster }) },
  conflict: {
    async provoke(t) {
      await addPeople(t)
      return t.ask('/auth/users', { headers: asMaster, body: { email: BOB } })
    },
  },
  body_too_large: {
    provoke: (t) => t.ask('/auth/keys', { headers: asMaster, body: { name: 'x'.repeat(65_536) } }),
  },
  validation_failed: {
    provoke: (t) => t.ask('/auth/keys', { headers: asMaster, body: { name: 'reports', colour: 'red' } }),
  },

  rate_limited: {
    async provoke(t) {
      t.app.get('/limited', () => 'ok', { public: true, rateLimit: { limit: 1, window: '1m', by: 'ip' } })
      await t.ask('/limited')
      return t.ask('/limited')
    },
  },
  quota_exceeded: byKey((t, { headers }) => t.ask('/key', { headers }), { monthlyQuota: 1 }),
  locked_out: {
    options: { rateLimit: { login: { limit: 1, window: '15m' } } },
    async provoke(t) {
      await addPeople(t)
      await t.ask('/auth/login', { body: { email: BOB, password: 'a wrong password' } })
      return t.ask('/auth/login', { body: { email: BOB, password: PASSWORD } })
    },
  },

  internal_error: {
    provoke(t) {
      const fail = () => {
        throw new Error('the cause, which is for the log only')
      }
      t.app.get('/broken', fail, { public: true })
      return t.ask('/broken')
    },
  },
  storage_unavailable: byKey((t) => t.client.close()),
}
