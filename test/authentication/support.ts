/** Credentials of every kind, on a store in memory that can go away. */
import { type MachineAuthOptions, sha256 } from '../../src/index.ts'
import { addForeignKey } from '../support/foreign-keys.ts'
import { createMemoryStorage } from '../support/memory-storage.ts'
import { withOutages } from '../support/outage.ts'
import {
  addKey,
  addPeople,
  addSession,
  createTestApp,
  type Question,
  START,
  type TestApp,
  withBearer,
} from '../support/test-app.ts'

/** The default of `apiKeys.cacheTtl`, ms. */
export const TTL = 60_000
/** The default of `cluster.staleness`, ms. */
export const STALENESS = 300_000

export async function createApp(
  options: MachineAuthOptions<string, object> = {},
  extend?: Parameters<typeof createTestApp>[1],
) {
  const time = { now: START }
  const memory = createMemoryStorage(() => time.now)
  const { storage, outage } = withOutages(memory)
  const app = await createTestApp({ database: { storage: () => storage }, ...options }, extend)
  const people = await addPeople(app)
  /** Moves the clocks of both. */
  const pass = (ms: number) => {
    app.time.now += ms
    time.now = app.time.now
  }
  /** A store that is away is waited for when a core is closed. */
  const close = () => {
    outage.isAway = false
    return app.close()
  }
  return { ...app, ...people, outage, memory, pass, close, [Symbol.asyncDispose]: close }
}

export type OutageApp = Awaited<ReturnType<typeof createApp>>

/** A credential that a route takes, and how it is taken back. */
export interface Presented {
  readonly path: string
  readonly headers: NonNullable<Question['headers']>
  /** In this process, or by the core of another one. */
  revoke(core: TestApp['core']): Promise<unknown>
}

/** One row of the table of what is presented. */
export interface Kind {
  readonly name: string
  /** The cache that remembers it, as metrics name it. */
  readonly cache: string
  /** The verb that looks it up. */
  readonly verb: string
  readonly options?: MachineAuthOptions<string, object>
  /** What it is answered once it was taken back. */
  readonly refused: string
  make(t: OutageApp): Promise<Presented>
}

async function bearerOf(t: OutageApp, userId: string | null) {
  const { token, rawToken } = await t.core.tokens.bearer.create({ name: 'a token', userId })
  return { id: token.id, headers: withBearer(rawToken) }
}

/** Every kind of credential, each taken back by itself, by its user and by its organization. */
export const KINDS: readonly Kind[] = [
  {
    name: 'a key',
    cache: 'api_key',
    verb: 'keys.findWithOwner',
    refused: '401 api_key_revoked',
    async make(t) {
      const { id, headers } = await addKey(t)
      return { path: '/key', headers, revoke: (core) => core.keys.revoke(id) }
    },
  },
  {
    name: 'a key that was imported',
    cache: 'imported_key',
    verb: 'keys.findByLookup',
    refused: '401 api_key_revoked',
    options: { apiKeys: { defaultRateLimit: false, importKinds: [sha256()] } },
    async make(t) {
      const { id, headers } = await addForeignKey(t, 'sha256')
      return { path: '/key', headers, revoke: (core) => core.keys.revoke(id) }
    },
  },
  {
    name: 'a session',
    cache: 'session',
    verb: 'sessions.findByHash',
    refused: '401 session_invalid',
    async make(t) {
      const { id, headers } = await addSession(t, t.bob.id)
      return { path: '/session', headers, revoke: (core) => core.sessions.end(id) }
    },
  },
  {
    name: 'an opaque token',
    cache: 'bearer',
    verb: 'bearerTokens.findWithOwner',
    refused: '401 token_revoked',
    async make(t) {
      const { id, headers } = await bearerOf(t, t.bob.id)
      return { path: '/token', headers, revoke: (core) => core.tokens.bearer.revoke(id) }
    },
  },
  {
    name: 'a JWT',
    cache: 'jwt',
    verb: 'refreshFamilies.find',
    refused: '401 token_revoked',
    async make(t) {
      const pair = await t.core.tokens.issueForUser(await t.core.users.find(t.bob.id))
      return {
        path: '/token',
        headers: withBearer(pair.access_token),
        revoke: (core) => core.tokens.logout(pair.refresh_token),
      }
    },
  },
  {
    name: 'a key of a user whom the app keeps',
    cache: 'api_key',
    verb: 'keys.findWithOwner',
    refused: '401 api_key_revoked',
    options: { users: { load: (id) => ({ id, email: 'app@example.com', roles: ['user'] }) } },
    async make(t) {
      const { id, headers } = await addKey(t, { userId: 'user_of_the_app' })
      return { path: '/user', headers, revoke: (core) => core.keys.revoke(id) }
    },
  },
  {
    name: 'a key, by its user',
    cache: 'api_key',
    verb: 'keys.findWithOwner',
    refused: '403 user_disabled',
    async make(t) {
      const { headers } = await addKey(t, { userId: t.bob.id })
      return { path: '/key', headers, revoke: (core) => core.users.disable(t.bob.id) }
    },
  },
  {
    name: 'a key, by its organization',
    cache: 'api_key',
    verb: 'keys.findWithOwner',
    refused: '403 organization_suspended',
    async make(t) {
      const { id: organizationId } = await t.core.organizations.create({ name: 'Acme' })
      const { headers } = await addKey(t, { organizationId })
      return { path: '/key', headers, revoke: (core) => core.organizations.suspend(organizationId) }
    },
  },
]
