/** Organizations: the tenants that keys and users belong to. */
import { type Actor, isWithinReach, reachOf, requirePlatform, SYSTEM } from '../authorization/actor.ts'
import type { PermissionRegistry } from '../authorization/registry.ts'
import { generateId } from '../credentials/secret-text.ts'
import { MachineAuthError } from '../errors.ts'
import { afterwards } from '../lib/afterwards.ts'
import type { Clock } from '../lib/clock.ts'
import { FieldErrors } from '../lib/field-errors.ts'
import { type PageInput, resolvePage } from '../lib/page.ts'
import type { AuditLog } from '../recording/audit/audit.ts'
import { differencesOf } from '../recording/audit/differences.ts'
import type { OrganizationOrder, OrganizationPatch, OrganizationStore } from '../storage/ports/accounts.ts'
import type { KeyStore } from '../storage/ports/keys.ts'
import type { Page } from '../storage/ports/page.ts'
import type { ChangeKind, OrganizationRecord } from '../storage/records.ts'
import {
  type NewOrganization,
  type OrganizationChange,
  type OrganizationLimits,
  resolveNewOrganization,
  resolveOrganizationPatch,
} from './organization-input.ts'
import { type OrganizationView, toOrganizationView } from './views.ts'

export interface OrganizationServiceOptions {
  readonly organizations: OrganizationStore
  readonly keys: Pick<KeyStore, 'countByOrganization'>
  readonly permissions: PermissionRegistry
  readonly clock: Clock
  readonly invalidate: (kind: ChangeKind, subject: string) => void
  readonly audit: Pick<AuditLog, 'record' | 'refuseOutOfReach'>
}

const STATUS_ACTIONS = { active: 'organization.activated', suspended: 'organization.suspended' } as const
/** What its own administrators may change: an organization does not raise its own limits. */
const OWN_MEMBERS: ReadonlySet<string> = new Set(['name', 'status'])

export class OrganizationService {
  readonly #options: OrganizationServiceOptions

  constructor(options: OrganizationServiceOptions) {
    this.#options = options
  }

  /**
   * @throws MachineAuthError `permission_required` without platform reach, `validation_failed`, `conflict` when the
   * name is taken
   * @example const { id } = await core.organizations.create({ name: 'Acme', maxKeyLifetime: '90d' })
   */
  async create(input: NewOrganization, actor: Actor = SYSTEM): Promise<OrganizationView> {
    requirePlatform(actor)
    const { organizations, permissions, clock, audit } = this.#options
    const errors = new FieldErrors()
    const checked = resolveNewOrganization(input, permissions, errors)
    errors.throwIfAny()
    const organization: OrganizationRecord = {
      ...checked,
      id: generateId('org'),
      status: 'active',
      createdAt: clock(),
    }
    await organizations.insert(organization)
    const view = toOrganizationView(organization, 0)
    const { id, name, rateLimit, monthlyQuota, maxPermissions, maxKeyLifetime } = view
    await audit.record({
      action: 'organization.created',
      actor,
      subject: id,
      organizationId: id,
      details: { name, rateLimit, monthlyQuota, maxPermissions, maxKeyLifetime },
    })
    return view
  }

  /** @throws MachineAuthError `not_found`, also for one out of the actor's reach */
  async find(id: string, actor: Actor = SYSTEM): Promise<OrganizationView> {
    return this.#view(await this.#requireOrganization(id, actor))
  }

  /** The organization of a name, or null when there is none within the actor's reach. */
  async findByName(name: string, actor: Actor = SYSTEM): Promise<OrganizationView | null> {
    const organization = await this.#options.organizations.findByName(name.trim().normalize('NFC'))
    if (organization === null) return null
    const isInReach = isWithinReach(reachOf(actor), { organizationId: organization.id, userId: null })
    return isInReach ? this.#view(organization) : null
  }

  /** Organizations within the actor's reach, newest first unless ordered otherwise: all, or his own. */
  async list(
    order: OrganizationOrder = {},
    page: PageInput = {},
    actor: Actor = SYSTEM,
  ): Promise<Page<OrganizationView>> {
    const request = resolvePage(page)
    const { organizations, keys } = this.#options
    if (reachOf(actor).kind !== 'platform') {
      const own = actor.organizationId === null ? null : await organizations.find(actor.organizationId)
      return { items: own === null ? [] : [await this.#view(own)], nextCursor: null }
    }
    const { items, nextCursor } = await organizations.list(order, request)
    const counts = await keys.countByOrganization(items.map(({ id }) => id))
    return { items: items.map((each) => toOrganizationView(each, counts.get(each.id) ?? 0)), nextCursor }
  }

  /**
   * Changes the members given. Suspending refuses all its keys, users and tokens from the next request on; a smaller
   * `maxPermissions` or `maxKeyLifetime` counts for the keys it has as well.
   *
   * @throws MachineAuthError `not_found`, `validation_failed`, `conflict` when the name is taken, `permission_required`
   * for limits without platform reach
   * @example await core.organizations.update(id, { monthlyQuota: 100_000, maxPermissions: ['users.*'] })
   */
  async update(id: string, change: OrganizationChange, actor: Actor = SYSTEM): Promise<OrganizationView> {
    const { organizations, permissions, clock, invalidate } = this.#options
    const organization = await this.#requireOrganization(id, actor)
    const errors = new FieldErrors()
    const patch = resolveOrganizationPatch(change, permissions, errors)
    errors.throwIfAny()
    if (Object.keys(patch).some((member) => !OWN_MEMBERS.has(member))) requirePlatform(actor)
    const updating = organizations.update(id, patch, clock())
    const updated = await afterwards(updating, () => invalidate('organization', id))
    if (updated === null) throw new MachineAuthError('not_found')
    await this.#note(organization, patch, actor)
    return this.#view(updated)
  }

  /** Sets the limits of its keys; see `update`. */
  setLimits(id: string, limits: OrganizationLimits, actor: Actor = SYSTEM): Promise<OrganizationView> {
    const { rateLimit, monthlyQuota, maxPermissions, maxKeyLifetime } = limits
    return this.update(id, { rateLimit, monthlyQuota, maxPermissions, maxKeyLifetime }, actor)
  }

  /** Refuses all its keys, users and tokens from the next request on. */
  suspend(id: string, actor: Actor = SYSTEM): Promise<OrganizationView> {
    return this.update(id, { status: 'suspended' }, actor)
  }

  /** Lets its keys, users and tokens work again. */
  activate(id: string, actor: Actor = SYSTEM): Promise<OrganizationView> {
    return this.update(id, { status: 'active' }, actor)
  }

  async #note(organization: OrganizationRecord, patch: OrganizationPatch, actor: Actor): Promise<void> {
    const { audit } = this.#options
    const { status = organization.status } = patch
    const event = { actor, subject: organization.id, organizationId: organization.id }
    if (status !== organization.status) await audit.record({ ...event, action: STATUS_ACTIONS[status] })
    // As views show them. Of others' changes at the same moment it tells nothing.
    const changed = toOrganizationView({ ...organization, ...patch, status: organization.status }, 0)
    const differences = differencesOf(toOrganizationView(organization, 0), changed)
    if (differences === null) return
    await audit.record({ ...event, action: 'organization.updated', details: { ...differences } })
  }

  async #view(organization: OrganizationRecord): Promise<OrganizationView> {
    const counts = await this.#options.keys.countByOrganization([organization.id])
    return toOrganizationView(organization, counts.get(organization.id) ?? 0)
  }

  async #requireOrganization(id: string, actor: Actor): Promise<OrganizationRecord> {
    const { organizations, audit } = this.#options
    const organization = await organizations.find(id)
    if (organization === null) throw new MachineAuthError('not_found')
    const isInReach = isWithinReach(reachOf(actor), { organizationId: id, userId: null })
    return isInReach ? organization : audit.refuseOutOfReach(actor, id)
  }
}
