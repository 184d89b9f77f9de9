/** Puts the services of a core together. */
import { LoginService } from './accounts/login.ts'
import { OrganizationService } from './accounts/organizations.ts'
import { Passwords } from './accounts/passwords.ts'
import { PermissionService } from './accounts/permissions.ts'
import { RoleService } from './accounts/roles.ts'
import { UserService } from './accounts/users.ts'
import { AppOrganizations } from './authentication/app-organizations.ts'
import { createAuthenticators } from './authentication/authenticators.ts'
import { CredentialOwners } from './authentication/credential-owner.ts'
import { createSecretHasher } from './authentication/hasher.ts'
import { KnownUsers } from './authentication/known-users.ts'
import { UserDirectory } from './authentication/user-directory.ts'
import { PermissionRegistry } from './authorization/registry.ts'
import { RoleReader } from './authorization/role-reader.ts'
import { RoleRegistry } from './authorization/roles.ts'
import type { BlockService } from './blocks/service.ts'
import { createLimits } from './guards/create-limits.ts'
import { requireKey } from './keys/options.ts'
import { KeyService } from './keys/service.ts'
import type { Clock } from './lib/clock.ts'
import { AttemptGate } from './limits/attempt-gate.ts'
import type { SharedLimits } from './limits/shared-limits.ts'
import { USUALLY_KEPT } from './options/groups.ts'
import type { ResolvedOptions } from './options/resolved.ts'
import { AuditLog } from './recording/audit/audit.ts'
import type { LimitMeter } from './recording/metrics/meter.ts'
import { RequestLog } from './recording/requests/service.ts'
import type { UsageCounter } from './recording/usage/counter.ts'
import { type UsageFlush, UsageService } from './recording/usage/service.ts'
import { SessionService } from './sessions/service.ts'
import type { Storage } from './storage/ports.ts'
import { AccessTokens } from './tokens/access-tokens.ts'
import { BearerTokenService } from './tokens/bearer.ts'
import { createRefreshTokens } from './tokens/refresh-tokens.ts'
import { TokenService } from './tokens/service.ts'
import { SigningKeys } from './tokens/signing-keys.ts'
import { createAccessTokenVerifier } from './tokens/verify-access-token.ts'

/** What a core offers. */
export interface Services {
  readonly keys: KeyService
  readonly organizations: OrganizationService
  readonly users: UserService
  readonly roles: RoleService
  readonly permissions: PermissionService
  readonly tokens: TokenService
  readonly sessions: SessionService
  readonly login: LoginService
  readonly blocks: BlockService
  readonly signingKeys: SigningKeys
  readonly usage: UsageService
  readonly logs: RequestLog
  readonly audit: AuditLog
}

export interface ComposeOptions {
  readonly options: ResolvedOptions
  readonly storage: Storage
  readonly clock: Clock
  readonly warn: (message: string) => void
  /** Counts requests; null when nobody does. */
  readonly recorder: (UsageFlush & UsageCounter) | null
  /** What is logged and not written yet; null where nothing is logged. */
  readonly requestLog: { flush(): Promise<boolean> } | null
  /** Resolves when everything was read that decides about requests. */
  readonly ready: Promise<void>
  /** Hears what limits decide; null where nobody measures. */
  readonly meter: LimitMeter | null
  /** Counts limits for all processes together; null where each counts for itself. */
  readonly shared: SharedLimits | null
}

/** The services, and what stands behind them. */
export type Composition = ReturnType<typeof composeServices>

export function composeServices(composed: ComposeOptions) {
  const { options: resolved, storage, clock, warn, ready, meter, recorder, shared } = composed
  const audit = new AuditLog({
    store: storage.audit,
    clock,
    secrets: resolved.secrets,
    retention: resolved.audit.retention,
    onFailure: () => warn('an audit event could not be written'),
    warn,
  })
  const roles = new RoleRegistry(resolved.roles)
  const permissions = new PermissionRegistry(resolved)
  const { staleness } = resolved.cluster
  const appOrganizations = new AppOrganizations({
    store: storage.organizations,
    clock,
    staleness,
    size: resolved.apiKeys.cacheSize,
  })
  const directory = new UserDirectory(resolved.users, roles, appOrganizations)
  const keyHasher = createSecretHasher(resolved.secrets, 'api-key-pepper')
  const tokenHasher = createSecretHasher(resolved.secrets, 'bearer-token-pepper')
  const signingKeys = new SigningKeys({
    store: storage.signingKeys,
    clock,
    secrets: resolved.secrets,
    algorithm: resolved.jwt.algorithm,
    accessTtl: resolved.jwt.accessTtl,
    clockTolerance: resolved.jwt.clockTolerance,
    staleness,
    audit,
    // Tokens that it signed were proven by it alone.
    onRemoved: () => authenticators.jwts.cache.clear(),
  })
  const attempts = new AttemptGate({ clock, capacity: resolved.rateLimit.maxSubjects })
  const authenticators = createAuthenticators({
    storage,
    attempts,
    clock,
    apiKeys: resolved.apiKeys,
    staleness,
    idleTtl: resolved.sessions.idleTtl,
    keyHasher,
    tokenHasher,
    users: directory,
    appOrganizations,
    verifyAccessToken: createAccessTokenVerifier({ keys: signingKeys, jwt: resolved.jwt }),
    verifyOwnToken: resolved.bearer?.verify,
    ready,
  })
  const { invalidate } = authenticators
  const common = { clock, invalidate, audit }

  const roleReader = new RoleReader(storage.roles, roles, () => authenticators.clear())

  const known = new KnownUsers({ users: storage.users, directory, roles })
  const owners = new CredentialOwners({
    organizations: storage.organizations,
    known,
    refuseOutOfReach: (actor, subject) => audit.refuseOutOfReach(actor, subject),
  })
  const passwords = new Passwords()
  const limits = createLimits({ options: resolved, storage, clock, audit, warn, attempts, meter, shared })
  const accessTokens = new AccessTokens({ keys: signingKeys, jwt: resolved.jwt, claims: resolved.claims, warn })
  const keys = new KeyService({
    ...common,
    keys: storage.keys,
    prefix: resolved.apiKeys.prefix,
    owners,
    permissions,
    hasher: keyHasher,
    credits: limits.credits,
    defaultRateLimit: resolved.apiKeys.defaultRateLimit,
    defaultPermissions: resolved.apiKeys.defaultPermissions,
    use: limits.keyUse,
    resolveApiKey: (text, presenter) => authenticators.apiKeys.resolve(text, presenter),
    foreignLookups: (text) => authenticators.foreignTexts.lookupsOf(text),
    importKinds: resolved.apiKeys.importKinds,
    uses: recorder,
  })
  const tokens = new TokenService({
    ...common,
    families: storage.refreshFamilies,
    directory,
    accessTokens,
    refreshTokens: createRefreshTokens(resolved.secrets),
    jwt: resolved.jwt,
    users: storage.users,
    permissions,
    bearer: new BearerTokenService({
      ...common,
      tokens: storage.bearerTokens,
      owners,
      permissions,
      hasher: tokenHasher,
    }),
  })
  const sessions = new SessionService({
    ...common,
    sessions: storage.sessions,
    users: storage.users,
    known,
    options: resolved.sessions,
  })
  const users = new UserService({
    ...common,
    users: storage.users,
    organizations: storage.organizations,
    sessions: storage.sessions,
    families: storage.refreshFamilies,
    known,
    roles,
    passwords,
  })
  const login = new LoginService({
    throttle: limits.throttle,
    users: storage.users,
    directory,
    passwords,
    app: resolved.users,
  })

  const organizations = new OrganizationService({
    ...common,
    organizations: storage.organizations,
    keys: storage.keys,
    permissions,
  })
  const roleService = new RoleService({
    ...common,
    store: storage.roles,
    registry: roles,
    permissions,
    configured: resolved.roles,
    reload: () => roleReader.readNow(),
  })
  const permissionService = new PermissionService({ ...common, registry: permissions, store: storage.permissions })

  const usage = new UsageService({
    store: storage.usage,
    keys: storage.keys,
    organizations: storage.organizations,
    requireKey: (id, actor) => requireKey({ keys: storage.keys, audit }, id, actor),
    audit,
    recorder,
    kept: resolved.usage || USUALLY_KEPT,
    clock,
  })

  const logs = new RequestLog({
    store: storage.requestLog,
    clock,
    audit,
    // What goes to a sink is not read here.
    recorder: resolved.logging.sink === undefined ? composed.requestLog : null,
    retention: resolved.logging.retention,
  })

  const services: Services = {
    keys,
    organizations,
    users,
    roles: roleService,
    permissions: permissionService,
    tokens,
    sessions,
    login,
    blocks: limits.blocks,
    signingKeys,
    usage,
    logs,
    audit,
  }
  return { services, authenticators, limits, roles, roleReader, permissions, keyHasher, tokenHasher }
}
