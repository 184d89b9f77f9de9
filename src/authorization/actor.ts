/** Who does something to stored things, and how far he reaches. */
import { MachineAuthError } from '../errors.ts'
import type { Environment, RateLimitSetting } from '../storage/records.ts'
import { PermissionSet, PLATFORM_ADMIN } from './permission-set.ts'

/** The acting side of a service call. Every principal is one. */
export interface Actor {
  readonly id: string
  readonly organizationId: string | null
  /** Who has no roles listed has none. */
  readonly user: { readonly id: string; readonly roles?: readonly string[] } | null
  readonly granted: PermissionSet
  /** The API key he acts by, whose limits bind what he makes with it. */
  readonly apiKey?: KeyLimits
  /** The request he acts by, for the audit log; missing for code. */
  readonly origin?: { readonly address: string | null; readonly requestId: string | null }
}

/** What limits a key besides its permissions. */
export interface KeyLimits {
  readonly environment: Environment
  /** Ranges; anywhere when empty. */
  readonly ipAllowlist: readonly string[]
  /** RFC 3339; null or missing for a key that does not expire. */
  readonly expiresAt?: string | null
  /** Its own; null or missing for a key that has none. */
  readonly rateLimit?: RateLimitSetting | null
  readonly monthlyQuota?: number | null
  readonly credits?: { readonly remaining: number } | null
}

/** Code and command line: they hold the database anyway. */
export const SYSTEM: Actor = Object.freeze({
  id: 'system',
  organizationId: null,
  user: null,
  granted: PermissionSet.ALL,
})

/** What an actor can see and touch. */
export type Reach =
  | { readonly kind: 'platform' }
  | { readonly kind: 'organization'; readonly organizationId: string }
  /** No organization and no platform reach: only what is his own. */
  | { readonly kind: 'own'; readonly userId: string | null }

export function reachOf(actor: Actor): Reach {
  if (actor.organizationId !== null) return { kind: 'organization', organizationId: actor.organizationId }
  if (actor.granted.has(PLATFORM_ADMIN)) return { kind: 'platform' }
  return { kind: 'own', userId: actor.user?.id ?? null }
}

/** Whether nothing is beyond an actor, whoever it belongs to. */
export function isAlmighty(actor: Actor): boolean {
  return actor.organizationId === null && actor.granted.has('*')
}

/** Whether a thing of that organization and user is within reach. */
export function isWithinReach(
  reach: Reach,
  thing: { readonly organizationId: string | null; readonly userId: string | null },
): boolean {
  switch (reach.kind) {
    case 'platform':
      return true
    case 'organization':
      return thing.organizationId === reach.organizationId
    case 'own':
      return thing.organizationId === null && thing.userId !== null && thing.userId === reach.userId
  }
}

function requireNothingMissing(missing: readonly string[], detail: string): void {
  if (missing.length > 0) throw new MachineAuthError('permission_required', { detail, required: missing })
}

function grantsPlatform(name: string): boolean {
  return new PermissionSet([name]).has(PLATFORM_ADMIN)
}

/**
 * Demands that an actor has all he wants to give. Whoever belongs to an organization has no platform reach, whatever
 * his wildcards say, and so cannot give it either: not `*`, not `platform.admin`.
 *
 * @throws MachineAuthError `permission_required`, naming what he lacks
 */
export function requireGrantable(actor: Actor, permissions: readonly string[]): void {
  const isBound = actor.organizationId !== null
  requireNothingMissing(
    permissions.filter((name) => !actor.granted.has(name) || (isBound && grantsPlatform(name))),
    'Nobody can grant more than he has.',
  )
}

/**
 * Demands that an actor can do all that someone else can, before he acts as him or changes how he logs in.
 *
 * @throws MachineAuthError `permission_required`, naming what he lacks
 */
export function requireCovering(actor: Actor, permissions: readonly string[]): void {
  requireNothingMissing(actor.granted.missing(permissions), 'Nobody can act on someone who may do more than he.')
}

/**
 * Demands that an actor has the roles that he gives or acts under: a role opens `requireRole` by its name. Who reaches
 * the platform need not have them. Who may do everything in an organization need not either, where a role grants
 * something: that he has already. One that grants nothing opens doors by its name alone, and is nobody's to give but
 * those who have it.
 *
 * @param grantsOf the permissions of a role
 * @throws MachineAuthError `permission_required`, naming the roles he lacks
 */
export function requireRolesOf(
  actor: Actor,
  roles: readonly string[],
  grantsOf: (role: string) => readonly string[],
): void {
  if (reachOf(actor).kind === 'platform') return
  const own = actor.user?.roles ?? []
  const isCovered = (role: string) => actor.granted.has('*') && grantsOf(role).length > 0
  requireNothingMissing(
    roles.filter((role) => !own.includes(role) && !isCovered(role)),
    'Nobody can give a role that he has not, or act on someone who has it.',
  )
}

/**
 * Demands that an actor does not act by a limited API key, before he makes or changes a credential that cannot carry its
 * limits: a token, or a user's login.
 *
 * @throws MachineAuthError `permission_required`
 */
export function requireUnlimitedKey({ apiKey }: Actor): void {
  if (apiKey === undefined) return
  const { environment, ipAllowlist, expiresAt, rateLimit, monthlyQuota, credits } = apiKey
  const limits = [expiresAt, rateLimit, monthlyQuota, credits]
  const isLimited = limits.some((limit) => limit !== undefined && limit !== null)
  if (environment === 'live' && ipAllowlist.length === 0 && !isLimited) return
  throw new MachineAuthError('permission_required', {
    detail:
      'A key for tests, for some addresses, for a time or for a number of uses makes no token and no user with a password, and changes no user: they would not have its limits. Use a key without limits, or log in.',
  })
}

/**
 * Demands platform reach.
 *
 * @throws MachineAuthError `permission_required`
 */
export function requirePlatform(actor: Actor): void {
  if (reachOf(actor).kind === 'platform') return
  throw new MachineAuthError('permission_required', {
    detail: "This needs platform reach: platform.admin, and no organization of one's own.",
    required: [PLATFORM_ADMIN],
  })
}
