/** `createMachineAuth()`: everything but HTTP, put together. */
import { LoginService } from './accounts/login.ts'
import { OrganizationService } from './accounts/organizations.ts'
import { Passwords } from './accounts/passwords.ts'
import { PermissionService } from './accounts/permissions.ts'
import { RoleService } from './accounts/roles.ts'
import { UserService } from './accounts/users.ts'
import { createAuthenticators } from './authentication/authenticators.ts'
import { CredentialOwners } from './authentication/credential-owner.ts'
import { createSecretHasher } from './authentication/hasher.ts'
import { kindOfPepper } from './authentication/imported-keys/foreign-texts.ts'
import { UserDirectory } from './authentication/user-directory.ts'
import { PermissionRegistry } from './authorization/registry.ts'
import { RoleReader } from './authorization/role-reader.ts'
import { RoleRegistry } from './authorization/roles.ts'
import type { BlockService } from './blocks/service.ts'
import { ChangeWatcher } from './cluster/change-watcher.ts'
import { createLimits } from './guards/create-limits.ts'
import type { EngineOptions } from './guards/engine.ts'
import { createEngineOptions } from './guards/engine-options.ts'
import { createIdempotency } from './http/idempotency.ts'
import type { HttpServices } from './http/plugin.ts'
import { warnOfExpiry } from './keys/expiry-warnings.ts'
import { KeyService } from './keys/service.ts'
import type { Clock } from './lib/clock.ts'
import { AttemptGate } from './limits/attempt-gate.ts'
import { resolveOptions } from './options/resolve.ts'
import type { MachineAuthOptions, ResolvedOptions } from './options/types.ts'
import { AuditLog } from './recording/audit.ts'
import { SessionService } from './sessions/service.ts'
import { afterReady } from './storage/after-ready.ts'
import { openStorage } from './storage/open.ts'
import { AccessTokens } from './tokens/access-tokens.ts'
import { BearerTokenService } from './tokens/bearer.ts'
import { createRefreshTokens } from './tokens/refresh-tokens.ts'
import { TokenService } from './tokens/service.ts'
import { SigningKeys } from './tokens/signing-keys.ts'
import { createAccessTokenVerifier } from './tokens/verify-access-token.ts'

/** Carries what a core's users and roles are typed as; exists in types only. */
declare const TYPES: unique symbol

/** A core: the services, without HTTP. */
export interface MachineAuth<Roles extends string = string, U extends object = object> {
  readonly [TYPES]?: { readonly roles: Roles; readonly user: U }
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
  readonly audit: AuditLog
  /** Resolves when the database is migrated and read; rejects when it cannot be used. */
  readonly ready: Promise<void>
  /** Stops what runs in the background and closes the database it opened. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export type AnyMachineAuth = MachineAuth

/** For tests and embedding: the clock (ms), the environment variables and where files are looked for. */
export interface Runtime {
  readonly clock?: Clock
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  /** Hears of things that work but deserve a look. */
  readonly warn?: (message: string) => void
}

interface CoreInternals {
  readonly options: ResolvedOptions
  readonly engineOptions: EngineOptions
  readonly services: HttpServices
  /** Names the core among others of the process. */
  readonly seed: string
}

const internals = new WeakMap<object, CoreInternals>()

/** The side of a core that the plugin sees. */
export function internalsOfCore(core: AnyMachineAuth): CoreInternals {
  const found = internals.get(core)
  if (found === undefined) throw new TypeError('machineAuth(core): the core must come from createMachineAuth()')
  return found
}

export function isMachineAuth(value: unknown): value is AnyMachineAuth {
  return typeof value === 'object' && value !== null && internals.has(value)
}

/** ms between sweeps of what has expired. */
const SWEEP_INTERVAL = 3_600_000
/** ms after the start. */
const FIRST_SWEEP = 60_000

/**
 * Builds a core: the same as `machineAuth()` without HTTP, for scripts, tests and workers, or to share with apps.
 *
 * @param options as for `machineAuth`
 * @param runtime clock, environment and directory, when not the process's own
 * @throws OptionsError with one line per mistake
 * @example
 * await using core = createMachineAuth()
 * await core.ready
 * const { rawKey } = await core.keys.create({ name: 'CI' })
 */
export function createMachineAuth<const Roles extends string = 'admin', U extends object = object>(
  options: MachineAuthOptions<Roles, U> = {},
  runtime: Runtime = {},
): MachineAuth<Roles, U> {
  const clock = runtime.clock ?? Date.now
  const warn = runtime.warn ?? ((message: string) => console.warn(`machine-auth: ${message}`))
  const resolved = resolveOptions(options, { env: runtime.env ?? process.env, cwd: runtime.cwd ?? process.cwd() })
  for (const warning of resolved.warnings) warn(warning)

  const opened = openStorage(resolved.database, { migrate: resolved.migrate, clock })
  const storage = afterReady(opened.storage, opened.ready)
  const started = Promise.withResolvers<void>()
  // Whoever needs the core awaits `ready` and hears of it there.
  started.promise.catch(() => undefined)

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
  const directory = new UserDirectory(resolved.users, roles, storage.organizations)
  const keyHasher = createSecretHasher(resolved.secrets, 'api-key-pepper')
  const tokenHasher = createSecretHasher(resolved.secrets, 'bearer-token-pepper')
  const signingKeys = new SigningKeys({
    store: storage.signingKeys,
    clock,
    secrets: resolved.secrets,
    algorithm: resolved.jwt.algorithm,
    accessTtl: resolved.jwt.accessTtl,
    clockTolerance: resolved.jwt.clockTolerance,
    audit,
  })
  const attempts = new AttemptGate({ clock, capacity: resolved.rateLimit.maxSubjects })
  const authenticators = createAuthenticators({
    storage,
    attempts,
    clock,
    apiKeys: resolved.apiKeys,
    idleTtl: resolved.sessions.idleTtl,
    keyHasher,
    tokenHasher,
    users: directory,
    verifyAccessToken: createAccessTokenVerifier({ keys: signingKeys, jwt: resolved.jwt }),
    verifyOwnToken: resolved.bearer?.verify,
    ready: started.promise,
  })
  const { invalidate } = authenticators
  const common = { clock, invalidate, audit }

  const roleReader = new RoleReader(storage.roles, roles, () => authenticators.clear())

  const owners = new CredentialOwners({
    organizations: storage.organizations,
    users: storage.users,
    directory,
    roles,
    refuseOutOfReach: (actor, subject) => audit.refuseOutOfReach(actor, subject),
  })
  const passwords = new Passwords()
  const limits = createLimits({ options: resolved, storage, clock, audit, warn, attempts })
  const accessTokens = new AccessTokens({ keys: signingKeys, jwt: resolved.jwt, claims: resolved.claims, warn })
  const keys = new KeyService({
    ...common,
    keys: storage.keys,
    prefix: resolved.apiKeys.prefix,
    owners,
    permissions,
    hasher: keyHasher,
    credits: limits.credits,
    use: limits.keyUse,
    resolveApiKey: (text, presenter) => authenticators.apiKeys.resolve(text, presenter),
    foreignLookups: (text) => authenticators.foreignTexts.lookupsOf(text),
    importKinds: resolved.apiKeys.importKinds,
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
    hasExternalUsers: directory.isExternal,
    options: resolved.sessions,
  })
  const users = new UserService({
    ...common,
    users: storage.users,
    organizations: storage.organizations,
    sessions: storage.sessions,
    families: storage.refreshFamilies,
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

  const watcher = new ChangeWatcher(storage.changes, clock, {
    onChange({ kind, subject }) {
      invalidate(kind, subject)
      if (kind === 'role') roleReader.readSoon()
      if (kind === 'block') limits.onBlockChange(subject)
    },
    onGap() {
      roleReader.readSoon()
      limits.onGap()
    },
  })

  async function sweep(): Promise<void> {
    const now = clock()
    const { expiryWarning, onExpiring } = resolved.apiKeys
    await storage.sessions.purge(now)
    await storage.refreshFamilies.purge(now)
    await storage.idempotency.purge(now)
    await limits.sweep(now)
    await warnOfExpiry({ keys: storage.keys, ahead: expiryWarning, onExpiring, audit, warn }, now)
    await audit.sweep(now)
  }
  const sweepSoon = () => void sweep().catch(() => warn('what has ended could not be cleared away'))
  // The first one soon, for processes that are started anew every day; never in one that only runs a command.
  const sweeper = setTimeout(() => {
    sweepSoon()
    sweeping = setInterval(sweepSoon, SWEEP_INTERVAL)
    sweeping.unref()
  }, FIRST_SWEEP)
  let sweeping: ReturnType<typeof setInterval> | undefined
  sweeper.unref()

  async function start(): Promise<void> {
    await opened.ready
    await audit.seal()
    // Watched before anything is read, so that no change falls in between.
    await watcher.start()
    await limits.start()
    await roleReader.read()
    await signingKeys.ensureCurrent()
    await warnOfLostSecrets()
    await lookForForeignKeys()
  }

  async function warnOfLostSecrets(): Promise<void> {
    const lost =
      (await storage.keys.countUnknownPeppers(keyHasher.known)) +
      (await storage.bearerTokens.countUnknownPeppers(tokenHasher.known)) +
      (await signingKeys.countUnreadable())
    if (lost > 0) warn(`${lost} stored keys or tokens belong to a secret that is no longer given, and are refused`)
  }

  /** Keys that were imported work on without their kind, once they were used. */
  async function lookForForeignKeys(): Promise<void> {
    const peppers = await storage.keys.foreignPeppers()
    if (peppers.length > 0) authenticators.foreignTexts.open()
    const named = new Set(resolved.apiKeys.importKinds.map(({ name }) => name))
    for (const pepper of peppers) {
      const kind = kindOfPepper(pepper)
      if (kind === null || named.has(kind)) continue
      warn(`apiKeys.importKinds does not name '${kind}': the keys imported by it that were not used yet are refused`)
    }
  }

  let closing: Promise<void> | undefined
  function close(): Promise<void> {
    closing ??= (async () => {
      clearTimeout(sweeper)
      clearInterval(sweeping)
      roleReader.stop()
      await watcher.stop()
      await opened.ready.catch(() => undefined)
      await limits.stop()
      await audit.stop()
      await opened.storage.close()
    })()
    return closing
  }

  const core: MachineAuth<Roles, U> = {
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
    audit,
    ready: started.promise,
    close,
    [Symbol.asyncDispose]: close,
  }
  let isStarted = false
  start().then(
    () => {
      isStarted = true
      started.resolve()
    },
    (reason: unknown) => started.reject(reason),
  )
  internals.set(core, {
    options: resolved,
    engineOptions: createEngineOptions(resolved, authenticators, {
      limits: limits.requests,
      masterKeys: limits.masterKeys,
      ready: started.promise,
      hasRole: () => (isStarted ? (name) => roles.has(name) : null),
      permissions,
    }),
    services: {
      keys,
      organizations,
      users,
      roles: roleService,
      permissions: permissionService,
      blocks: limits.blocks,
      login,
      tokens,
      sessions,
      signingKeys,
      audit,
      idempotent: createIdempotency({ store: storage.idempotency, clock, secrets: resolved.secrets, warn }),
    },
    seed: crypto.randomUUID(),
  })
  return core
}
