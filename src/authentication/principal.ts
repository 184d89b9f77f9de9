/** Who is asking: what a credential proved. */

import type { PermissionSet } from '../authorization/permission-set.ts'
import type { ErrorCode, ErrorExtras } from '../errors.ts'
import type { RateLimitSetting } from '../storage/records.ts'
import type { ApiKeyView } from './views.ts'

/** A user as handlers see it. An app's own `users.load` adds members to it. */
export interface User {
  readonly id: string
  readonly email: string
  readonly roles: readonly string[]
  /** Granted names and wildcards, sorted. */
  readonly permissions: readonly string[]
  readonly organizationId: string | null
}

/** An opaque or JWT bearer credential as handlers see it. Times are RFC 3339 UTC. */
export interface BearerToken {
  readonly kind: 'jwt' | 'opaque'
  /** The `jti` of a JWT, the record's id of a token of ours, null for a token of the app's own. */
  readonly id: string | null
  readonly userId: string | null
  readonly clientId: string | null
  readonly organizationId: string | null
  readonly permissions: readonly string[]
  readonly expiresAt: string | null
  /** All claims of a JWT; empty for opaque tokens. */
  readonly claims: Readonly<Record<string, unknown>>
}

/** A session as handlers see it. Times are RFC 3339 UTC. */
export interface Session {
  readonly id: string
  readonly userId: string
  readonly createdAt: string
  readonly expiresAt: string
}

interface PrincipalBase {
  /** What acts: a key's, user's or client's id. */
  readonly id: string
  readonly organizationId: string | null
  /** The user behind the credential, or null for a key without an owner and for a client. */
  readonly user: User | null
  /** What it may do, after a key was cut down to its owner. */
  readonly granted: PermissionSet
}

/** What limits how often a key may be used, as stored. */
export interface KeyUse {
  /** The key's own, else its organization's. */
  readonly rateLimit: RateLimitSetting | null
  readonly monthlyQuota: number | null
  readonly organizationQuota: { readonly organizationId: string; readonly limit: number } | null
  /** `every` and `since` (when a refill last came) in ms. */
  readonly credits: { readonly refill: { readonly every: number; readonly since: number } | null } | null
}

export interface ApiKeyPrincipal extends PrincipalBase {
  readonly kind: 'apiKey'
  readonly apiKey: ApiKeyView
  /** Null when the key may come from anywhere. */
  readonly allowsAddress: ((address: string) => boolean) | null
  /** When it expires (RFC 3339), if that is soon enough to say so in every answer. */
  readonly expiryWarning: string | null
  readonly use: KeyUse
  /** What those who count its use hold of it. In itself: a map of as many keys takes as much again. */
  counted?: object | undefined
}

export interface TokenPrincipal extends PrincipalBase {
  readonly kind: 'jwt' | 'bearer'
  readonly bearerToken: BearerToken
}

export interface SessionPrincipal extends PrincipalBase {
  readonly kind: 'session'
  readonly session: Session
}

export interface MasterPrincipal extends PrincipalBase {
  readonly kind: 'master'
}

export type Principal = ApiKeyPrincipal | TokenPrincipal | SessionPrincipal | MasterPrincipal

/** A key that is refused although its text is right: what is recorded of the request is recorded of it. */
export interface RefusedKey {
  readonly id: string
  readonly organizationId: string | null
}

/** A credential that was presented and does not count, with the answer it gets. */
export interface Refusal {
  readonly kind: 'refused'
  readonly code: ErrorCode
  readonly extras?: ErrorExtras
  readonly refusedKey?: RefusedKey
  /**
   * Of what is stored under a secret that this process does not have: right or wrong, nobody here can tell. The answer
   * is that of a wrong one, but it is not held against whoever presents it.
   */
  readonly isUnverifiable?: true
}

export type Outcome<P extends Principal = Principal> = P | Refusal

/** Builds a refusal. */
export function refusal(code: ErrorCode, extras?: ErrorExtras): Refusal {
  return extras === undefined ? { kind: 'refused', code } : { kind: 'refused', code, extras }
}

/** The same answer for a credential that cannot be verified here, and so cannot be called wrong either. */
export function unverifiable(refused: Refusal): Refusal {
  return { ...refused, isUnverifiable: true }
}

/** Whether a credential is unknown or forged, by the code that says so: then it counts against who presents it. */
export function isWrong(outcome: Outcome, code: ErrorCode): boolean {
  return outcome.kind === 'refused' && outcome.code === code && outcome.isUnverifiable !== true
}
