/** The table of credential kinds, with what must be forgotten when something changes. */
import { MachineAuthError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { MachineAuthOptions, ResolvedOptions } from '../options/types.ts'
import type { Storage } from '../storage/ports.ts'
import type { ApiKeyWithOwner, ChangeKind } from '../storage/records.ts'
import { createApiKeyKind } from './api-key.ts'
import { Authenticator } from './authenticator.ts'
import type { SecretHasher } from './hasher.ts'
import { type ApiKeyPrincipal, type Refusal, refusal, type SessionPrincipal, type TokenPrincipal } from './principal.ts'
import { createSessionKind, type SessionBase } from './session.ts'
import { createBearerKind, createJwtKind, type TokenBase, type VerifyAccessToken } from './token.ts'
import type { UserDirectory } from './user-directory.ts'

export interface AuthenticatorsOptions {
  readonly storage: Storage
  readonly clock: Clock
  readonly apiKeys: ResolvedOptions['apiKeys']
  readonly idleTtl: number | null
  readonly keyHasher: SecretHasher
  readonly tokenHasher: SecretHasher
  readonly users: UserDirectory
  readonly verifyAccessToken: VerifyAccessToken
  readonly verifyOwnToken: NonNullable<MachineAuthOptions['bearer']>['verify'] | undefined
  readonly ready: Promise<void>
}

/**
 * What the request gets when verification itself fails: nobody is let in, and nobody is called wrong. Storage says so
 * itself when it is away; anything else (an app's own verifier that throws) is a fault, logged where it is answered.
 */
function toRefusal(error: unknown): Refusal {
  return error instanceof MachineAuthError
    ? refusal(error.code, error.extras)
    : refusal('internal_error', { cause: error })
}

export interface Authenticators {
  readonly apiKeys: Authenticator<ApiKeyWithOwner, ApiKeyPrincipal>
  readonly jwts: Authenticator<TokenBase, TokenPrincipal>
  readonly bearers: Authenticator<TokenBase, TokenPrincipal>
  readonly sessions: Authenticator<SessionBase, SessionPrincipal>
  /** Forgets what depends on a subject; a changed role may concern anybody. */
  invalidate(kind: ChangeKind, subject: string): void
  clear(): void
}

export function createAuthenticators(options: AuthenticatorsOptions): Authenticators {
  const { storage, users, clock, ready } = options
  const common = { clock, ttl: options.apiKeys.cacheTtl, size: options.apiKeys.cacheSize, toRefusal, ready }
  const apiKeys = new Authenticator(
    createApiKeyKind({ prefix: options.apiKeys.prefix, keys: storage.keys, hasher: options.keyHasher, users }),
    common,
  )
  const jwts = new Authenticator(
    createJwtKind({ verify: options.verifyAccessToken, families: storage.refreshFamilies, users }),
    common,
  )
  const bearers = new Authenticator(
    createBearerKind({
      tokens: storage.bearerTokens,
      hasher: options.tokenHasher,
      users,
      findUser: (id) => storage.users.findWithOrganization(id),
      findOrganization: (id) => storage.organizations.find(id),
      verifyOwn: options.verifyOwnToken,
    }),
    common,
  )
  const sessions = new Authenticator(
    createSessionKind({ sessions: storage.sessions, users, idleTtl: options.idleTtl }),
    common,
  )
  const caches = [apiKeys.cache, jwts.cache, bearers.cache, sessions.cache]

  function clear(): void {
    for (const cache of caches) cache.clear()
  }

  return {
    apiKeys,
    jwts,
    bearers,
    sessions,
    clear,
    invalidate(kind, subject) {
      if (kind === 'role') clear()
      else for (const cache of caches) cache.invalidate(kind, subject)
    },
  }
}
