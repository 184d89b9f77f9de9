/**
 * What each guard demands, as a pure decision over what the request presents: `require*` returns what it proved or
 * throws `MachineAuthError`.
 */
import type {
  ApiKeyPrincipal,
  BearerToken,
  Principal,
  Session,
  SessionPrincipal,
  User,
} from '../authentication/principal.ts'
import type { ApiKeyView } from '../authentication/views.ts'
import { type ModuleRequirement, modulePermission } from '../authorization/modules.ts'
import type { ErrorCode } from '../errors.ts'
import { canonicalGrant } from '../lib/names.ts'
import type { Environment } from '../storage/records.ts'
import { findMasterKey } from './master-key.ts'
import type { Presented } from './presented.ts'

/** `apiKey: { … }`: what else the key must have. */
export interface ApiKeyRequirement {
  readonly permissions?: readonly string[]
  readonly environment?: Environment
}

/** All of a list, or any of one. */
export type PermissionRequirement = string | readonly string[] | { readonly any: readonly string[] }

export type CredentialKindName = 'apiKey' | 'jwt' | 'session'

function requireAll(presented: Presented, principal: Principal, permissions: readonly string[]): void {
  const missing = principal.granted.missing(permissions)
  if (missing.length > 0) throw presented.refuse('permission_required', { required: missing })
}

/** A requirement with its permissions in their stored form. */
export function toApiKeyRequirement(requirement: ApiKeyRequirement | true): ApiKeyRequirement | true {
  if (requirement === true || requirement.permissions === undefined) return requirement
  return { ...requirement, permissions: toStoredNames(requirement.permissions) }
}

/** The one API key of the request, from its header or from `Authorization`. */
function requireApiKeyPrincipal(presented: Presented, requirement: ApiKeyRequirement | true): ApiKeyPrincipal {
  const inHeader = presented.key
  const isInAuthorization = presented.authorizationKind === 'apiKey'
  if (inHeader !== undefined && isInAuthorization) {
    throw presented.refuse('request_malformed', { detail: 'Present one API key, not several.' })
  }
  const outcome = isInAuthorization ? presented.authorization : inHeader
  if (outcome === undefined) {
    // A token of another kind is no key; anything else in its place was meant to be one.
    switch (presented.authorizationKind) {
      case undefined:
      case 'jwt':
        throw presented.refuse('credential_missing')
      case 'ambiguous':
        throw presented.refuse('request_malformed')
      default:
        throw presented.refuse('api_key_invalid')
    }
  }
  const principal = presented.prove(outcome)
  if (principal.kind !== 'apiKey') throw presented.refuse('api_key_invalid')
  if (requirement === true) return principal
  if (requirement.environment !== undefined && principal.apiKey.environment !== requirement.environment) {
    throw presented.refuse('environment_mismatch', { required: [requirement.environment] })
  }
  if (requirement.permissions !== undefined) requireAll(presented, principal, requirement.permissions)
  return principal
}

export function requireApiKey(presented: Presented, requirement: ApiKeyRequirement | true): ApiKeyView {
  return requireApiKeyPrincipal(presented, requirement).apiKey
}

export function requireBearerToken(presented: Presented): BearerToken {
  const outcome = presented.authorization
  if (outcome === undefined || presented.authorizationKind === 'apiKey') throw presented.refuse('credential_missing')
  const principal = requirePrincipal(presented)
  if (principal.kind === 'jwt' || principal.kind === 'bearer') return principal.bearerToken
  throw presented.refuse('token_invalid')
}

export function requireSession(presented: Presented): Session {
  return requireSessionPrincipal(presented).session
}

export function requireSessionPrincipal(presented: Presented): SessionPrincipal {
  const outcome = presented.session
  if (outcome === undefined) throw presented.refuse('credential_missing')
  return presented.prove(outcome)
}

/** The master key opens management and `masterKey` guards; to every other guard it is a wrong token. */
function refuseMaster<O extends { readonly kind: string }>(outcome: O) {
  return outcome.kind === 'master' ? ({ kind: 'refused', code: 'token_invalid' } as const) : outcome
}

/** Whoever the request speaks for. */
export function requirePrincipal(presented: Presented): Principal {
  const outcome = presented.foremost
  if (outcome === undefined) throw presented.refuse('credential_missing')
  return presented.prove(refuseMaster(outcome) as typeof outcome)
}

const KIND_NAMES: Readonly<Record<Principal['kind'], CredentialKindName | null>> = {
  apiKey: 'apiKey',
  jwt: 'jwt',
  bearer: 'jwt',
  session: 'session',
  master: null,
}

/** A principal with a user behind it. */
export type UserPrincipal = Principal & { readonly user: User }

export function requireUserPrincipal(presented: Presented, via?: readonly CredentialKindName[]): UserPrincipal {
  const principal = requirePrincipal(presented)
  const kind = KIND_NAMES[principal.kind]
  if (via !== undefined && (kind === null || !via.includes(kind))) {
    throw presented.refuse('credential_missing', { detail: 'This route takes another kind of credential.' })
  }
  if (!hasUser(principal)) throw presented.refuse('user_required')
  return principal
}

function hasUser(principal: Principal): principal is UserPrincipal {
  return principal.user !== null
}

export function requireCurrentUser(presented: Presented, via?: readonly CredentialKindName[]): User {
  return requireUserPrincipal(presented, via).user
}

/** What becomes of a session that a browser still sends. */
const STALE_SESSION: ReadonlySet<ErrorCode> = new Set(['session_invalid', 'session_expired', 'organization_suspended'])

/** The user, or null for nobody. A wrong credential in a header is refused; a stale cookie is nobody. */
export function findOptionalUser(presented: Presented): User | null {
  const outcome = presented.foremost
  if (outcome === undefined) return null
  if (outcome.kind === 'refused' && outcome === presented.session && STALE_SESSION.has(outcome.code)) return null
  return requirePrincipal(presented).user
}

export function requireRole(presented: Presented, roles: readonly string[]): User {
  const user = requireCurrentUser(presented)
  if (!roles.some((role) => user.roles.includes(role))) {
    throw presented.refuse('role_required', { required: roles })
  }
  return user
}

/** A requirement in its one form. */
export interface PermissionRule {
  readonly mode: 'all' | 'any'
  readonly names: readonly string[]
}

/** `users:view` names the same as `users.view`; what is no name at all is left for others to report. */
function toStoredNames(names: readonly string[]): readonly string[] {
  if (!Array.isArray(names)) return names
  return names.map((name) => (typeof name === 'string' ? (canonicalGrant(name) ?? name) : name))
}

export function toPermissionRule(requirement: PermissionRequirement): PermissionRule {
  if (typeof requirement === 'string') return { mode: 'all', names: toStoredNames([requirement]) }
  if ('any' in requirement) return { mode: 'any', names: toStoredNames(requirement.any) }
  return { mode: 'all', names: toStoredNames(requirement) }
}

function requireRule(presented: Presented, principal: Principal, rule: PermissionRule): void {
  if (rule.mode === 'all') requireAll(presented, principal, rule.names)
  else if (!rule.names.some((name) => principal.granted.has(name))) {
    throw presented.refuse('permission_required', { required: rule.names })
  }
}

export function requirePermission(presented: Presented, rule: PermissionRule): Principal {
  const principal = requirePrincipal(presented)
  requireRule(presented, principal, rule)
  return principal
}

export function requireModule(presented: Presented, requirement: ModuleRequirement): Principal {
  const permission = modulePermission(requirement, presented.request.method)
  const principal = requirePrincipal(presented)
  // A method the table does not know has no permission anyone could hold.
  if (permission === null) throw presented.refuse('permission_required', { required: [] })
  requireAll(presented, principal, [permission])
  return principal
}

/** For the management endpoints: a principal with the permission, or the master key. */
export function requireManagement(presented: Presented, permission: string): Principal {
  const master = findMasterKey(presented)
  if (master !== null) return master
  const principal = requirePrincipal(presented)
  requireAll(presented, principal, [permission])
  return principal
}
