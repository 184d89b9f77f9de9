/** Whom somebody acts on: by what the app says where it keeps the users, else by his record. */
import { type Actor, isAlmighty, requireCovering, requireRolesOf } from '../authorization/actor.ts'
import type { RoleRegistry } from '../authorization/roles.ts'
import type { UserStore } from '../storage/ports/accounts.ts'
import type { OrganizationRecord, UserRecord } from '../storage/records.ts'
import type { UserDirectory } from './user-directory.ts'

/** What decides who may act on a user. */
export interface KnownUser {
  readonly organizationId: string | null
  readonly permissions: readonly string[]
  readonly roles: readonly string[]
}

export interface KnownUsersOptions {
  readonly users: Pick<UserStore, 'findWithOrganization'>
  readonly directory: UserDirectory
  readonly roles: RoleRegistry
}

export class KnownUsers {
  readonly #options: KnownUsersOptions

  constructor(options: KnownUsersOptions) {
    this.#options = options
  }

  /** Whether an app keeps the users, so that one without a record is no mistake. */
  get isExternal(): boolean {
    return this.#options.directory.isExternal
  }

  /**
   * Null for a user who has no record, or whom the app that keeps the users does not know.
   *
   * @param actor for whom an app that fails is one that knows nobody, if he may do everything anyway: users can be
   * disabled while its database is down
   * @param record as it was read, where it is written as it was judged
   */
  async find(id: string, actor?: Actor, record?: UserRecord): Promise<KnownUser | null> {
    const { users, directory } = this.#options
    if (record !== undefined && !directory.isExternal) return this.#ofRecord(record)
    const { user = null, organization = null } = (await users.findWithOrganization(id)) ?? {}
    if (!directory.isExternal) return user === null ? null : this.#ofRecord(user)
    try {
      const outcome = await directory.find({ id, user: switchedOn(user), organization: switchedOn(organization) })
      if (outcome.kind !== 'user') return null
      const { organizationId, roles: names } = outcome.user
      return { organizationId, permissions: outcome.granted.names, roles: names }
    } catch (error) {
      if (actor !== undefined && isAlmighty(actor)) return null
      throw error
    }
  }

  #ofRecord({ organizationId, roles }: UserRecord): KnownUser {
    return { organizationId, permissions: this.#options.roles.permissionsOf(roles).names, roles }
  }

  /**
   * Demands that an actor can do all that a user can. Whom the app does not know it may know another day, with who
   * knows which roles; one of ours who is gone does nothing any more.
   *
   * @throws MachineAuthError `permission_required`
   */
  requireCovering(user: KnownUser | null, actor: Actor): void {
    requireCovering(actor, user?.permissions ?? (this.isExternal ? ['*'] : []))
  }

  /**
   * As `requireCovering`, and that he has the user's roles: before he acts as him, or changes how he logs in.
   *
   * @throws MachineAuthError `permission_required`
   */
  requireOver(user: KnownUser | null, actor: Actor): void {
    this.requireCovering(user, actor)
    if (user !== null) requireRolesOf(actor, user.roles, (role) => this.#options.roles.permissionsOf([role]).names)
  }
}

/** Who is disabled for now is still whom the app knows. */
function switchedOn<R extends UserRecord | OrganizationRecord>(record: R | null): R | null {
  return record === null ? null : { ...record, status: 'active' }
}
