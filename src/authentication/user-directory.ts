/** Turns a stored or an app's own user into the `User` that handlers see. */
import type { PermissionSet } from '../authorization/permission-set.ts'
import type { RoleRegistry } from '../authorization/roles.ts'
import { Shared } from '../lib/shared.ts'
import { UNSAFE_MEMBERS } from '../lib/unsafe-members.ts'
import type { AppUser, UsersOption } from '../options/types.ts'
import type { OrganizationStore } from '../storage/ports/accounts.ts'
import type { OrganizationRecord, UserRecord } from '../storage/records.ts'
import type { User } from './principal.ts'

/** A user who may act, or why not. */
export type UserOutcome =
  | { readonly kind: 'user'; readonly user: User; readonly granted: PermissionSet }
  | { readonly kind: 'unknown' | 'disabled' | 'suspended' }

export interface StoredUser {
  readonly id: string
  readonly user: UserRecord | null
  readonly organization: OrganizationRecord | null
}

const UNKNOWN: UserOutcome = Object.freeze({ kind: 'unknown' })
const DISABLED: UserOutcome = Object.freeze({ kind: 'disabled' })
const SUSPENDED: UserOutcome = Object.freeze({ kind: 'suspended' })

/** Members of an app's user that could pollute a prototype never reach the handler. */
function copySafely(source: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(source).filter(([name]) => !UNSAFE_MEMBERS.has(name)))
}

export class UserDirectory {
  readonly #load: UsersOption<object>['load']
  readonly #roles: RoleRegistry
  readonly #organizations: Pick<OrganizationStore, 'find'>
  readonly #shared = new Shared()

  constructor(users: UsersOption<object>, roles: RoleRegistry, organizations: Pick<OrganizationStore, 'find'>) {
    this.#load = users.load
    this.#roles = roles
    this.#organizations = organizations
  }

  /** Whether users must be asked for anew on every request, because the app keeps them. */
  get isExternal(): boolean {
    return this.#load !== undefined
  }

  /** Synchronous for users of our own, a promise for an app's. */
  find(stored: StoredUser): UserOutcome | Promise<UserOutcome> {
    if (stored.user?.status === 'disabled') return DISABLED
    if (stored.organization?.status === 'suspended') return SUSPENDED
    if (this.#load !== undefined) return this.#loadExternal(stored)
    return stored.user === null ? UNKNOWN : this.#composeOwn(stored.user)
  }

  async #loadExternal(stored: StoredUser): Promise<UserOutcome> {
    const loaded: (object & Partial<AppUser>) | null | undefined = await this.#load?.(stored.id)
    // JavaScript answers anything: `false` is nobody.
    if (typeof loaded !== 'object' || loaded === null || Array.isArray(loaded)) return UNKNOWN
    const base = {
      id: stored.id,
      email: loaded.email ?? stored.user?.email ?? '',
      roles: loaded.roles ?? stored.user?.roles ?? [],
      organizationId: loaded.organizationId ?? stored.user?.organizationId ?? null,
    }
    if (base.organizationId !== null && base.organizationId !== stored.organization?.id) {
      const organization = await this.#organizations.find(base.organizationId)
      if (organization?.status === 'suspended') return SUSPENDED
    }
    return this.#compose(base, copySafely(loaded))
  }

  #composeOwn(stored: UserRecord): UserOutcome {
    // A role that was deleted opens nothing, not even `requireRole` by its name.
    const isKnown = (role: string) => this.#roles.has(role)
    const roles = stored.roles.every(isKnown) ? stored.roles : stored.roles.filter(isKnown)
    const organizationId = this.#shared.text(stored.organizationId)
    return this.#compose({ ...stored, organizationId, roles: this.#shared.list(roles) }, {})
  }

  #compose(base: Omit<User, 'permissions'>, extra: Record<string, unknown>): UserOutcome {
    const granted = this.#roles.permissionsOf(base.roles)
    const user: User = Object.freeze({
      ...extra,
      id: base.id,
      email: base.email,
      roles: base.roles,
      permissions: granted.names,
      organizationId: base.organizationId,
    })
    return { kind: 'user', user, granted }
  }
}
