/** The guards as route options, and `auth` in every handler: everything of the plugin that an app's types see. */

import { Elysia } from 'elysia'
import type { BearerToken, Principal, Session, User } from '../authentication/principal.ts'
import type { ApiKeyView } from '../authentication/views.ts'
import type { ModuleRequirement } from '../authorization/modules.ts'
import { toList } from '../lib/to-list.ts'
import { type CompiledPolicy, compilePolicies } from '../limits/policy.ts'
import type { LimitStrategy, RateLimitInput } from '../options/limit-types.ts'
import { Auth, type RoleRequirement } from './auth.ts'
import { refuseLostGuards } from './declarations.ts'
import { createGate, createMark } from './gate.ts'
import { createLimitGate } from './limit-gate.ts'
import { requireMasterKey } from './master-key.ts'
import {
  type ApiKeyRequirement,
  type CredentialKindName,
  findOptionalUser,
  type PermissionRequirement,
  requireApiKey,
  requireBearerToken,
  requireCurrentUser,
  requireModule,
  requirePermission,
  requireRole,
  requireSession,
  toApiKeyRequirement,
  toPermissionRule,
} from './requirements.ts'
import { presentedBy } from './state.ts'
import { asFirstHook } from './unhooked.ts'
import { requireApiKeyValue, requireMembers, requireNames, requirePermissionValue, requireTrue } from './values.ts'
import type { AnswerHeaders } from './vary.ts'

refuseLostGuards(Elysia.prototype)

/** `currentUser: { via: […] }`: only these kinds of credential. */
export interface CurrentUserRequirement {
  readonly via: readonly CredentialKindName[]
}

const CREDENTIAL_KINDS: readonly CredentialKindName[] = ['apiKey', 'jwt', 'session']

interface AuthContext {
  readonly request: Request
  readonly set: { readonly headers: AnswerHeaders }
  readonly route: string
  readonly params: Readonly<Record<string, string | undefined>>
  readonly store: object
}

/**
 * Makes the typed part of the plugin.
 *
 * @param seed one per core: Elysia drops a second plugin of the same name and seed
 * @param strategy of limits that name none
 */
export function createGuards<U extends object, Roles extends string>(
  seed: string,
  strategy: LimitStrategy = 'sliding-window',
) {
  type AppUser = User & U

  function attachAuth({ request, set, route, params, store }: AuthContext) {
    const presented = presentedBy(request)
    presented.meet(set.headers)
    presented.reach(route, store)
    const auth = new Auth<U, Roles>(presented, set.headers, route, params)
    return { auth }
  }

  /** A group's limit is one, however many routes it has. */
  const compiled = new WeakMap<object, readonly CompiledPolicy[]>()
  function compileOnce(value: RateLimitInput): readonly CompiledPolicy[] {
    const known = typeof value === 'object' && value !== null ? compiled.get(value) : undefined
    const policies = known ?? compilePolicies(value, strategy, 'rateLimit')
    compiled.set(value, policies)
    return policies
  }

  return new Elysia({ name: 'machine-auth', seed })
    .derive({ as: 'global' }, asFirstHook(attachAuth))
    .macro('apiKey', (value: true | ApiKeyRequirement) => {
      requireApiKeyValue(value)
      const requirement = toApiKeyRequirement(value)
      const mark = { name: 'apiKey', value: requirement === true ? {} : requirement }
      return createGate<{ apiKey: ApiKeyView }>(mark, (presented) => ({
        apiKey: requireApiKey(presented, requirement),
      }))
    })
    .macro('bearerToken', (value: true) => {
      requireTrue('bearerToken', value)
      return createGate<{ bearerToken: BearerToken }>({ name: 'bearerToken', value }, (presented) => ({
        bearerToken: requireBearerToken(presented),
      }))
    })
    .macro('session', (value: true) => {
      requireTrue('session', value)
      return createGate<{ session: Session }>({ name: 'session', value }, (presented) => ({
        session: requireSession(presented),
      }))
    })
    .macro('currentUser', (value: true | CurrentUserRequirement) => {
      if (value !== true) requireMembers('currentUser', value, ['via'])
      const via = value === true ? undefined : value.via
      if (via !== undefined) requireNames('currentUser.via', via, CREDENTIAL_KINDS)
      return createGate<{ currentUser: AppUser }>({ name: 'currentUser', value }, (presented) => ({
        currentUser: requireCurrentUser(presented, via) as AppUser,
      }))
    })
    .macro('optionalUser', (value: true) => {
      requireTrue('optionalUser', value)
      return createGate<{ optionalUser: AppUser | null }>({ name: 'optionalUser', value }, (presented) => ({
        optionalUser: findOptionalUser(presented) as AppUser | null,
      }))
    })
    .macro('requireRole', (value: RoleRequirement<Roles>) => {
      const roles = toList(value)
      requireNames('requireRole', roles)
      return createGate<{ currentUser: AppUser }>({ name: 'requireRole', value: roles }, (presented) => ({
        currentUser: requireRole(presented, roles) as AppUser,
      }))
    })
    .macro('requirePermission', (value: PermissionRequirement) => {
      requirePermissionValue(value)
      const rule = toPermissionRule(value)
      return createGate<{ principal: Principal }>({ name: 'requirePermission', value }, (presented) => ({
        principal: requirePermission(presented, rule),
      }))
    })
    .macro('requireModule', (value: string | ModuleRequirement) => {
      const requirement = typeof value === 'string' ? { module: value } : value
      requireMembers('requireModule', requirement, ['module', 'action'])
      requireNames('requireModule', [requirement.module])
      if (requirement.action !== undefined) requireNames('requireModule.action', [requirement.action])
      return createGate<{ principal: Principal }>({ name: 'requireModule', value: requirement }, (presented) => ({
        principal: requireModule(presented, requirement),
      }))
    })
    .macro('rateLimit', (value: RateLimitInput) => createLimitGate(compileOnce(value)))
    .macro('masterKey', (value: true) => {
      requireTrue('masterKey', value)
      return createGate<{ principal: Principal }>({ name: 'masterKey', value }, (presented) => ({
        principal: requireMasterKey(presented),
      }))
    })
    .macro('public', (value: true) => {
      requireTrue('public', value)
      return createMark({ name: 'public', value })
    })
}
