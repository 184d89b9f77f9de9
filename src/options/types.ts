/** What an app gives (`MachineAuthOptions`) and what the rest of the library reads (`ResolvedOptions`). */

import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import type { BaseSQLiteDatabase } from 'drizzle-orm/sqlite-core'
import type { MachineAuthError } from '../errors.ts'
import type { Environment, RateLimitSetting, SigningAlgorithm } from '../storage/records.ts'

/** A duration: text such as `'15m'`, `'30 days'`, `'0s'`, or a number of seconds. */
export type DurationInput = string | number

export type CrudVerb = 'view' | 'create' | 'update' | 'delete'
export type HttpVerb = 'get' | 'post' | 'put' | 'patch' | 'delete'

/** A module of permissions: `crud` makes `module.view` …, `actions` make `module.<action>.<method>`. */
export interface ModuleDefinition {
  readonly label?: string
  readonly crud?: readonly CrudVerb[]
  readonly actions?: Readonly<Record<string, readonly HttpVerb[]>>
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

/** `sqlite:FILE`, `sqlite::memory:`, `postgres://…`, or an app's own Drizzle database. */
export type DatabaseOption = string | { readonly db: SqliteHandle | PostgresHandle }

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

/** The members of the request that `onDenied` may look at. */
export interface DeniedContext {
  readonly request: Request
  readonly path: string
}

/** The options of `machineAuth()` and `createMachineAuth()`; everything has a safe default. */
export interface MachineAuthOptions<Roles extends string = string, U extends object = object> {
  readonly secret?: string | readonly string[]
  readonly masterKey?: string | readonly string[]
  readonly masterKeyAddresses?: readonly string[]
  readonly management?: false | Record<string, never>
  readonly tokens?: false | Record<string, never>
  readonly migrate?: 'auto' | 'check'
  readonly permissions?: readonly string[]
  readonly users?: UsersOption<U>
  readonly bearer?: {
    readonly verify: (token: string) => BearerVerification | null | Promise<BearerVerification | null>
  }
  /** Custom claims of an access token; reserved names are dropped with a warning. */
  readonly claims?: (user: {
    readonly id: string
    readonly email: string | null
    readonly roles: readonly string[]
  }) => Record<string, unknown> | Promise<Record<string, unknown>>
  /** Answers a refusal instead of problem+json; `undefined` keeps the usual answer. */
  readonly onDenied?: (
    error: MachineAuthError,
    context: DeniedContext,
  ) => Response | undefined | Promise<Response | undefined>
  readonly database?: DatabaseOption
  readonly prefix?: string
  readonly docs?: false | { readonly path?: string }
  readonly apiKeys?: {
    readonly prefix?: string
    readonly headers?: readonly string[]
    readonly schemes?: readonly string[]
    readonly cacheTtl?: DurationInput
    readonly cacheSize?: number
    readonly defaultRateLimit?: RateLimitSetting
  }
  readonly jwt?: {
    readonly algorithm?: SigningAlgorithm
    readonly issuer?: string
    readonly audience?: string
    readonly accessTtl?: DurationInput
    readonly refreshTtl?: DurationInput
    readonly refreshReuseWindow?: DurationInput
    readonly clockTolerance?: DurationInput
  }
  readonly sessions?: {
    readonly cookie?: string
    readonly ttl?: DurationInput
    readonly idleTtl?: DurationInput
    readonly sameSite?: 'lax' | 'strict' | 'none'
    readonly secure?: boolean
    readonly trustedOrigins?: readonly string[]
  }
  readonly roles?: { readonly [Name in Roles]: readonly string[] }
  readonly modules?: Readonly<Record<string, ModuleDefinition>>
  readonly trustProxy?: false | { readonly from: readonly string[]; readonly header?: string }
  readonly protect?: readonly ProtectRule[]
}

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
    readonly defaultRateLimit: RateLimitSetting
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
  readonly protect: readonly ProtectRule[]
  /** Things that work but deserve a look; the plugin prints them once at start. */
  readonly warnings: readonly string[]
}

export type { Environment }
