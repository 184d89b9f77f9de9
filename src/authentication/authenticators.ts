/** The table of credential kinds, with what must be forgotten when something changes. */
import { MachineAuthError } from '../errors.ts'
import type { CacheFigures } from '../lib/cache-figures.ts'
import type { Clock } from '../lib/clock.ts'
import type { ResolvedOptions } from '../options/resolved.ts'
import type { MachineAuthOptions } from '../options/types.ts'
import type { Storage } from '../storage/ports.ts'
import type { ChangeKind } from '../storage/records.ts'
import { createApiKeyKind } from './api-key.ts'
import type { AppOrganizations } from './app-organizations.ts'
import { Authenticator } from './authenticator.ts'
import type { SecretHasher } from './hasher.ts'
import { createForeignKeyKind } from './imported-keys/foreign-key.ts'
import { ForeignTexts } from './imported-keys/foreign-texts.ts'
import { type Attempts, KeyAuthenticator } from './imported-keys/key-authenticator.ts'
import { type Refusal, refusal, type SessionPrincipal, type TokenPrincipal } from './principal.ts'
import { createSessionKind, type SessionBase } from './session.ts'
import { createBearerKind, createJwtKind, type TokenBase, type VerifyAccessToken } from './token.ts'
import type { UserDirectory } from './user-directory.ts'

export interface AuthenticatorsOptions {
  readonly storage: Storage
  readonly clock: Clock
  readonly apiKeys: ResolvedOptions['apiKeys']
  /** ms since it was verified for which a credential is believed while storage is away. */
  readonly staleness: number
  /** Bounds who tries how many foreign keys. */
  readonly attempts: Attempts
  readonly idleTtl: number | null
  readonly keyHasher: SecretHasher
  readonly tokenHasher: SecretHasher
  readonly users: UserDirectory
  readonly appOrganizations: AppOrganizations
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
  readonly apiKeys: KeyAuthenticator
  /** Texts of keys that were made elsewhere. */
  readonly foreignTexts: ForeignTexts
  readonly jwts: Authenticator<TokenBase, TokenPrincipal>
  readonly bearers: Authenticator<TokenBase, TokenPrincipal>
  readonly sessions: Authenticator<SessionBase, SessionPrincipal>
  /** Forgets what depends on a subject; a changed role may concern anybody. */
  invalidate(kind: ChangeKind, subject: string): void
  clear(): void
  /** How the caches do, by what is cached. */
  figures(): Readonly<Record<CacheName, CacheFigures>>
}

type CacheName = 'api_key' | 'imported_key' | 'jwt' | 'bearer' | 'session'

export function createAuthenticators(options: AuthenticatorsOptions): Authenticators {
  const { storage, users, clock, staleness, ready } = options
  const { prefix, expiryWarning, cacheTtl: ttl, cacheSize: size, importKinds: kinds } = options.apiKeys
  const common = { clock, ttl, staleness, size, toRefusal, ready }
  const { keyHasher: hasher } = options
  const keyKind = createApiKeyKind({ prefix, expiryWarning, keys: storage.keys, hasher, users })
  const ownKeys = new Authenticator(keyKind, common)
  const foreignTexts = new ForeignTexts({ prefix, kinds, hasher })
  const foreignKeys = new Authenticator(
    createForeignKeyKind({ texts: foreignTexts, kinds, keys: storage.keys, hasher, principalOf: keyKind.principalOf }),
    common,
  )
  const apiKeys = new KeyAuthenticator({
    own: ownKeys,
    foreign: foreignKeys,
    texts: foreignTexts,
    attempts: options.attempts,
  })
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
  const caches = [ownKeys.cache, foreignKeys.cache, jwts.cache, bearers.cache, sessions.cache]

  function clear(): void {
    options.appOrganizations.forget('*')
    for (const cache of caches) cache.clear()
  }

  return {
    apiKeys,
    foreignTexts,
    jwts,
    bearers,
    sessions,
    clear,
    figures: () => ({
      api_key: ownKeys.figures,
      imported_key: foreignKeys.figures,
      jwt: jwts.figures,
      bearer: bearers.figures,
      session: sessions.figures,
    }),
    invalidate(kind, subject) {
      if (kind === 'organization') options.appOrganizations.forget(subject)
      if (kind === 'role') clear()
      else for (const cache of caches) cache.invalidate(kind, subject)
    },
  }
}
