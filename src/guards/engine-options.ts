/** What the guard engine needs of a core, out of its options. */
import type { Authenticators } from '../authentication/authenticators.ts'
import { createMasterKeyCheck } from '../authentication/master-key.ts'
import type { PermissionRegistry } from '../authorization/registry.ts'
import { clientAddress, compileTrustedProxies } from '../lib/forwarded.ts'
import { createAddressMatcher } from '../lib/ip.ts'
import type { Life } from '../life/life.ts'
import type { MasterKeyThrottle } from '../limits/master-key-throttle.ts'
import type { ResolvedOptions } from '../options/resolved.ts'
import type { EngineOptions } from './engine.ts'
import { type Observers, RequestObserver } from './observation.ts'
import { createRequestIds } from './request-id.ts'
import type { RequestLimits } from './request-limits.ts'

export interface KnownToCore {
  readonly limits: RequestLimits
  readonly masterKeys: MasterKeyThrottle
  /** Resolves when it is known who is blocked. */
  readonly ready: Promise<void>
  /** Null while stored roles are not loaded yet. */
  readonly hasRole: () => ((name: string) => boolean) | null
  readonly permissions: PermissionRegistry
  readonly observers: Observers
  readonly life: Life
}

export function createEngineOptions(
  options: ResolvedOptions,
  authenticators: Authenticators,
  known: KnownToCore,
): EngineOptions {
  const proxies = compileTrustedProxies(options.trustProxy)
  const { masterKeyAddresses } = options
  const { apiKeys, jwts, bearers, sessions } = authenticators
  return {
    environment: {
      keyHeaders: options.apiKeys.headers,
      schemes: new Set(options.apiKeys.schemes),
      keyPrefix: options.apiKeys.prefix,
      cookieName: options.sessions.cookie,
      trustedOrigins: options.sessions.trustedOrigins,
      apiKeys,
      jwts,
      bearers,
      sessions,
      isMasterKey: createMasterKeyCheck(options.masterKeys),
      masterKeys: known.masterKeys,
      masterKeyAllows: masterKeyAddresses.length === 0 ? null : createAddressMatcher(masterKeyAddresses),
      nextRequestId: createRequestIds(),
    },
    limits: known.limits,
    ready: known.ready,
    life: known.life,
    observer: Object.values(known.observers).some((observer) => observer !== null)
      ? new RequestObserver(known.observers)
      : null,
    clientAddress: (socket, headers) => clientAddress(socket, proxies, headers),
    protect: options.protect,
    hideCredentials: options.hideCredentials,
    onDenied: options.onDenied,
    knownNames: () => ({
      hasRole: known.hasRole(),
      hasPermission: (name) => known.permissions.has(name),
      hasModule: (name) => known.permissions.hasModule(name),
    }),
  }
}
