/** All services over one storage, put together as the core does, with a clock that stands still until it is moved. */
import { LoginService } from '../../src/accounts/login.ts'
import { LoginThrottle, type LoginThrottleOptions } from '../../src/accounts/login-throttle.ts'
import { OrganizationService } from '../../src/accounts/organizations.ts'
import { type PasswordHasher, Passwords } from '../../src/accounts/passwords.ts'
import { RoleService } from '../../src/accounts/roles.ts'
import { UserService } from '../../src/accounts/users.ts'
import { createApiKeyKind } from '../../src/authentication/api-key.ts'
import { Authenticator } from '../../src/authentication/authenticator.ts'
import { CredentialOwners } from '../../src/authentication/credential-owner.ts'
import { createSecretHasher } from '../../src/authentication/hasher.ts'
import { KnownUsers } from '../../src/authentication/known-users.ts'
import { refusal } from '../../src/authentication/principal.ts'
import { createSessionKind } from '../../src/authentication/session.ts'
import { createBearerKind, createJwtKind } from '../../src/authentication/token.ts'
import { UserDirectory } from '../../src/authentication/user-directory.ts'
import type { Actor } from '../../src/authorization/actor.ts'
import { PermissionSet } from '../../src/authorization/permission-set.ts'
import { PermissionRegistry } from '../../src/authorization/registry.ts'
import { RoleRegistry } from '../../src/authorization/roles.ts'
import { KeyService } from '../../src/keys/service.ts'
import type { KeyUsePort } from '../../src/keys/verification.ts'
import type { ResolvedOptions } from '../../src/options/resolved.ts'
import type { MachineAuthOptions, UsersOption } from '../../src/options/types.ts'
import { AuditLog } from '../../src/recording/audit/audit.ts'
import type { UsageCounter } from '../../src/recording/usage/counter.ts'
import { SessionService } from '../../src/sessions/service.ts'
import type { Storage } from '../../src/storage/ports.ts'
import type { ChangeKind } from '../../src/storage/records.ts'
import { AccessTokens } from '../../src/tokens/access-tokens.ts'
import { BearerTokenService } from '../../src/tokens/bearer.ts'
import { createRefreshTokens } from '../../src/tokens/refresh-tokens.ts'
import { TokenService } from '../../src/tokens/service.ts'
import { SigningKeys } from '../../src/tokens/signing-keys.ts'
import { createAccessTokenVerifier } from '../../src/tokens/verify-access-token.ts'
import { createMemoryStorage } from './memory-storage.ts'

export const SECRET = 'a root secret for tests, of more than 32 bytes'
export const START = Date.UTC(2030, 0, 1)

export const JWT: ResolvedOptions['jwt'] = {
  algorithm: 'EdDSA',
  issuer: 'machine-auth',
  audience: 'machine-auth',
  accessTtl: 900_000,
  refreshTtl: 30 * 86_400_000,
  refreshReuseWindow: 10_000,
  clockTolerance: 30_000,
}

/** Reversible and instant; counts its calls. A hash of it has the form of a real one. */
export function createFakeHasher(): PasswordHasher & { readonly calls: { hash: number; verify: number } } {
  const calls = { hash: 0, verify: 0 }
  const encode = (password: string) => Buffer.from(password).toString('base64url').replaceAll(/[-_]/g, '/').slice(0, 43)
  const digestOf = (password: string) => encode(Bun.SHA256.hash(password, 'base64url'))
  return {
    calls,
    async hash(password) {
      calls.hash += 1
      return `$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$${digestOf(password)}`
    },
    async verify(password, hash) {
      calls.verify += 1
      return hash.endsWith(digestOf(password).slice(-31))
    },
  }
}

/** A bcrypt hash in form only, which the fake hasher verifies. */
export function fakeBcrypt(password: string): string {
  const digest = Buffer.from(Bun.SHA256.hash(password, 'base64url')).toString('base64url').replaceAll(/[-_]/g, '/')
  return `$2b$10$${'a'.repeat(22)}${digest.slice(0, 43).slice(-31)}`
}

export interface ServicesInput {
  readonly storage?: Storage
  readonly secrets?: readonly string[]
  readonly jwt?: Partial<ResolvedOptions['jwt']>
  readonly sessions?: Partial<Pick<ResolvedOptions['sessions'], 'ttl' | 'idleTtl'>>
  readonly roles?: Readonly<Record<string, readonly string[]>>
  readonly users?: UsersOption<object>
  readonly claims?: MachineAuthOptions['claims']
  readonly hasher?: PasswordHasher
  readonly throttle?: Partial<LoginThrottleOptions>
  readonly use?: KeyUsePort
  readonly uses?: Pick<UsageCounter, 'touch'>
}

const NEVER_LIMITED: KeyUsePort = {
  isBlocked: () => false,
  isSubjectBlocked: () => false,
  noteWrong: () => undefined,
  consume: async () => ({ code: 'valid', remaining: null, credits: null }),
}

const MODULES = { users: {}, posts: {} }
const ROLES = { admin: ['*'], support: ['users.view'], member: [] }

export function createServices(input: ServicesInput = {}) {
  const time = { now: START }
  const clock = () => time.now
  const memory = createMemoryStorage(clock)
  const storage = input.storage ?? memory
  const secrets = input.secrets ?? [SECRET]
  const jwt = { ...JWT, ...input.jwt }
  const configured = input.roles ?? ROLES
  const warnings: string[] = []
  const invalidated: string[] = []

  const roleRegistry = new RoleRegistry(configured)
  const permissions = new PermissionRegistry({ modules: MODULES, permissions: [], roles: configured })
  const directory = new UserDirectory(input.users ?? {}, roleRegistry, storage.organizations)
  const audit = new AuditLog({ store: storage.audit, clock, secrets })
  const known = new KnownUsers({ users: storage.users, directory, roles: roleRegistry })
  const owners = new CredentialOwners({
    organizations: storage.organizations,
    known,
    refuseOutOfReach: (actor, subject) => audit.refuseOutOfReach(actor, subject),
  })

  const signingKeys = new SigningKeys({ ...jwt, store: storage.signingKeys, clock, secrets, audit })
  const verifyAccessToken = createAccessTokenVerifier({ keys: signingKeys, jwt })
  const keyHasher = createSecretHasher(secrets, 'api-key-pepper')
  const bearerHasher = createSecretHasher(secrets, 'bearer-token-pepper')

  const settings = {
    ready: Promise.resolve(),
    clock,
    ttl: 60_000,
    staleness: 0,
    size: 100,
    toRefusal: () => refusal('storage_unavailable'),
  }
  const authenticators = {
    apiKey: new Authenticator(
      createApiKeyKind({ prefix: 'mac', keys: storage.keys, hasher: keyHasher, users: directory, expiryWarning: 0 }),
      settings,
    ),
    jwt: new Authenticator(
      createJwtKind({ verify: verifyAccessToken, families: storage.refreshFamilies, users: directory }),
      settings,
    ),
    bearer: new Authenticator(
      createBearerKind({
        tokens: storage.bearerTokens,
        hasher: bearerHasher,
        users: directory,
        findUser: (id) => storage.users.findWithOrganization(id),
        findOrganization: (id) => storage.organizations.find(id),
        verifyOwn: undefined,
      }),
      settings,
    ),
    session: new Authenticator(
      createSessionKind({ sessions: storage.sessions, users: directory, idleTtl: input.sessions?.idleTtl ?? null }),
      settings,
    ),
  }

  function invalidate(kind: ChangeKind, subject: string): void {
    invalidated.push(`${kind}:${subject}`)
    for (const { cache } of Object.values(authenticators)) {
      if (kind === 'role') cache.clear()
      else cache.invalidate(kind, subject)
    }
  }

  const shared = { clock, invalidate, audit }
  const passwords = new Passwords({ hasher: input.hasher ?? createFakeHasher() })
  const accessTokens = new AccessTokens({
    keys: signingKeys,
    jwt,
    claims: input.claims,
    warn: (message) => warnings.push(message),
  })
  const bearer = new BearerTokenService({
    ...shared,
    tokens: storage.bearerTokens,
    owners,
    permissions,
    hasher: bearerHasher,
  })

  return {
    time,
    memory,
    storage,
    warnings,
    invalidated,
    authenticators,
    audit,
    signingKeys,
    verifyAccessToken,
    tokens: new TokenService({
      ...shared,
      families: storage.refreshFamilies,
      users: storage.users,
      directory,
      accessTokens,
      refreshTokens: createRefreshTokens(secrets),
      permissions,
      jwt,
      bearer,
    }),
    sessions: new SessionService({
      ...shared,
      sessions: storage.sessions,
      users: storage.users,
      known,
      options: { ttl: 7 * 86_400_000, idleTtl: null, ...input.sessions },
    }),
    users: new UserService({
      ...shared,
      users: storage.users,
      organizations: storage.organizations,
      sessions: storage.sessions,
      families: storage.refreshFamilies,
      known,
      roles: roleRegistry,
      passwords,
    }),
    organizations: new OrganizationService({
      ...shared,
      organizations: storage.organizations,
      keys: storage.keys,
      permissions,
    }),
    roles: new RoleService({
      ...shared,
      store: storage.roles,
      registry: roleRegistry,
      permissions,
      configured,
      reload: async () => roleRegistry.replaceStored(await storage.roles.list()),
    }),
    login: new LoginService({
      throttle: new LoginThrottle({
        store: storage.loginAddresses,
        clock,
        rate: { limit: 1_000_000, window: 900_000 },
        capacity: 1000,
        nameKey: new Uint8Array(32),
        meter: null,
        ...input.throttle,
      }),
      users: storage.users,
      directory,
      passwords,
      app: input.users ?? {},
    }),
    keys: new KeyService({
      ...shared,
      keys: storage.keys,
      permissions,
      resolveApiKey: (text) => authenticators.apiKey.resolve(text),
      foreignLookups: () => [],
      importKinds: [],
      defaultPermissions: [],
      prefix: 'mac',
      owners,
      hasher: keyHasher,
      defaultRateLimit: false,
      credits: { unused: () => 0, forget: () => undefined },
      use: input.use ?? NEVER_LIMITED,
      uses: input.uses ?? null,
    }),
  }
}

export type Services = ReturnType<typeof createServices>

/** Someone who acts, with just these permissions. */
export function actorWith(
  permissions: readonly string[],
  {
    organizationId = null,
    userId = null,
    roles = [],
  }: { organizationId?: string | null; userId?: string | null; roles?: readonly string[] } = {},
): Actor {
  return {
    id: userId ?? 'key_actor',
    organizationId,
    user: userId === null ? null : { id: userId, roles },
    granted: new PermissionSet(permissions),
  }
}

/** The actions in the audit log, in the order they were written. */
export function auditedActions({ memory }: Services): readonly string[] {
  return [...memory.rows.audit.values()].map(({ action }) => action)
}
