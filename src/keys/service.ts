/** API keys: made, listed, changed, rotated, revoked, verified for others. */
import { type ApiKeyView, toApiKeyView } from '../authentication/views.ts'
import { type Actor, isWithinReach, reachOf, SYSTEM } from '../authorization/actor.ts'
import { generateApiKey } from '../credentials/api-key-format.ts'
import { afterwards } from '../lib/afterwards.ts'
import { invalidField } from '../lib/field-errors.ts'
import { type PageInput, resolvePage } from '../lib/page.ts'
import { remarkMistake } from '../lib/text.ts'
import type { KeyFilter } from '../storage/ports/keys.ts'
import type { Page } from '../storage/ports/page.ts'
import type { ApiKeyRecord } from '../storage/records.ts'
import { creationOf } from './creation-event.ts'
import { type ImportedApiKey, importKey } from './import.ts'
import type { KeyChange } from './key-change.ts'
import { type Lockdown, type LockdownInput, lockDown, MAX_REASON } from './lockdown.ts'
import type { NewApiKey } from './new-key.ts'
import { resolveNewRecord } from './new-record.ts'
import { type KeyServiceOptions, requireKey, viewOf } from './options.ts'
import { type RotationInput, rotateKey } from './rotation.ts'
import { updateKey } from './update.ts'
import { type KeyVerification, type KeyVerificationInput, verifyKey } from './verification.ts'

const MAX_QUERY = 255
/** A beginning that fits more keys than this helps nobody. */
const MOST_CANDIDATES = 10

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
    const { keys, hasher, prefix, clock, audit } = this.#options
    const now = clock()
    const record = await resolveNewRecord(this.#options, input, actor, now)
    const { id, shown, raw } = generateApiKey(prefix, record.environment)
    const key: ApiKeyRecord = { ...record, ...hasher.hash(raw), id, prefix: shown, lookup: null }
    await keys.insert(key)
    const { organizationId } = key
    await audit.record({ action: 'key.created', actor, subject: id, organizationId, details: creationOf(key) })
    return { key: toApiKeyView(key, now), rawKey: raw }
  }

  /**
   * Takes over a key that was made elsewhere, by its hash: whoever has it goes on using it. When it is first used it is
   * hashed as ours are. Needs platform reach.
   *
   * @throws MachineAuthError as `create`; `conflict` for a hash that was imported before
   * @example await core.keys.import({ name: 'Billing', hashKind: 'sha256', hash: '9f86d081…', prefix: 'bk_9f8' })
   */
  import(input: ImportedApiKey, actor: Actor = SYSTEM): Promise<ApiKeyView> {
    return importKey(this.#options, input, actor)
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
    return { items: items.filter((key) => isWithinReach(reach, key)).map((key) => this.#view(key)), nextCursor }
  }

  /** @throws MachineAuthError `not_found`, also for a key out of the actor's reach */
  async find(id: string, actor: Actor = SYSTEM): Promise<ApiKeyView> {
    return this.#view(await requireKey(this.#options, id, actor))
  }

  /**
   * Keys within the actor's reach whose id or shown prefix begins with a text, at most ten.
   *
   * @example const [key, ...others] = await core.keys.findByPrefix('mac_live_4dTyWz')
   */
  async findByPrefix(text: string, actor: Actor = SYSTEM): Promise<readonly ApiKeyView[]> {
    const start = text.slice(text.lastIndexOf('_') + 1)
    if (start === '' || start.length > MAX_QUERY) return []
    const found = await this.#options.keys.findByIdStart(`key_${start}`, MOST_CANDIDATES)
    const reach = reachOf(actor)
    return found
      .filter((key) => isWithinReach(reach, key))
      .filter(({ id, prefix }) => text === start || id.startsWith(text) || prefix.startsWith(text))
      .map((key) => this.#view(key))
  }

  #view(key: ApiKeyRecord): ApiKeyView {
    return viewOf(this.#options, key)
  }

  /**
   * Changes the members given, and nothing else, from the next request on; null takes away what may be missing. A
   * revoked key stays as it is, and one that was rotated ends when it was told to.
   *
   * @throws MachineAuthError `not_found`, `validation_failed`, `conflict` for a revoked key, or one that others change
   * at the same moment, `permission_required` for a key that may do more than the actor, or to give it more than he has
   * @example await core.keys.update(id, { permissions: ['users.view'], rateLimit: { limit: 600, window: '1m' } })
   */
  update(id: string, change: KeyChange, actor: Actor = SYSTEM): Promise<ApiKeyView> {
    return updateKey(this.#options, id, change, actor)
  }

  /** Refuses a key until it is enabled again; see `update`. */
  disable(id: string, actor: Actor = SYSTEM): Promise<ApiKeyView> {
    return this.update(id, { enabled: false }, actor)
  }

  /** Lets a disabled key work again; see `update`. */
  enable(id: string, actor: Actor = SYSTEM): Promise<ApiKeyView> {
    return this.update(id, { enabled: true }, actor)
  }

  /**
   * Gives a key a new text that has all it had; the old one works until the grace period ends, and never past its own
   * expiry. `rawKey` is answered this once.
   *
   * @throws MachineAuthError `not_found`, `validation_failed`, `permission_required`, `conflict` for a key that is not
   * active or was rotated before
   * @example const { rawKey } = await core.keys.rotate(id, { gracePeriod: '1h' })
   */
  rotate(
    id: string,
    input: RotationInput = {},
    actor: Actor = SYSTEM,
  ): Promise<{ readonly key: ApiKeyView; readonly rawKey: string }> {
    return rotateKey(this.#options, id, input, actor)
  }

  /**
   * Revokes all keys of a user, of an organization or from before a moment; the actor's own, too.
   *
   * @throws MachineAuthError `validation_failed` without any of these, `not_found` for an organization or user that is
   * unknown or another's
   * @example await core.keys.lockdown({ createdBefore: new Date('2030-01-31'), reason: 'leaked backup', dryRun: true })
   */
  lockdown(input: LockdownInput, actor: Actor = SYSTEM): Promise<Lockdown> {
    return lockDown(this.#options, input, actor)
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
    const key = await requireKey(this.#options, id, actor)
    const revoking = keys.revoke(id, { at: clock(), reason: reason ?? null, by: actor.id })
    const revoked = await afterwards(revoking, () => invalidate('key', id))
    if (revoked === null) return this.#view((await keys.find(id)) ?? key)
    const { organizationId } = revoked
    const details = { reason: reason ?? null }
    await audit.record({ action: 'key.revoked', actor, subject: id, organizationId, details })
    return this.#view(revoked)
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
}
