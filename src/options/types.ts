/** What an app gives; `resolved.ts` says what it comes to. */

import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import type { BaseSQLiteDatabase } from 'drizzle-orm/sqlite-core'
import type { MachineAuthError } from '../errors.ts'
import type { DurationInput } from '../lib/duration.ts'
import type { Storage } from '../storage/ports.ts'
import type { RateLimitSetting, SigningAlgorithm } from '../storage/records.ts'
import type { ClusterOption, PostgresOption } from './cluster-types.ts'
import type { HashKind } from './hash-kind.ts'
import type { LimitStrategy, RateLimitInput } from './limit-types.ts'
import type { LoggingOption, ShutdownOption, UsageOption } from './recording-types.ts'

export type CrudVerb = 'view' | 'create' | 'update' | 'delete'
export type HttpVerb = 'get' | 'post' | 'put' | 'patch' | 'delete'

/** A module of permissions: `crud` makes `module.view` …, `actions` make `module.<action>.<method>`. */
export interface ModuleDefinition {
  readonly label?: string
  readonly crud?: readonly CrudVerb[]
  readonly actions?: Readonly<Record<string, readonly HttpVerb[]>>
}

/** A role that grants what other roles of the options grant, besides its own permissions. */
export interface RoleDefinition {
  readonly permissions: readonly string[]
  readonly inherits?: readonly string[]
}

/** The least an app's own `users.load` must answer. More members are carried, typed, into every handler. */
export interface AppUser {
  readonly id: string
  readonly email?: string
  readonly roles?: readonly string[]
  readonly organizationId?: string | null
}

/** An app's own users. Each member may answer directly or by promise. */
export interface UsersOption<U extends object> {
  /** The user of that id, or null when there is none: then its credentials are refused. Called once per request. */
  readonly load?: (id: string) => U | null | Promise<U | null>
  /** For login: the user of that e-mail (already lower-cased) or null. */
  readonly findByEmail?: (email: string) => { readonly id: string } | null | Promise<{ readonly id: string } | null>
  /** For login: whether the password is that user's. Called with `null` for an unknown e-mail: take as long as ever. */
  readonly verifyPassword?: (user: { readonly id: string } | null, password: string) => boolean | Promise<boolean>
}

/** What an app's own verifier says of an opaque bearer token; null refuses it. */
export interface BearerVerification {
  readonly userId?: string
  readonly organizationId?: string
  readonly permissions?: readonly string[]
  /** Epoch ms after which it must be verified again; at most the principal cache's time to live counts. */
  readonly expiresAt?: number
}

// biome-ignore lint/suspicious/noExplicitAny: Drizzle's handles are invariant in their schema and result types; any app's schema must fit
export type SqliteHandle = BaseSQLiteDatabase<'sync' | 'async', any, any>
// biome-ignore lint/suspicious/noExplicitAny: as above
export type PostgresHandle = PgDatabase<PgQueryResultHKT, any, any>

/** `sqlite:FILE`, `sqlite::memory:`, `postgres://…`, an app's own Drizzle database, or an app's own store. */
export type DatabaseOption =
  | string
  | { readonly db: SqliteHandle | PostgresHandle }
  | { readonly storage: () => Storage }

/** What a `protect` rule demands of every path under its prefix. */
export interface ProtectRule {
  readonly path: string
  readonly require: {
    readonly apiKey?: true
    readonly bearerToken?: true
    readonly session?: true
    readonly currentUser?: true
    readonly masterKey?: true
    readonly requireRole?: string | readonly string[]
    readonly requirePermission?: string | readonly string[] | { readonly any: readonly string[] }
  }
}

/** An API key that expires soon, as `apiKeys.onExpiring` hears of it. */
export interface ExpiringKey {
  readonly id: string
  readonly name: string
  /** The part of it that may be shown. */
  readonly prefix: string
  readonly organizationId: string | null
  readonly userId: string | null
  /** RFC 3339 UTC. */
  readonly expiresAt: string
}

/** The members of the request that `onDenied` may look at. */
export interface DeniedContext {
  readonly request: Request
  readonly path: string
}

/** The options of `machineAuth()` and `createMachineAuth()`; everything has a safe default. */
export interface MachineAuthOptions<Roles extends string = string, U extends object = object> {
  /**
   * Root of the key pepper and the signing keys, at least 32 random bytes; a list is newest first. Environment:
   * `MACHINE_AUTH_SECRET`. Required in production, with PostgreSQL and with Redis; in development on SQLite one is made
   * and kept in `.machine-auth/secret`.
   */
  readonly secret?: string | readonly string[]
  /**
   * Opens management and `masterKey` guards, at least 32 random bytes, never equal to `secret`; a list is newest first.
   * Environment: `MACHINE_AUTH_MASTER_KEY`. Default: none.
   */
  readonly masterKey?: string | readonly string[]
  /** Addresses and CIDR ranges the master key may be used from. Default `[]`: any. */
  readonly masterKeyAddresses?: readonly string[]
  /** `false` leaves the management endpoints out. Default: on. */
  readonly management?: false | Record<string, never>
  /** `false` leaves out the endpoints that issue, refresh and end tokens, login and the public keys. Default: on. */
  readonly tokens?: false | Record<string, never>
  /** `'auto'` applies pending migrations at start, `'check'` refuses to start with any. Default `'auto'`. */
  readonly migrate?: 'auto' | 'check'
  /** Permission names besides those that `modules` and `roles` declare. Default `[]`. */
  readonly permissions?: readonly string[]
  /** The app's own users, in place of the stored ones. Default `{}`: the stored ones. */
  readonly users?: UsersOption<U>
  /** The app's own opaque bearer tokens: says whom one speaks for, or null to refuse it. Default: none. */
  readonly bearer?: {
    readonly verify: (token: string) => BearerVerification | null | Promise<BearerVerification | null>
  }
  /** Custom claims of an access token; reserved names are dropped with a warning. Default: none. */
  readonly claims?: (user: {
    readonly id: string
    readonly email: string | null
    readonly roles: readonly string[]
  }) => Record<string, unknown> | Promise<Record<string, unknown>>
  /** Answers a refusal instead of problem+json; `undefined` keeps the usual answer. Default: none. */
  readonly onDenied?: (
    error: MachineAuthError,
    context: DeniedContext,
  ) => Response | undefined | Promise<Response | undefined>
  /**
   * `sqlite:FILE`, `sqlite::memory:`, `postgres://…`, `{ db }` with the app's own Drizzle database, or
   * `{ storage }` with a function that makes a store of its own. Environment: `MACHINE_AUTH_DATABASE`. Default `'sqlite:machine-auth.db'`.
   */
  readonly database?: DatabaseOption
  /** Connections to PostgreSQL, where `database` is `postgres://…`. */
  readonly postgres?: PostgresOption
  /**
   * `redis://…` or `rediss://…`: processes share their limits by it, and hear at once of what is revoked. Environment:
   * `MACHINE_AUTH_REDIS`. Default: none.
   */
  readonly redis?: string
  /** Several processes that serve one app. */
  readonly cluster?: ClusterOption
  /**
   * Path that the endpoints are under, without a slash at the end. Environment: `MACHINE_AUTH_PREFIX`. Default
   * `'/auth'`.
   */
  readonly prefix?: string
  /** Where the API documentation is served, or `false` for nowhere. Default `{ path: '/swagger' }`. */
  readonly docs?: false | { readonly path?: string }
  /** API keys: their text, where they are read from, and how long a verified one is remembered. */
  readonly apiKeys?: {
    /** Head of every new key: 2 to 16 lower-case letters and digits, a letter first. Default `'mac'`. */
    readonly prefix?: string
    /** Request headers that carry a key. Default `['x-api-key']`. */
    readonly headers?: readonly string[]
    /** Schemes of `Authorization` that carry a key. Default `['Bearer', 'ApiKey', 'machine_auth']`. */
    readonly schemes?: readonly string[]
    /** How long a verified key is remembered, as text or seconds. Default `'60s'`. */
    readonly cacheTtl?: DurationInput
    /** How many verified keys are remembered at most. Default `100_000`. */
    readonly cacheSize?: number
    /** Limit of a key that has none of its own, or `false` for none. Default `{ limit: 60, window: '1m' }`. */
    readonly defaultRateLimit?: false | RateLimitSetting
    /**
     * Permissions of a new key that names none, as far as who makes it may give them and its organization allows them;
     * an imported key that names none has none. Default `[]`.
     */
    readonly defaultPermissions?: readonly string[]
    /**
     * How long before it expires answers to a key say so in `X-API-Key-Expires`, as text or seconds; `'0s'` for never.
     * Default `'7d'`.
     */
    readonly expiryWarning?: DurationInput
    /** Hears of every key that expires within `expiryWarning`, once of each and expiry. Default: none. */
    readonly onExpiring?: (key: ExpiringKey) => void | Promise<void>
    /**
     * How keys that were made elsewhere are stored there: then they can be imported, and are hashed as ours are when
     * they are first used. Default: none.
     */
    readonly importKinds?: readonly HashKind[]
  }
  /** Access tokens (JWT) and refresh tokens. */
  readonly jwt?: {
    /** Signature of new access tokens. Default `'EdDSA'`. */
    readonly algorithm?: SigningAlgorithm
    /** The claim `iss`, 1 to 256 characters. Default `'machine-auth'`. */
    readonly issuer?: string
    /** The claim `aud`, 1 to 256 characters. Default: the issuer. */
    readonly audience?: string
    /** Lifetime of an access token, as text or seconds. Default `'15m'`. */
    readonly accessTtl?: DurationInput
    /** Lifetime of a refresh token, as text or seconds. Default `'30d'`. */
    readonly refreshTtl?: DurationInput
    /**
     * How long a spent refresh token gets its successor again instead of revoking the family, as text or seconds.
     * Default `'10s'`.
     */
    readonly refreshReuseWindow?: DurationInput
    /** How far clocks may be apart, as text or seconds, at most `'60s'`. Default `'30s'`. */
    readonly clockTolerance?: DurationInput
  }
  /** Sessions by cookie. */
  readonly sessions?: {
    /** Name of the cookie; `__Host-` is put before it when `secure`. Default `'session_id'`. */
    readonly cookie?: string
    /** Lifetime of a session, as text or seconds. Default `'7d'`. */
    readonly ttl?: DurationInput
    /** A session unused for this long ends, as text or seconds. Default: none. */
    readonly idleTtl?: DurationInput
    /** `SameSite` of the cookie; `'none'` needs `secure`. Default `'lax'`. */
    readonly sameSite?: 'lax' | 'strict' | 'none'
    /** Whether the cookie is `Secure`. Default: on outside development. */
    readonly secure?: boolean
    /** Other origins whose pages may send requests with the cookie. Default `[]`. */
    readonly trustedOrigins?: readonly string[]
  }
  /**
   * Permissions of each role, wildcards included; `{ permissions, inherits }` grants those of other roles too. Default
   * `{ admin: ['*'] }`.
   */
  readonly roles?: { readonly [Name in Roles]: readonly string[] | RoleDefinition }
  /** Modules, whose permissions `requireModule` derives from method and action. Default `{}`. */
  readonly modules?: Readonly<Record<string, ModuleDefinition>>
  /**
   * The proxies (addresses and CIDR ranges) whose `header` tells a client's address; its default is
   * `'x-forwarded-for'`. Environment: `MACHINE_AUTH_TRUST_PROXY`, the ranges. Default `false`: the socket's address.
   */
  readonly trustProxy?: false | { readonly from: readonly string[]; readonly header?: string }
  /** Limits on requests. */
  readonly rateLimit?: {
    /** How requests are counted where a limit does not say. Default `'sliding-window'`, which is exact. */
    readonly strategy?: LimitStrategy
    /**
     * A limit for every request, unknown paths included, but for routes that have a `rateLimit` of their own. All of
     * them count together. Default: none.
     */
    readonly default?: RateLimitInput
    /** Which headers say how a limit stands: `RateLimit`, `X-RateLimit-…`, both or none. Default `'both'`. */
    readonly headers?: 'both' | 'ietf' | 'x' | false
    /** Failed logins by address, above which the address waits. Default `{ limit: 5, window: '15m' }`. */
    readonly login?: RateLimitSetting
    /** How many subjects each limit remembers at most, 1,000 or more. Default `100_000`. */
    readonly maxSubjects?: number
  }
  /** Blocks addresses that present too many unknown or forged credentials; `false` blocks none by itself. */
  readonly abuse?:
    | false
    | {
        /** How many of them within `window`. Default 100. */
        readonly threshold?: number
        /** As text or seconds. Default `'1h'`. */
        readonly window?: DurationInput
        /** A duration, or a time of day in UTC. Default `'24h'`. */
        readonly blockFor?: DurationInput
        /** Addresses and CIDR ranges that nothing blocks. Default `[]`. */
        readonly allow?: readonly string[]
      }
  /** The log of management acts and denied attempts. */
  readonly audit?: {
    /** How long its events are kept, as text or seconds, above zero. Default: for ever. */
    readonly retention?: DurationInput
  }
  /** Counts of guarded requests by key, and when each key was last used; `false` for none of it. */
  readonly usage?: false | UsageOption
  /** The request log. */
  readonly logging?: LoggingOption
  /** `GET …/metrics`; `false` for none. `open`: to anybody, without a credential. Default `{ open: false }`. */
  readonly metrics?: false | { readonly open?: boolean }
  /**
   * What happens on SIGTERM and SIGINT while an app listens: no new connections, requests under way are finished, what
   * was recorded is written, the database is closed. `false`: nothing, the app calls `core.close()` itself.
   */
  readonly shutdown?: false | ShutdownOption
  /** Guards for whole path prefixes, unmatched routes there included. Default `[]`. */
  readonly protect?: readonly ProtectRule[]
  /**
   * Takes every credential out of a request once it is read: `Authorization`, the headers of API keys and of the master
   * key, and the session cookie. Handlers, other hooks and mounted apps see none of them; `auth` goes on working.
   * Default: off.
   */
  readonly hideCredentials?: boolean
}
