/** Whose a new key or token becomes: which organization and user, and whether the actor may decide so. */
import { type Actor, reachOf, requireCovering, requirePlatform } from '../authorization/actor.ts'
import { invalidField } from '../lib/field-errors.ts'
import type { OrganizationStore } from '../storage/ports/accounts.ts'
import type { KnownUsers } from './known-users.ts'
import { type OrganizationBounds, UNBOUND } from './organization-bounds.ts'

export interface WantedOwner {
  readonly organizationId?: string | null | undefined
  readonly userId?: string | null | undefined
}

export interface CredentialOwner {
  readonly organizationId: string | null
  readonly userId: string | null
}

export interface CredentialOwnersOptions {
  readonly organizations: OrganizationStore
  readonly known: KnownUsers
  /** Notes the attempt and throws `not_found`. */
  readonly refuseOutOfReach: (actor: Actor, subject: string) => Promise<never>
}

export class CredentialOwners {
  readonly #options: CredentialOwnersOptions

  constructor(options: CredentialOwnersOptions) {
    this.#options = options
  }

  /**
   * Fills in and checks the owner. A user with an organization fixes it; whoever lends a credential to another user
   * must be able to do all that the user can.
   *
   * @throws MachineAuthError `not_found` for what is out of the actor's reach, `validation_failed` for what does not
   * exist, `permission_required` for a user who may do more than the actor
   */
  async resolve(wanted: WantedOwner, actor: Actor): Promise<CredentialOwner> {
    const reach = reachOf(actor)
    if (reach.kind === 'own') return this.#resolveOwn(wanted, reach.userId, actor)
    const bound = reach.kind === 'organization' ? reach.organizationId : null
    const organizationId = wanted.organizationId ?? bound
    const userId = wanted.userId ?? null
    if (bound !== null && organizationId !== bound) {
      return this.#options.refuseOutOfReach(actor, organizationId ?? bound)
    }
    if (
      bound === null &&
      organizationId !== null &&
      (await this.#options.organizations.find(organizationId)) === null
    ) {
      throw invalidField('organizationId', 'names no organization')
    }
    if (userId === null) return { organizationId, userId }
    const user = await this.#options.known.find(userId)
    if (user === null) return this.#resolveUnknown(organizationId, userId, bound, actor)
    if (bound !== null && user.organizationId !== bound) return this.#options.refuseOutOfReach(actor, userId)
    if (organizationId !== null && user.organizationId !== null && organizationId !== user.organizationId) {
      throw invalidField('organizationId', "must be the user's organization, or be left out")
    }
    if (actor.user?.id !== userId) this.#options.known.requireOver(user, actor)
    return { organizationId: organizationId ?? user.organizationId, userId }
  }

  async isMember(userId: string, organizationId: string): Promise<boolean> {
    return (await this.#options.known.find(userId))?.organizationId === organizationId
  }

  /** Whether there is such a user, or may be: an app that fails does not say that there is none. */
  async mayKnowUser(userId: string): Promise<boolean> {
    const { known } = this.#options
    return known.find(userId).then(
      (user) => user !== null,
      (error: unknown) => {
        if (known.isExternal) return true
        throw error
      },
    )
  }

  async knowsOrganization(organizationId: string): Promise<boolean> {
    return (await this.#options.organizations.find(organizationId)) !== null
  }

  /** What the organization of a credential allows it at most. */
  async boundsOf(organizationId: string | null): Promise<OrganizationBounds> {
    if (organizationId === null) return UNBOUND
    return (await this.#options.organizations.find(organizationId)) ?? UNBOUND
  }

  /**
   * Demands that an actor can do all that the user behind a credential can, before he changes it. The user himself
   * need not prove that.
   *
   * @throws MachineAuthError `permission_required`
   */
  async requireOver(userId: string | null, actor: Actor): Promise<void> {
    if (userId === null || actor.user?.id === userId) return
    const { known } = this.#options
    known.requireOver(await known.find(userId), actor)
  }

  async #resolveOwn(wanted: WantedOwner, own: string | null, actor: Actor): Promise<CredentialOwner> {
    // Neither a user nor an organization to own it: only the platform may make such a thing.
    if (own === null) requirePlatform(actor)
    const foreign = wanted.organizationId ?? (wanted.userId === own ? null : wanted.userId)
    if (foreign !== null && foreign !== undefined) return this.#options.refuseOutOfReach(actor, foreign)
    return { organizationId: null, userId: own }
  }

  async #resolveUnknown(
    organizationId: string | null,
    userId: string,
    bound: string | null,
    actor: Actor,
  ): Promise<CredentialOwner> {
    if (bound !== null) return this.#options.refuseOutOfReach(actor, userId)
    if (!this.#options.known.isExternal) throw invalidField('userId', 'names no user')
    // An app may add the user later, with who knows which roles.
    requireCovering(actor, ['*'])
    return { organizationId, userId }
  }
}
