/** API keys: made, listed, revoked, verified for others. */
import type { CredentialOwners } from '../authentication/credential-owner.ts'
import type { SecretHasher } from '../authentication/hasher.ts'
import { type ApiKeyView, toApiKeyView } from '../authentication/views.ts'
import { type Actor, isWithinReach, reachOf, requireGrantable, SYSTEM } from '../authorization/actor.ts'
import { generateApiKey } from '../credentials/api-key-format.ts'
import { MachineAuthError } from '../errors.ts'
import { afterwards } from '../lib/afterwards.ts'
import { invalidField } from '../lib/field-errors.ts'
import { type PageInput, resolvePage } from '../lib/page.ts'
import { remarkMistake } from '../lib/text.ts'
import type { AuditLog } from '../recording/audit.ts'
import type { KeyFilter } from '../storage/ports/keys.ts'
import type { Page } from '../storage/ports/page.ts'
import type { ApiKeyRecord, ChangeKind } from '../storage/records.ts'
import { requireWithinRate, withLimitsOf } from './limits.ts'
import { type NewApiKey, resolveNewKey } from './new-key.ts'
import { type KeyVerification, type KeyVerificationInput, type KeyVerifierOptions, verifyKey } from './verification.ts'

export interface KeyServiceOptions extends KeyVerifierOptions {
  /** The first part of every key, such as `mac`. */
  readonly prefix: string
  readonly owners: CredentialOwners
  readonly hasher: SecretHasher
  /** Uses of a key that storage counts as used although they are still to come. */
  readonly unusedCredits: (keyId: string) => number
  readonly invalidate: (kind: ChangeKind, subject: string) => void
  readonly audit: Pick<AuditLog, 'record' | 'refuseOutOfReach'>
}

const MAX_REASON = 500
const MAX_QUERY = 255

export class KeyService {
  readonly #options: KeyServiceOptions

  constructor(options: KeyServiceOptions) {
    this.#options = options
  }

  /**
   * Makes a key. `rawKey` is answered this once and stored nowhere.
   *
   * @throws MachineAuthError `validation_failed`, `permission_required` (more than the actor has, or a user who may do
   * more than he; a limited key making a less limited one), `not_found` (another's organization or user)
   * @example const { rawKey } = await core.keys.create({ name: 'CI', permissions: ['deploy.create'], expiresInDays: 90 })
   */
  async create(
    input: NewApiKey,
    actor: Actor = SYSTEM,
  ): Promise<{ readonly key: ApiKeyView; readonly rawKey: string }> {
    const { keys, owners, permissions, hasher, prefix, clock, audit } = this.#options
    const now = clock()
    const checked = withLimitsOf(actor.apiKey, input, resolveNewKey(input, permissions, now))
    requireGrantable(actor, checked.permissions)
    const owner = await owners.resolve(input, actor)
    if (reachOf(actor).kind !== 'platform') {
      requireWithinRate(checked.rateLimit, await owners.rateOf(owner.organizationId))
    }
    const { id, shown, raw } = generateApiKey(prefix, checked.environment)
    const key: ApiKeyRecord = {
      ...checked,
      ...owner,
      ...hasher.hash(raw),
      id,
      prefix: shown,
      enabled: true,
      lastUsedAt: null,
      createdAt: now,
      createdBy: actor.id,
      revokedAt: null,
      revokedReason: null,
      revokedBy: null,
      rotatedFrom: null,
    }
    await keys.insert(key)
    const { environment, permissions: granted } = key
    await audit.record({
      action: 'key.created',
      actor,
      subject: id,
      details: { ...owner, environment, permissions: granted },
    })
    return { key: toApiKeyView(key, now), rawKey: raw }
  }

  /**
   * Keys within the actor's reach that match, newest first unless the filter sorts otherwise.
   *
   * @throws MachineAuthError `not_found` for another's organization or user, `validation_failed`
   */
  async list(filter: KeyFilter = {}, page: PageInput = {}, actor: Actor = SYSTEM): Promise<Page<ApiKeyView>> {
    const { keys, clock } = this.#options
    const request = resolvePage(page)
    if (filter.q !== undefined && filter.q.length > MAX_QUERY) {
      throw invalidField('q', `must be at most ${MAX_QUERY} characters`)
    }
    const now = clock()
    const reach = reachOf(actor)
    const narrowed = await this.#narrow(filter, actor)
    if (narrowed === null) return { items: [], nextCursor: null }
    const { items, nextCursor } = await keys.list(narrowed, request, now)
    return { items: items.filter((key) => isWithinReach(reach, key)).map((key) => this.#view(key, now)), nextCursor }
  }

  /** @throws MachineAuthError `not_found`, also for a key out of the actor's reach */
  async find(id: string, actor: Actor = SYSTEM): Promise<ApiKeyView> {
    return this.#view(await this.#requireKey(id, actor), this.#options.clock())
  }

  /** With the uses that are claimed from storage and still to come. */
  #view(key: ApiKeyRecord, now: number): ApiKeyView {
    return toApiKeyView(key, now, this.#options.unusedCredits(key.id))
  }

  /**
   * Revokes a key for good; it is refused from the next request on. Revoking it again answers it unchanged.
   *
   * @throws MachineAuthError `not_found`, also for a key out of the actor's reach; `validation_failed`
   */
  async revoke(
    id: string,
    { reason }: { readonly reason?: string | undefined } = {},
    actor: Actor = SYSTEM,
  ): Promise<ApiKeyView> {
    const mistake = reason === undefined ? null : remarkMistake(reason, MAX_REASON)
    if (mistake !== null) throw invalidField('reason', mistake)
    const { keys, clock, invalidate, audit } = this.#options
    const key = await this.#requireKey(id, actor)
    const now = clock()
    const revoking = keys.revoke(id, { at: now, reason: reason ?? null, by: actor.id })
    const revoked = await afterwards(revoking, () => invalidate('key', id))
    if (revoked === null) return this.#view((await keys.find(id)) ?? key, now)
    await audit.record({ action: 'key.revoked', actor, subject: id, details: { reason: reason ?? null } })
    return this.#view(revoked, now)
  }

  /**
   * Says whether a key that somebody presented elsewhere is valid there. Refusals are answers, not errors.
   *
   * @throws MachineAuthError `validation_failed` for permissions that nothing declares
   * @example const { valid } = await core.keys.verify({ key, permissions: ['users.view'], ip })
   */
  verify(input: KeyVerificationInput, actor: Actor = SYSTEM): Promise<KeyVerification> {
    return verifyKey(this.#options, input, actor)
  }

  /** Cuts a filter down to the actor's reach; null when nothing can be left. */
  async #narrow(filter: KeyFilter, actor: Actor): Promise<KeyFilter | null> {
    const { audit } = this.#options
    const reach = reachOf(actor)
    switch (reach.kind) {
      case 'platform':
        return filter
      case 'organization': {
        const { organizationId = reach.organizationId } = filter
        if (organizationId !== reach.organizationId) return audit.refuseOutOfReach(actor, organizationId)
        return { ...filter, organizationId }
      }
      case 'own': {
        const { organizationId, userId = reach.userId } = filter
        if (organizationId !== undefined) return audit.refuseOutOfReach(actor, organizationId)
        if (userId === null) return null
        if (userId !== reach.userId) return audit.refuseOutOfReach(actor, userId)
        return { ...filter, userId }
      }
    }
  }

  async #requireKey(id: string, actor: Actor): Promise<ApiKeyRecord> {
    const { keys, audit } = this.#options
    const key = await keys.find(id)
    if (key === null) throw new MachineAuthError('not_found')
    return isWithinReach(reachOf(actor), key) ? key : audit.refuseOutOfReach(actor, id)
  }
}
