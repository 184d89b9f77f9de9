/** The `auth` of every handler: the guards as calls, for what a route cannot say in its options. */

import type { BearerToken, Principal, Session, User } from '../authentication/principal.ts'
import type { ApiKeyView } from '../authentication/views.ts'
import type { NewBlock } from '../blocks/new-block.ts'
import type { BlockView } from '../blocks/views.ts'
import { toList } from '../lib/to-list.ts'
import type { Reservation } from '../limits/key-allowance.ts'
import type { RateLimitInput } from '../options/limit-types.ts'
import { foremostKey, type KeyDemand, presentedKey } from './key-demand.ts'
import type { Whereabouts } from './limits-port.ts'
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

/** How a limit stands that `auth.rateLimit` counted for. */
export interface LimitStatus {
  readonly limit: number
  readonly remaining: number
  /** Seconds until everything is available again. */
  readonly resetAfter: number
}

/** What `auth.block` takes: by default it blocks the client's address, on this route. */
export interface BlockRequest extends Pick<NewBlock, 'duration' | 'reason'> {
  /** `'path'`: on this route alone; `'global'`: everywhere. Default `'path'`. */
  readonly scope?: 'path' | 'global'
  /** An address or range, or the id of a key, user or organization. Default: the client's address. */
  readonly subject?: string
}

/** A use of its key's quotas for who asks after the answer has begun, in a stream or an open socket. */
async function reserveLate(presented: Presented): Promise<Reservation | null> {
  if (presented.charges?.isKeyCharged === true) return null
  try {
    return await presented.limits.reserve(presented)
  } catch (failure) {
    // Only whoever asks for the key hears of it.
    return { kind: 'failed', failure }
  }
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
  readonly #route: string
  readonly #params: Whereabouts['params']

  /**
   * @param headers of the answer, which from the first question on depends on the credentials
   * @param route the route's pattern
   */
  constructor(presented: Presented, headers: AnswerHeaders, route: string, params: Whereabouts['params']) {
    this.#presented = presented
    this.#headers = headers
    this.#route = route
    this.#params = params
  }

  /**
   * What is asked may count for a limit: the answer's headers say how it stands.
   *
   * @param demand whose key the question asks for; null for nobody's
   */
  async #ask<T>(question: (presented: Presented) => T, demand: KeyDemand | null = foremostKey): Promise<T> {
    const presented = this.#presented
    setVary(this.#headers)
    const late = presented.charges?.isOver === true ? await reserveLate(presented) : null
    const { ahead } = presented.limits
    if (ahead !== null && demand !== null) await ahead.askKey(presented, demand, late)
    try {
      return late === null ? question(presented) : presented.ensureCharges().lend(late, () => question(presented))
    } finally {
      presented.writeHeaders(this.#headers)
    }
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
    return this.#ask((presented) => requireApiKey(presented, toApiKeyRequirement(requirement)), presentedKey)
  }

  /** The request's opaque or JWT bearer credential. */
  async bearerToken(): Promise<BearerToken> {
    return this.#ask(requireBearerToken, null)
  }

  /** The request's session. */
  async session(): Promise<Session> {
    return this.#ask(requireSession, null)
  }

  /** The user behind the request's credential. */
  async currentUser(): Promise<User & U> {
    return this.#ask((presented) => requireCurrentUser(presented) as User & U)
  }

  /** The user, or null for nobody; a wrong credential in a header is still refused. */
  async optionalUser(): Promise<(User & U) | null> {
    return this.#ask((presented) => findOptionalUser(presented) as (User & U) | null)
  }

  /** The user, if he has one of the roles. */
  async requireRole(roles: RoleRequirement<Roles>): Promise<User & U> {
    return this.#ask((presented) => requireRole(presented, toList(roles)) as User & U)
  }

  /** Whoever asks, if he has the permissions. */
  async requirePermission(permission: PermissionRequirement): Promise<Principal> {
    const rule = toPermissionRule(permission)
    // All of nothing would be a yes.
    if (rule.mode === 'all') requireNames('requirePermission', rule.names)
    return this.#ask((presented) => requirePermission(presented, rule))
  }

  /**
   * The resource, if it exists and the user owns it or has one of the roles.
   *
   * @throws MachineAuthError `not_found` for null or undefined, `not_owner`
   */
  async authorizedResource<T>(resource: T | null | undefined, ownership: Ownership<T>): Promise<NonNullable<T>> {
    const principal = await this.#ask((presented) => requireUserPrincipal(presented))
    return requireOwnership(this.#presented, principal, resource, ownership)
  }

  /**
   * Counts this request for a limit, in code: for what a route cannot say in its options.
   *
   * A limit counts once per request, however often it is asked for. Write limits as constants, not from what the
   * request says.
   *
   * @returns how it stands, the first of several
   * @throws MachineAuthError `rate_limited`, `locked_out`; TypeError when the limit is none
   * @example await auth.rateLimit({ limit: 10, window: '1m', by: 'user' })
   */
  async rateLimit(policy: RateLimitInput): Promise<LimitStatus> {
    const whereabouts = { route: this.#route, params: this.#params }
    const { ahead } = this.#presented.limits
    if (ahead !== null) await ahead.askInHandler(this.#presented, policy, whereabouts)
    const { rate, remaining, resetAfter } = await this.#ask(
      (presented) => presented.limits.chargeInHandler(presented, policy, whereabouts),
      null,
    )
    return { limit: rate.limit, remaining, resetAfter: Math.ceil(resetAfter / 1000) }
  }

  /**
   * Blocks the client's address, or another subject: from the next request on it gets 403 `address_blocked`.
   *
   * @returns the block, once it is stored; null for an address on the operator's allow-list, which nothing blocks
   * @throws MachineAuthError `validation_failed` for a subject or duration that is none
   * @example await auth.block({ duration: '1 hour', scope: 'path', reason: 'fraud' })
   */
  async block({ duration, scope = 'path', subject, reason }: BlockRequest): Promise<BlockView | null> {
    const { limits, address, principal } = this.#presented
    const place = scope === 'path' ? { scope, path: this.#route } : { scope }
    const blocked = subject ?? address ?? 'unknown'
    return limits.block({ subject: blocked, duration, reason, ...place }, principal?.id ?? 'app')
  }
}
