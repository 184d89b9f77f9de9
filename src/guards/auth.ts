/** The `auth` of every handler: the guards as calls, for what a route cannot say in its options. */
import type { BearerToken, Principal, Session, User } from '../authentication/principal.ts'
import type { ApiKeyView } from '../authentication/views.ts'
import { type Ownership, requireOwnership } from './ownership.ts'
import type { Presented } from './presented.ts'
import {
  type ApiKeyRequirement,
  findOptionalUser,
  type PermissionRequirement,
  requireApiKey,
  requireBearerToken,
  requireCurrentUser,
  requirePermission,
  requireRole,
  requireSession,
  requireUserPrincipal,
  toApiKeyRequirement,
  toPermissionRule,
} from './requirements.ts'
import { requireApiKeyValue, requireNames } from './values.ts'
import { type AnswerHeaders, setVary } from './vary.ts'

/** A list of role names, or one. */
export type RoleRequirement<Roles extends string> = Roles | readonly Roles[]

export function toList<T extends string>(value: T | readonly T[]): readonly T[] {
  return typeof value === 'string' ? [value] : value
}

/**
 * What a request's credentials prove, asked for in code.
 *
 * Each call gives the same answer for the whole request, builds on the ones before it, and throws `MachineAuthError`.
 *
 * @example
 * app.get('/report', async ({ auth }) => {
 *   const user = await auth.requireRole('admin')
 *   return reportFor(user.id)
 * })
 */
export class Auth<U extends object = object, Roles extends string = string> {
  readonly #presented: Presented
  readonly #headers: AnswerHeaders

  /** @param headers of the answer, which from the first question on depends on the credentials */
  constructor(presented: Presented, headers: AnswerHeaders) {
    this.#presented = presented
    this.#headers = headers
  }

  #ask(): Presented {
    setVary(this.#headers)
    return this.#presented
  }

  /** Who is asking; null until a guard or a call below has found out. */
  get principal(): Principal | null {
    return this.#presented.principal
  }

  /** The id of this request, as in the answer's `X-Request-Id` and in the log. */
  get requestId(): string {
    return this.#presented.requestId
  }

  /** The client's address, or null where nobody can tell. */
  get address(): string | null {
    return this.#presented.address
  }

  /** The request's API key. */
  async apiKey(requirement: ApiKeyRequirement | true = true): Promise<ApiKeyView> {
    requireApiKeyValue(requirement)
    return requireApiKey(this.#ask(), toApiKeyRequirement(requirement))
  }

  /** The request's opaque or JWT bearer credential. */
  async bearerToken(): Promise<BearerToken> {
    return requireBearerToken(this.#ask())
  }

  /** The request's session. */
  async session(): Promise<Session> {
    return requireSession(this.#ask())
  }

  /** The user behind the request's credential. */
  async currentUser(): Promise<User & U> {
    return requireCurrentUser(this.#ask()) as User & U
  }

  /** The user, or null for nobody; a wrong credential in a header is still refused. */
  async optionalUser(): Promise<(User & U) | null> {
    return findOptionalUser(this.#ask()) as (User & U) | null
  }

  /** The user, if he has one of the roles. */
  async requireRole(roles: RoleRequirement<Roles>): Promise<User & U> {
    return requireRole(this.#ask(), toList(roles)) as User & U
  }

  /** Whoever asks, if he has the permissions. */
  async requirePermission(permission: PermissionRequirement): Promise<Principal> {
    const rule = toPermissionRule(permission)
    // All of nothing would be a yes.
    if (rule.mode === 'all') requireNames('requirePermission', rule.names)
    return requirePermission(this.#ask(), rule)
  }

  /**
   * The resource, if it exists and the user owns it or has one of the roles.
   *
   * @throws MachineAuthError `not_found` for null or undefined, `not_owner`
   */
  async authorizedResource<T>(resource: T | null | undefined, ownership: Ownership<T>): Promise<NonNullable<T>> {
    const principal = requireUserPrincipal(this.#ask())
    return requireOwnership(this.#presented, principal, resource, ownership)
  }
}
