/** What the options come to. */

import type { DurationInput } from '../lib/duration.ts'
import type { RateLimitSetting, SigningAlgorithm } from '../storage/records.ts'
import type { HashKind } from './hash-kind.ts'
import type { LimitPolicy, LimitStrategy } from './limit-types.ts'
import type { LoggingMode, RequestLogSink } from './recording-types.ts'
import type {
  DatabaseOption,
  ExpiringKey,
  MachineAuthOptions,
  ModuleDefinition,
  ProtectRule,
  UsersOption,
} from './types.ts'

/** Options after defaults, parsing and checks; frozen. Durations are milliseconds. */
export interface ResolvedOptions {
  /** Newest first, at least one. */
  readonly secrets: readonly string[]
  /** Newest first, possibly none. */
  readonly masterKeys: readonly string[]
  readonly masterKeyAddresses: readonly string[]
  readonly production: boolean
  readonly management: boolean
  readonly tokens: boolean
  readonly migrate: 'auto' | 'check'
  readonly permissions: readonly string[]
  readonly users: UsersOption<object>
  readonly bearer: MachineAuthOptions['bearer']
  readonly claims: MachineAuthOptions['claims']
  readonly onDenied: MachineAuthOptions['onDenied']
  readonly database: DatabaseOption
  readonly postgres: {
    readonly poolSize: number
    readonly timeout: number
    readonly prepare: boolean
    /** A path; null for the certificates of the system. */
    readonly ca: string | null
  }
  /** Null without Redis. */
  readonly redis: string | null
  readonly cluster: {
    readonly name: string
    readonly limits: 'shared' | 'local'
    /** Null for as many as were last seen in Redis. */
    readonly processes: number | null
    readonly withoutRedis: 'local' | 'refuse'
    readonly redisTimeout: number
    readonly staleness: number
  }
  readonly prefix: string
  readonly docs: false | { readonly path: string }
  readonly apiKeys: {
    readonly prefix: string
    /** Lower case. */
    readonly headers: readonly string[]
    /** Lower case. */
    readonly schemes: readonly string[]
    readonly cacheTtl: number
    readonly cacheSize: number
    readonly defaultRateLimit: false | RateLimitSetting
    readonly defaultPermissions: readonly string[]
    readonly expiryWarning: number
    readonly onExpiring: ((key: ExpiringKey) => void | Promise<void>) | undefined
    readonly importKinds: readonly HashKind[]
  }
  readonly jwt: {
    readonly algorithm: SigningAlgorithm
    readonly issuer: string
    readonly audience: string
    readonly accessTtl: number
    readonly refreshTtl: number
    readonly refreshReuseWindow: number
    readonly clockTolerance: number
  }
  readonly sessions: {
    /** The full cookie name, with `__Host-` when that applies. */
    readonly cookie: string
    readonly ttl: number
    readonly idleTtl: number | null
    readonly sameSite: 'lax' | 'strict' | 'none'
    readonly secure: boolean
    readonly trustedOrigins: readonly string[]
  }
  readonly roles: Readonly<Record<string, readonly string[]>>
  readonly modules: Readonly<Record<string, ModuleDefinition>>
  readonly trustProxy: false | { readonly from: readonly string[]; readonly header: string }
  readonly rateLimit: {
    readonly strategy: LimitStrategy
    /** Empty for none. */
    readonly default: readonly LimitPolicy[]
    readonly headers: 'both' | 'ietf' | 'x' | false
    readonly login: { readonly limit: number; readonly window: number }
    readonly maxSubjects: number
  }
  readonly abuse: {
    /** Null when nothing is counted. */
    readonly threshold: number | null
    readonly window: number
    readonly blockFor: DurationInput
    readonly allow: readonly string[]
  }
  readonly audit: {
    /** ms; null for ever. */
    readonly retention: number | null
  }
  readonly usage:
    | false
    | {
        readonly flushInterval: number
        readonly batchSize: number
        readonly durability: 'buffered' | 'journaled'
        /** Null for the usual place. */
        readonly journal: string | null
        readonly retention: number
        readonly dailyRetention: number
      }
  readonly logging: {
    readonly mode: LoggingMode
    readonly retention: number
    /** Bytes. */
    readonly maxBody: number
    /** Lower case. */
    readonly redact: readonly string[]
    readonly unsafeRaw: boolean
    readonly sink: RequestLogSink | undefined
  }
  readonly metrics: false | { readonly open: boolean }
  readonly shutdown: false | { readonly delay: number; readonly timeout: number }
  readonly protect: readonly ProtectRule[]
  readonly hideCredentials: boolean
  /** Things that work but deserve a look; the plugin prints them once at start. */
  readonly warnings: readonly string[]
}
