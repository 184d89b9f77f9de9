/** Organizations: the tenants that keys and users belong to. */
import { type Actor, isWithinReach, reachOf, requirePlatform, SYSTEM } from '../authorization/actor.ts'
import { generateId } from '../credentials/secret-text.ts'
import { MachineAuthError } from '../errors.ts'
import { afterwards } from '../lib/afterwards.ts'
import type { Clock } from '../lib/clock.ts'
import { FieldErrors, invalidField } from '../lib/field-errors.ts'
import { type PageInput, resolvePage } from '../lib/page.ts'
import { nameMistake } from '../lib/text.ts'
import { resolveMonthlyQuota, resolveRateLimit } from '../limits/use-limits.ts'
import type { AuditLog } from '../recording/audit.ts'
import type { OrganizationLimits, OrganizationStore } from '../storage/ports/accounts.ts'
import type { Page } from '../storage/ports/page.ts'
import type { ChangeKind, OrganizationRecord } from '../storage/records.ts'
import { type OrganizationView, toOrganizationView } from './views.ts'

export interface OrganizationServiceOptions {
  readonly organizations: OrganizationStore
  readonly clock: Clock
  readonly invalidate: (kind: ChangeKind, subject: string) => void
  readonly audit: Pick<AuditLog, 'record' | 'refuseOutOfReach'>
}

const ACTIONS = { active: 'organization.activated', suspended: 'organization.suspended' } as const

/** @throws MachineAuthError `validation_failed` */
function resolveLimits(limits: OrganizationLimits): OrganizationLimits {
  const errors = new FieldErrors()
  const checked = {
    ...('rateLimit' in limits ? { rateLimit: resolveRateLimit(limits.rateLimit, errors) } : {}),
    ...('monthlyQuota' in limits ? { monthlyQuota: resolveMonthlyQuota(limits.monthlyQuota, errors) } : {}),
  }
  errors.throwIfAny()
  return checked
}

export class OrganizationService {
  readonly #options: OrganizationServiceOptions

  constructor(options: OrganizationServiceOptions) {
    this.#options = options
  }

  /**
   * @throws MachineAuthError `permission_required` without platform reach, `validation_failed`, `conflict` when the
   * name is taken
   * @example const { id } = await core.organizations.create({ name: 'Acme' })
   */
  async create(
    { name, ...limits }: { readonly name: string } & OrganizationLimits,
    actor: Actor = SYSTEM,
  ): Promise<OrganizationView> {
    requirePlatform(actor)
    const mistake = nameMistake(name)
    if (mistake !== null) throw invalidField('name', mistake)
    const checked = resolveLimits(limits)
    const { organizations, clock, audit } = this.#options
    const organization: OrganizationRecord = {
      id: generateId('org'),
      // One form of what looks the same, since names are unique.
      name: name.trim().normalize('NFC'),
      status: 'active',
      rateLimit: checked.rateLimit ?? null,
      monthlyQuota: checked.monthlyQuota ?? null,
      createdAt: clock(),
    }
    await organizations.insert(organization)
    await audit.record({ action: 'organization.created', actor, subject: organization.id })
    return toOrganizationView(organization)
  }

  /** @throws MachineAuthError `not_found`, also for one out of the actor's reach */
  async find(id: string, actor: Actor = SYSTEM): Promise<OrganizationView> {
    return toOrganizationView(await this.#requireOrganization(id, actor))
  }

  /** Organizations within the actor's reach, newest first: all, or his own. */
  async list(page: PageInput = {}, actor: Actor = SYSTEM): Promise<Page<OrganizationView>> {
    const request = resolvePage(page)
    const { organizations } = this.#options
    if (reachOf(actor).kind === 'platform') {
      const { items, nextCursor } = await organizations.list(request)
      return { items: items.map(toOrganizationView), nextCursor }
    }
    const own = actor.organizationId === null ? null : await organizations.find(actor.organizationId)
    return { items: own === null ? [] : [toOrganizationView(own)], nextCursor: null }
  }

  /**
   * Sets the limits of its keys: `rateLimit` is of each key that has none of its own, `monthlyQuota` of all its keys
   * together. What is not given stays; null takes a limit away.
   *
   * @throws MachineAuthError `permission_required` without platform reach, `not_found`, `validation_failed`
   * @example await core.organizations.setLimits(id, { rateLimit: { limit: 600, window: '1m' }, monthlyQuota: 100_000 })
   */
  async setLimits(id: string, limits: OrganizationLimits, actor: Actor = SYSTEM): Promise<OrganizationView> {
    // An organization does not raise its own limits.
    requirePlatform(actor)
    const checked = resolveLimits(limits)
    const { organizations, clock, invalidate, audit } = this.#options
    const setting = organizations.setLimits(id, checked, clock())
    const updated = await afterwards(setting, () => invalidate('organization', id))
    if (updated === null) throw new MachineAuthError('not_found')
    await audit.record({ action: 'organization.limited', actor, subject: id, details: { ...checked } })
    return toOrganizationView(updated)
  }

  /** Refuses all its keys, users and tokens from the next request on. */
  suspend(id: string, actor: Actor = SYSTEM): Promise<OrganizationView> {
    return this.#setStatus(id, 'suspended', actor)
  }

  /** Lets its keys, users and tokens work again. */
  activate(id: string, actor: Actor = SYSTEM): Promise<OrganizationView> {
    return this.#setStatus(id, 'active', actor)
  }

  async #setStatus(id: string, status: OrganizationRecord['status'], actor: Actor): Promise<OrganizationView> {
    const organization = await this.#requireOrganization(id, actor)
    const { organizations, clock, invalidate, audit } = this.#options
    const setting = organizations.setStatus(id, status, clock())
    const updated = await afterwards(setting, () => invalidate('organization', id))
    if (updated === null) throw new MachineAuthError('not_found')
    if (organization.status !== status) await audit.record({ action: ACTIONS[status], actor, subject: id })
    return toOrganizationView(updated)
  }

  async #requireOrganization(id: string, actor: Actor): Promise<OrganizationRecord> {
    const { organizations, audit } = this.#options
    const organization = await organizations.find(id)
    if (organization === null) throw new MachineAuthError('not_found')
    const isInReach = isWithinReach(reachOf(actor), { organizationId: id, userId: null })
    return isInReach ? organization : audit.refuseOutOfReach(actor, id)
  }
}
