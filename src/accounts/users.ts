/** Users of our own: created, listed, given roles and passwords, disabled. */
import type { CredentialOwner } from '../authentication/credential-owner.ts'
import type { KnownUsers } from '../authentication/known-users.ts'
import {
  type Actor,
  isWithinReach,
  reachOf,
  requireGrantable,
  requirePlatform,
  requireRolesOf,
  requireUnlimitedKey,
  SYSTEM,
} from '../authorization/actor.ts'
import type { RoleRegistry } from '../authorization/roles.ts'
import { generateId } from '../credentials/secret-text.ts'
import { MachineAuthError } from '../errors.ts'
import { afterwards } from '../lib/afterwards.ts'
import type { Clock } from '../lib/clock.ts'
import { FieldErrors, invalidField } from '../lib/field-errors.ts'
import { type PageInput, resolvePage } from '../lib/page.ts'
import type { AuditLog } from '../recording/audit/audit.ts'
import type { OrganizationStore, UserFilter, UserPatch, UserStore } from '../storage/ports/accounts.ts'
import type { Page } from '../storage/ports/page.ts'
import type { SessionStore } from '../storage/ports/sessions.ts'
import type { RefreshFamilyStore } from '../storage/ports/tokens.ts'
import type { ChangeKind, UserRecord } from '../storage/records.ts'
import { normalizeEmail } from './email.ts'
import type { Passwords } from './passwords.ts'
import { isDisabling, isGivingNothingNew, withRolesAsTheyAre } from './user-change.ts'
import { eventsOfChange } from './user-events.ts'
import { type NewUser, resolveNewUser, resolveUserPatch, type UserChange } from './user-input.ts'
import { toUserView, type UserView } from './views.ts'

/** How often a change is judged anew when its user was changed meanwhile. */
const ATTEMPTS = 5

export interface UserServiceOptions {
  readonly users: UserStore
  readonly organizations: OrganizationStore
  readonly sessions: SessionStore
  readonly families: RefreshFamilyStore
  /** Whom the app says that somebody is, where it keeps the users. */
  readonly known: KnownUsers
  readonly roles: RoleRegistry
  readonly passwords: Passwords
  readonly clock: Clock
  readonly invalidate: (kind: ChangeKind, subject: string) => void
  readonly audit: Pick<AuditLog, 'record' | 'refuseOutOfReach'>
}

export class UserService {
  readonly #options: UserServiceOptions
  readonly #grantsOf = (role: string) => this.#options.roles.permissionsOf([role]).names

  constructor(options: UserServiceOptions) {
    this.#options = options
  }

  /**
   * Creates a user. Without a password he cannot log in by one.
   *
   * @throws MachineAuthError `validation_failed`, `conflict` (e-mail or id taken), `permission_required` (a role that
   * the actor has not, or that grants more than he has; a password by a limited key), `not_found` (another's
   * organization)
   * @example await core.users.create({ email: 'alice@example.com', password, roles: ['admin'] })
   */
  async create(input: NewUser, actor: Actor = SYSTEM): Promise<UserView> {
    const { users, roles, passwords, clock, audit } = this.#options
    const errors = new FieldErrors()
    const wanted = resolveNewUser(input, roles, errors)
    errors.throwIfAny()
    if (input.password !== undefined || wanted.passwordHash !== null) requireUnlimitedKey(actor)
    this.#requireGivable(wanted.roles, actor)
    if (input.id !== undefined) await this.#requireOverNew(input.id, actor)
    const organizationId = await this.#resolveOrganization(input.organizationId ?? null, actor)
    const id = input.id ?? generateId('user')
    if (input.id !== undefined && (await users.find(id)) !== null) throw taken('id')
    const passwordHash = input.password === undefined ? wanted.passwordHash : await passwords.hash(input.password)
    const user: UserRecord = {
      id,
      email: wanted.email,
      passwordHash,
      organizationId,
      roles: wanted.roles,
      status: 'active',
      tokensNotBefore: 0,
      createdAt: clock(),
    }
    await users.insert(user)
    const details = { organizationId, roles: user.roles }
    await audit.record({ action: 'user.created', actor, subject: id, organizationId, details })
    return toUserView(user)
  }

  /** @throws MachineAuthError `not_found` */
  async find(id: string, actor: Actor = SYSTEM): Promise<UserView> {
    return toUserView(await this.#requireUser(id, actor))
  }

  /** The user of an e-mail, in any spelling of it, or null when there is none within the actor's reach. */
  async findByEmail(email: string, actor: Actor = SYSTEM): Promise<UserView | null> {
    const normalized = normalizeEmail(email)
    const user = normalized === null ? null : await this.#options.users.findByEmail(normalized)
    if (user === null) return null
    return isWithinReach(reachOf(actor), { organizationId: user.organizationId, userId: user.id })
      ? toUserView(user)
      : null
  }

  /**
   * Users within the actor's reach, newest first unless the filter sorts otherwise.
   *
   * @throws MachineAuthError `not_found` for another's organization
   */
  async list(filter: UserFilter = {}, page: PageInput = {}, actor: Actor = SYSTEM): Promise<Page<UserView>> {
    const { users, audit } = this.#options
    const request = resolvePage(page)
    const reach = reachOf(actor)
    const { organizationId } = filter
    if (reach.kind === 'own') {
      if (organizationId !== undefined) return audit.refuseOutOfReach(actor, organizationId)
      const own = reach.userId === null ? null : await users.find(reach.userId)
      return { items: own === null ? [] : [toUserView(own)], nextCursor: null }
    }
    if (reach.kind === 'organization' && organizationId !== undefined && organizationId !== reach.organizationId) {
      return audit.refuseOutOfReach(actor, organizationId)
    }
    const bound = reach.kind === 'organization' ? reach.organizationId : organizationId
    const { items, nextCursor } = await users.list({ ...filter, organizationId: bound }, request)
    return { items: items.map(toUserView), nextCursor }
  }

  /**
   * Changes the members given. A new password and disabling end the user's sessions and tokens at
   * once; changed roles count from the next request on.
   *
   * @throws MachineAuthError `not_found` (also for another's organization), `validation_failed`, `conflict`,
   * `permission_required` (for more than the actor has, a user who may do more than he, by a limited key, or for how
   * its owner logs in by a key)
   */
  async update(id: string, change: UserChange, actor: Actor = SYSTEM): Promise<UserView> {
    const { passwords, clock, audit } = this.#options
    const { password } = change
    // Nothing slow for whom it is refused; judged again afterwards, since he may have become somebody else meanwhile.
    if (password !== undefined) await this.#judge(id, change, actor)
    const hashed = password === undefined ? {} : { passwordHash: await passwords.hash(password) }
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { user, wanted } = await this.#judge(id, change, actor)
      const updated = await this.#write(user, { ...wanted, ...hashed }, clock(), isDisabling(change))
      if (updated === null) continue
      for (const event of eventsOfChange(user, { ...wanted, ...hashed })) {
        await audit.record({ action: 'user.updated', actor, subject: id, ...event })
      }
      return toUserView(updated)
    }
    throw new MachineAuthError('conflict', { detail: 'The user was changed meanwhile, again and again: try again.' })
  }

  /** Replaces the user's roles; see `update`. */
  setRoles(id: string, roles: readonly string[], actor: Actor = SYSTEM): Promise<UserView> {
    return this.update(id, { roles }, actor)
  }

  /** Sets a new password and ends the user's sessions and tokens; see `update`. */
  setPassword(id: string, password: string, actor: Actor = SYSTEM): Promise<UserView> {
    return this.update(id, { password }, actor)
  }

  /** Refuses the user everything at once: login, sessions, tokens and keys; see `update`. */
  disable(id: string, actor: Actor = SYSTEM): Promise<UserView> {
    return this.update(id, { status: 'disabled' }, actor)
  }

  /** Lets a disabled user log in again; his keys work again, his old sessions and tokens do not. */
  enable(id: string, actor: Actor = SYSTEM): Promise<UserView> {
    return this.update(id, { status: 'active' }, actor)
  }

  /** Reads the user, and refuses what the actor may not do to who he is now. */
  async #judge(
    id: string,
    change: UserChange,
    actor: Actor,
  ): Promise<{ readonly user: UserRecord; readonly wanted: UserPatch }> {
    const { roles, known } = this.#options
    const user = await this.#requireUser(id, actor)
    const who = await known.find(id, actor, user)
    if (who !== null) await this.#requireReach({ organizationId: who.organizationId, userId: id }, id, actor)
    const isOwn = actor.user?.id === id
    // Neither to take away nor to give back is to give: his roles pass to nobody.
    if (isOwn || isGivingNothingNew(change, user.roles)) known.requireCovering(who, actor)
    else known.requireOver(who, actor)
    if (!isDisabling(change)) requireUnlimitedKey(actor)
    if (isOwn) requireNoMachine(change, actor)
    const errors = new FieldErrors()
    const patch = resolveUserPatch(change, roles, errors)
    errors.throwIfAny()
    const wanted = withRolesAsTheyAre(patch, user.roles)
    const added = (wanted.roles ?? []).filter((role) => !user.roles.includes(role))
    this.#requireGivable(added, actor)
    if (wanted.organizationId !== undefined && wanted.organizationId !== user.organizationId) {
      await this.#requireMovable(wanted.organizationId, actor)
    }
    return { user, wanted }
  }

  #requireGivable(roles: readonly string[], actor: Actor): void {
    requireGrantable(actor, this.#options.roles.permissionsOf(roles).names)
    requireRolesOf(actor, roles, this.#grantsOf)
  }

  /**
   * Null when somebody changed meanwhile what the change was judged by.
   *
   * @param isUrgent whether it is written whoever he has become: nobody keeps himself on by changing again and again
   */
  async #write(user: UserRecord, patch: UserPatch, now: number, isUrgent: boolean): Promise<UserRecord | null> {
    const { users, sessions, families, invalidate } = this.#options
    const { id, roles, organizationId, status } = user
    const isLoggedOut = patch.passwordHash !== undefined || patch.status === 'disabled'
    const expected = isUrgent ? undefined : { roles, organizationId, status }
    // Never the same moment twice: who compares it must see that something happened.
    const notBefore = isLoggedOut ? { tokensNotBefore: Math.max(now, user.tokensNotBefore + 1) } : {}
    const write = async () => {
      const updated = await users.update(id, { ...patch, ...notBefore }, now, expected)
      if (isLoggedOut && updated !== null) {
        await sessions.deleteByUser(id, now)
        await families.revokeByUser(id, 'user_changed', now)
      }
      return updated
    }
    // After the last commit, and also when only the first of them went through.
    return afterwards(write(), () => invalidate('user', id))
  }

  async #requireUser(id: string, actor: Actor): Promise<UserRecord> {
    const user = await this.#options.users.find(id)
    if (user === null) throw new MachineAuthError('not_found')
    await this.#requireReach({ organizationId: user.organizationId, userId: id }, id, actor)
    return user
  }

  async #requireReach(thing: CredentialOwner, id: string, actor: Actor): Promise<void> {
    if (!isWithinReach(reachOf(actor), thing)) await this.#options.audit.refuseOutOfReach(actor, id)
  }

  /** An app may have somebody under the id already: with a password kept here he would be whoever that is. */
  async #requireOverNew(id: string, actor: Actor): Promise<void> {
    const { known } = this.#options
    if (!known.isExternal) return
    const who = await known.find(id, actor)
    if (who !== null) await this.#requireReach({ organizationId: who.organizationId, userId: id }, id, actor)
    known.requireOver(who, actor)
  }

  async #resolveOrganization(wanted: string | null, actor: Actor): Promise<string | null> {
    const reach = reachOf(actor)
    if (reach.kind === 'own') requirePlatform(actor)
    if (reach.kind === 'organization') {
      if (wanted === null || wanted === reach.organizationId) return reach.organizationId
      return this.#options.audit.refuseOutOfReach(actor, wanted)
    }
    if (wanted !== null) await this.#requireOrganization(wanted)
    return wanted
  }

  /** Users change organizations, or leave theirs, by the platform alone. */
  async #requireMovable(to: string | null, actor: Actor): Promise<void> {
    if (reachOf(actor).kind !== 'platform' && to !== null) return this.#options.audit.refuseOutOfReach(actor, to)
    requirePlatform(actor)
    if (to !== null) await this.#requireOrganization(to)
  }

  async #requireOrganization(id: string): Promise<void> {
    if ((await this.#options.organizations.find(id)) === null)
      throw invalidField('organizationId', 'names no organization')
  }
}

/** A machine acts for its owner; how he logs in is not its to decide. */
function requireNoMachine({ password, email, status }: UserChange, actor: Actor): void {
  if (actor.apiKey === undefined || (password ?? email ?? status) === undefined) return
  throw new MachineAuthError('permission_required', {
    detail: 'A key does not change the password, e-mail or status of the user it belongs to: log in to do that.',
  })
}

function taken(path: string): MachineAuthError {
  return new MachineAuthError('conflict', {
    detail: `${path}: another user has it.`,
    errors: [{ path, message: 'is taken' }],
  })
}
