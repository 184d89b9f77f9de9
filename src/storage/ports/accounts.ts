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
  /** Rejects with `conflict` when the name is taken. */
  insert(organization: OrganizationRecord): Promise<void>
  find(id: string): Promise<OrganizationRecord | null>
  findByName(name: string): Promise<OrganizationRecord | null>
  list(order: OrganizationOrder, page: PageRequest): Promise<Page<OrganizationRecord>>
  /**
   * Writes the given members in one statement and records a change; null when the id is unknown. Rejects with
   * `conflict` when the name is taken. Racing callers that give different members all take effect.
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
  /** Writes the given members in one statement and records a change; null when the id is unknown. */
  update(id: string, patch: UserPatch, now: number): Promise<UserRecord | null>
  /** Replaces the hash only while it is still `from` (an upgrade on login must not undo a password change). */
  upgradePasswordHash(id: string, from: string, to: string): Promise<boolean>
}

export interface RoleStore {
  list(): Promise<readonly RoleRecord[]>
  /** Inserts or replaces, and records a change. */
  put(role: RoleRecord, now: number): Promise<void>
  /** Answers whether there was one. Records a change. */
  delete(name: string, now: number): Promise<boolean>
}
