/** An app with the guards alone: credentials are looked up in a table instead of a database. */
import type { Elysia } from 'elysia'
import type {
  ApiKeyPrincipal,
  Outcome,
  SessionPrincipal,
  TokenPrincipal,
  User,
} from '../../src/authentication/principal.ts'
import { refusal } from '../../src/authentication/principal.ts'
import type { ApiKeyView } from '../../src/authentication/views.ts'
import { PermissionSet } from '../../src/authorization/permission-set.ts'
import { type EngineOptions, GuardEngine } from '../../src/guards/engine.ts'
import { installEngine } from '../../src/guards/install.ts'
import { createGuards } from '../../src/guards/plugin.ts'
import { createRequestIds } from '../../src/guards/request-id.ts'
import { createTestLimits } from './limits.ts'

export const ALICE: User = {
  id: 'user_alice',
  email: 'alice@example.com',
  roles: ['admin'],
  permissions: ['*'],
  organizationId: null,
}

export const BOB: User = {
  ...ALICE,
  id: 'user_bob',
  email: 'bob@example.com',
  roles: ['user'],
  permissions: ['posts.view'],
}

function keyView(id: string, environment: 'live' | 'test'): ApiKeyView {
  return {
    id,
    name: id,
    prefix: `mac_${environment}_${id}`,
    environment,
    organizationId: null,
    userId: null,
    permissions: [],
    ipAllowlist: [],
    rateLimit: null,
    monthlyQuota: null,
    credits: null,
    status: 'active',
    expiresAt: null,
    lastUsedAt: null,
    createdAt: '2026-01-01T00:00:00.000Z',
    revokedAt: null,
    revokedReason: null,
    rotatedFrom: null,
    description: null,
    metadata: null,
  }
}

export function keyPrincipal(id: string, more: Partial<ApiKeyPrincipal> = {}): ApiKeyPrincipal {
  return {
    kind: 'apiKey',
    id,
    organizationId: null,
    user: null,
    granted: PermissionSet.EMPTY,
    apiKey: keyView(id, 'live'),
    allowsAddress: null,
    expiryWarning: null,
    use: { rateLimit: null, monthlyQuota: null, organizationQuota: null, credits: null },
    ...more,
  }
}

export function testKeyPrincipal(id: string): ApiKeyPrincipal {
  return keyPrincipal(id, { apiKey: keyView(id, 'test') })
}

export function tokenPrincipal(user: User | null): TokenPrincipal {
  return {
    kind: 'jwt',
    id: user?.id ?? 'client_1',
    organizationId: null,
    user,
    granted: new PermissionSet(user?.permissions ?? []),
    bearerToken: {
      kind: 'jwt',
      id: 'jti',
      userId: user?.id ?? null,
      clientId: user === null ? 'client_1' : null,
      organizationId: null,
      permissions: user?.permissions ?? [],
      expiresAt: null,
      claims: {},
    },
  }
}

export function sessionPrincipal(user: User): SessionPrincipal {
  return {
    kind: 'session',
    id: user.id,
    organizationId: null,
    user,
    granted: new PermissionSet(user.permissions),
    session: {
      id: 'sess_1',
      userId: user.id,
      createdAt: '2026-01-01T00:00:00.000Z',
      expiresAt: '2027-01-01T00:00:00.000Z',
    },
  }
}

/** Credentials by their text; `slow` ones are known only after a wait, as on a cache miss. */
export interface Table {
  readonly keys?: Readonly<Record<string, Outcome<ApiKeyPrincipal>>>
  readonly jwts?: Readonly<Record<string, Outcome<TokenPrincipal>>>
  readonly sessions?: Readonly<Record<string, Outcome<SessionPrincipal>>>
  readonly slow?: boolean
}

function verifier<P>(table: Readonly<Record<string, P>>, missing: P, isSlow: boolean, looked: () => void) {
  const find = (text: string) => (Object.hasOwn(table, text) ? (table[text] ?? missing) : missing)
  return {
    peek(text: string): P | undefined {
      looked()
      return isSlow ? undefined : find(text)
    },
    resolve: async (text: string): Promise<P> => find(text),
  }
}

export const STANDARD: Table = {
  keys: {
    mac_live_key: keyPrincipal('key_1', { granted: new PermissionSet(['users.view']) }),
    mac_live_owned: keyPrincipal('key_2', { user: BOB, granted: new PermissionSet(['posts.view']) }),
    mac_test_key: testKeyPrincipal('key_3'),
    mac_live_expired: refusal('api_key_expired'),
  },
  jwts: { 'a.alice.s': tokenPrincipal(ALICE), 'a.bob.s': tokenPrincipal(BOB), 'a.client.s': tokenPrincipal(null) },
  sessions: { alice: sessionPrincipal(ALICE), bob: sessionPrincipal(BOB), stale: refusal('session_expired') },
}

export const MASTER_KEY = 'master-key-of-the-tests-0123456789abcdef'

/** A plugin with guards over a table of credentials, and what it did. */
export function createTestPlugin(table: Table = STANDARD, more: Partial<EngineOptions> = {}) {
  const seen = { verifications: 0 }
  const looked = () => {
    seen.verifications += 1
  }
  const isSlow = table.slow ?? false
  const engine = new GuardEngine({
    environment: {
      keyHeaders: ['x-api-key'],
      schemes: new Set(['bearer', 'apikey', 'machine_auth']),
      keyPrefix: 'mac',
      cookieName: 'session_id',
      trustedOrigins: ['https://trusted.example'],
      apiKeys: { ...verifier(table.keys ?? {}, refusal('api_key_invalid'), isSlow, looked), claims: () => false },
      jwts: verifier(table.jwts ?? {}, refusal('token_invalid'), isSlow, looked),
      bearers: verifier({}, refusal('token_invalid') as Outcome<TokenPrincipal>, isSlow, looked),
      sessions: verifier(table.sessions ?? {}, refusal('session_invalid'), isSlow, looked),
      isMasterKey: (text) => text === MASTER_KEY,
      masterKeys: { attempt: () => 0 },
      masterKeyAllows: null,
      nextRequestId: createRequestIds(),
    },
    limits: createTestLimits(),
    clientAddress: (socket) => socket,
    protect: [],
    onDenied: undefined,
    knownNames: () => ({
      hasRole: (name) => ['admin', 'moderator', 'user'].includes(name),
      hasPermission: (name) =>
        ['users.view', 'users.create', 'users.update', 'users.delete', 'posts.view'].includes(name),
      hasModule: (name) => ['users'].includes(name),
    }),
    ...more,
  })
  const plugin = createGuards<object, string>(crypto.randomUUID())
  installEngine(plugin as unknown as Elysia, engine, {
    ready: Promise.resolve(),
    // The real plugin ends the process; here every request is answered 500, which a test can see.
    onFailure: () => undefined,
    onServing: () => undefined,
    onStopped: () => undefined,
  })
  return { plugin, engine, seen }
}

/** Serves an app on a free port for the time of a callback. */
export async function withServer<T>(
  app: Elysia | { listen: unknown },
  use: (origin: string) => Promise<T>,
): Promise<T> {
  const elysia = app as Elysia
  elysia.listen({ port: 0, hostname: '127.0.0.1' })
  try {
    return await use(`http://127.0.0.1:${elysia.server?.port}`)
  } finally {
    await elysia.stop(true)
  }
}
