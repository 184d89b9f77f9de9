import type { OrganizationRecord, RoleRecord, UserRecord } from '../records.ts'
import type { Page, PageRequest } from './page.ts'

/** Only the members given are written; null takes a limit away. */
export type OrganizationPatch = Partial<
  Pick<OrganizationRecord, 'name' | 'status' | 'rateLimit' | 'monthlyQuota' | 'maxPermissions' | 'maxKeyLifetime'>
>

export interface OrganizationOrder {
  readonly sort?: 'createdAt' | 'name' | undefined
  readonly order?: 'asc' | 'desc' | undefined
}

export interface OrganizationStore {
  count(): Promise<number>
  /** Rejects with `conflict` when the name is taken. */
  insert(organization: OrganizationRecord): Promise<void>
  find(id: string): Promise<OrganizationRecord | null>
  findByName(name: string): Promise<OrganizationRecord | null>
  list(order: OrganizationOrder, page: PageRequest): Promise<Page<OrganizationRecord>>
  /**
   * Writes the given members in one transaction with a change; null when the id is unknown. Rejects with `conflict`
   * when the name is taken. Racing callers that give different members all take effect. With a `maxKeyLifetime` its
   * unrevoked keys and opaque tokens that would live longer from their creation end then, in the same transaction; none
   * lives longer by it.
   */
  update(id: string, patch: OrganizationPatch, now: number): Promise<OrganizationRecord | null>
}

/** Only the members given are written. */
export interface UserPatch {
  readonly email?: string
  readonly passwordHash?: string | null
  readonly organizationId?: string | null
  readonly roles?: readonly string[]
  readonly status?: UserRecord['status']
  readonly tokensNotBefore?: number
}

/** What somebody was judged by; null for no organization. */
export type UserState = Pick<UserRecord, 'roles' | 'organizationId' | 'status'>

export interface UserFilter {
  readonly organizationId?: string | undefined
  readonly sort?: 'createdAt' | 'email' | undefined
  readonly order?: 'asc' | 'desc' | undefined
}

export interface UserStore {
  /** Rejects with `conflict` when the e-mail is taken. */
  insert(user: UserRecord): Promise<void>
  find(id: string): Promise<UserRecord | null>
  /** `email` in its lower-case form. */
  findByEmail(email: string): Promise<UserRecord | null>
  findWithOrganization(
    id: string,
  ): Promise<{ readonly user: UserRecord; readonly organization: OrganizationRecord | null } | null>
  list(filter: UserFilter, page: PageRequest): Promise<Page<UserRecord>>
  /**
   * Writes the given members in one statement and records a change; null when the id is unknown, or when he is no
   * longer as `expected`, the same roles in the same order. Of racing callers that expect what they change one wins.
   */
  update(id: string, patch: UserPatch, now: number, expected?: UserState): Promise<UserRecord | null>
  /** Replaces the hash only while it is still `from` (an upgrade on login must not undo a password change). */
  upgradePasswordHash(id: string, from: string, to: string): Promise<boolean>
}

export interface RoleStore {
  list(): Promise<readonly RoleRecord[]>
  /**
   * Inserts or replaces, and records a change. Answers false, and writes nothing, when the role would inherit from
   * itself, directly or through others: racing callers never close a circle together.
   */
  put(role: RoleRecord, now: number): Promise<boolean>
  /** Answers the one there was, or null. Records a change. */
  delete(name: string, now: number): Promise<RoleRecord | null>
}
