/** Who did what to whom, from where and when: written once, never changed, and provably so. */
import { type Actor, requirePlatform, SYSTEM } from '../authorization/actor.ts'
import { generateId } from '../credentials/secret-text.ts'
import { MachineAuthError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { invalidField } from '../lib/field-errors.ts'
import { type PageInput, resolvePage } from '../lib/page.ts'
import type { AuditStore } from '../storage/ports/audit.ts'
import type { Page } from '../storage/ports/page.ts'
import type { AuditRecord } from '../storage/records.ts'
import { toStorableDetails, toStorableText } from './details.ts'
import { AuditMacs } from './macs.ts'
import { type AuditQuery, type AuditView, resolveQuery, toAuditView, withinReach } from './reader.ts'
import type { AuditVerification, VerifyInput } from './report.ts'
import { purgeEvents } from './retention.ts'
import { AuditSealer } from './sealer.ts'
import { Verification } from './verification.ts'

/** Who acts, as far as the log tells. */
export type AuditActor = Pick<Actor, 'id' | 'origin'> & Partial<Pick<Actor, 'organizationId'>>

export interface AuditEvent {
  /** A verb in dotted form, such as `key.created`. */
  readonly action: string
  /** Who did it. */
  readonly actor: AuditActor
  /** Id of what it was done to. */
  readonly subject: string
  /** Whose thing it was done to: its administrators may read of it. The actor's own organization goes first. */
  readonly organizationId?: string | null | undefined
  /** Never a credential, hash or secret. */
  readonly details?: Readonly<Record<string, unknown>>
}

export interface AuditLogOptions {
  readonly store: AuditStore
  readonly clock: Clock
  /** Root secrets, newest first, at least one. */
  readonly secrets: readonly string[]
  /** How long events are kept, ms; null for ever. */
  readonly retention?: number | null
  /** Hears of events that could not be written although their act went on. */
  readonly onFailure?: (error: unknown) => void
  /** Hears of a log that cannot be continued or purged. */
  readonly warn?: (message: string) => void
}

export class AuditLog {
  readonly #store: AuditStore
  readonly #clock: Clock
  readonly #macs: AuditMacs
  readonly #sealer: AuditSealer
  readonly #retention: number | null
  readonly #onFailure: (error: unknown) => void
  readonly #warn: (message: string) => void

  constructor(options: AuditLogOptions) {
    const { store, clock, secrets, retention = null, onFailure = () => undefined, warn = () => undefined } = options
    this.#store = store
    this.#clock = clock
    this.#macs = new AuditMacs(secrets)
    this.#sealer = new AuditSealer({ store, clock, macs: this.#macs, warn })
    this.#retention = retention
    this.#onFailure = onFailure
    this.#warn = warn
  }

  /** Writes an event of something that was done; a failure is the caller's to tell. */
  async record({ action, actor, subject, organizationId, details = {} }: AuditEvent): Promise<void> {
    const written: AuditRecord = {
      id: generateId('evt'),
      at: this.#clock(),
      action,
      actor: toStorableText(actor.id),
      subject: toStorableText(subject),
      organizationId: actor.organizationId ?? organizationId ?? null,
      address: actor.origin?.address ?? null,
      requestId: actor.origin?.requestId ?? null,
      details: toStorableDetails(details),
      sequence: null,
      mac: null,
      macKey: null,
    }
    await this.#store.append({ ...written, ...this.#macs.ofEvent(written) })
    this.#sealer.sealSoon()
  }

  /** Writes an event of something that was refused. Never rejects: the refusal stands, written down or not. */
  async recordDenied(event: AuditEvent): Promise<void> {
    try {
      await this.record(event)
    } catch (error) {
      this.#onFailure(error)
    }
  }

  /**
   * Refuses an actor what exists but is not his to see, with the answer that a missing one gets.
   *
   * @throws MachineAuthError `not_found`, always
   */
  async refuseOutOfReach(actor: AuditActor, subject: string): Promise<never> {
    // The subject came with the request: bounded, since nobody checked its length.
    await this.recordDenied({ action: 'cross_tenant_attempt', actor, subject: subject.slice(0, 128) })
    throw new MachineAuthError('not_found')
  }

  /**
   * Events, newest first: all with platform reach, else those of one's organization, else one's own.
   *
   * @throws MachineAuthError `not_found` for what is out of reach; `validation_failed`
   * @example await core.audit.list({ action: 'key.created', from: '2030-01-01T00:00:00Z' })
   */
  async list(query: AuditQuery = {}, page: PageInput = {}, actor: Actor = SYSTEM): Promise<Page<AuditView>> {
    const wanted = withinReach(resolveQuery(query), actor)
    if ('outOfReach' in wanted) return this.refuseOutOfReach(actor, wanted.outOfReach)
    const request = resolvePage(page)
    await this.seal()
    const { items, nextCursor } = await this.#store.list(wanted.filter, request)
    return { items: items.map(toAuditView), nextCursor }
  }

  /**
   * Goes through the whole log and finds events that were changed, taken out or put in since they were written.
   *
   * @param input `atLeast`: the place that the log must have reached, noted from an earlier `head`, by which a restored
   * older copy is found; `onProgress` hears how many events were gone through
   * @throws MachineAuthError `permission_required` without platform reach
   * @example const { ok, problems } = await core.audit.verify()
   */
  async verify(input: VerifyInput = {}, actor: Actor = SYSTEM): Promise<AuditVerification> {
    requirePlatform(actor)
    const { atLeast = 0, onProgress } = input
    if (!Number.isSafeInteger(atLeast) || atLeast < 0) throw invalidField('atLeast', 'must be a whole number from 0 on')
    await this.seal()
    // What this process has seen stands, too.
    const reached = Math.max(atLeast, this.#sealer.highest)
    return new Verification(this.#store, this.#macs).run({ atLeast: reached, onProgress })
  }

  /** Gives events that have none their places in the log; never rejects. Happens by itself, within a second. */
  seal(): Promise<void> {
    return this.#sealer.seal()
  }

  /**
   * Deletes what is older than the retention, and leaves a signed checkpoint in its place.
   *
   * @param now epoch ms
   * @returns how many events
   */
  async sweep(now: number): Promise<number> {
    if (this.#retention === null) return 0
    await this.seal()
    const options = { store: this.#store, macs: this.#macs, warn: this.#warn }
    return purgeEvents(options, now - this.#retention)
  }

  /** Seals what this process wrote. */
  stop(): Promise<void> {
    return this.#sealer.stop()
  }
}
