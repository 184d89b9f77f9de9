/** Who did what to whom, from where and when: written once, never changed, and provably so. */
import { type Actor, requirePlatform, SYSTEM } from '../../authorization/actor.ts'
import { generateId } from '../../credentials/secret-text.ts'
import { MachineAuthError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import { invalidField } from '../../lib/field-errors.ts'
import { type PageInput, resolvePage } from '../../lib/page.ts'
import type { AuditStore } from '../../storage/ports/audit.ts'
import type { Page } from '../../storage/ports/page.ts'
import type { AuditRecord } from '../../storage/records.ts'
import { ADOPTED, type AuditAdoption, adoptFindings } from './adoption.ts'
import { toStorableDetails, toStorableText } from './details.ts'
import type { AuditActor, AuditEvent } from './event.ts'
import { AuditMacs } from './macs.ts'
import { type AuditQuery, type AuditView, resolveQuery, toAuditView, withinReach } from './reader.ts'
import { RepeatedEvents } from './repeated-events.ts'
import type { AuditVerification, VerifyInput } from './report.ts'
import { purgeEvents } from './retention.ts'
import { AuditSealer } from './sealer.ts'
import { SharedVerification } from './shared-verification.ts'
import { judge } from './verdict.ts'
import { Verification } from './verification.ts'

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
  readonly #verifications: SharedVerification
  readonly #attempts: RepeatedEvents
  readonly #guesses: RepeatedEvents
  readonly #retention: number | null
  readonly #onFailure: (error: unknown) => void
  readonly #warn: (message: string) => void

  constructor(options: AuditLogOptions) {
    const { store, clock, secrets, retention = null, onFailure = () => undefined, warn = () => undefined } = options
    this.#store = store
    this.#clock = clock
    this.#macs = new AuditMacs(secrets)
    this.#sealer = new AuditSealer({ store, clock, macs: this.#macs, warn })
    this.#verifications = new SharedVerification((onProgress, signal) =>
      new Verification({ store, macs: this.#macs, onProgress, signal }).run(),
    )
    this.#attempts = new RepeatedEvents({ clock, mostOfOne: 10, mostInAll: 1000, write: (e) => this.recordDenied(e) })
    this.#guesses = new RepeatedEvents({ clock, mostOfOne: 1, mostInAll: 60, write: (e) => this.recordDenied(e) })
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
   * Writes an event of something that anybody can be refused as often as he likes: the first one of somebody at once,
   * and of the others in a minute how many there were. Never rejects.
   *
   * @param by names who was refused
   * @param isDecisive whether it is written at once, too
   */
  recordGuess(by: string, event: AuditEvent, isDecisive: boolean): Promise<void> {
    return this.#guesses.note(by, event, isDecisive)
  }

  /**
   * Refuses an actor what exists but is not his to see, with the answer that a missing one gets.
   *
   * @throws MachineAuthError `not_found`, always
   */
  async refuseOutOfReach(actor: AuditActor, subject: string): Promise<never> {
    await this.noteOutOfReach(actor, subject)
    throw new MachineAuthError('not_found')
  }

  /** Writes down that an actor named what is not his to see, where the answer is another than 404. Never rejects. */
  noteOutOfReach(actor: AuditActor, subject: string): Promise<void> {
    // The subject came with the request: bounded, since nobody checked its length.
    const event = { action: 'cross_tenant_attempt', actor, subject: subject.slice(0, 128) }
    return this.#attempts.note(actor.id, event)
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
   * older copy is found; `unverifiable`: how many events of a lost secret are accepted, default none; `most`: events
   * above which it is refused; `signal` gives it up; `onProgress` hears how many events of how many were gone through
   * @throws MachineAuthError `permission_required` without platform reach; `validation_failed`
   * @example const { ok, problems } = await core.audit.verify()
   */
  async verify(input: VerifyInput = {}, actor: Actor = SYSTEM): Promise<AuditVerification> {
    requirePlatform(actor)
    const { atLeast = 0, unverifiable = 0 } = input
    for (const [path, number] of Object.entries({ atLeast, unverifiable })) {
      if (!Number.isSafeInteger(number) || number < 0) throw invalidField(path, 'must be a whole number from 0 on')
    }
    await this.seal()
    // What this process has seen stands, too.
    const reached = Math.max(atLeast, this.#sealer.highest)
    return judge(await this.#verifications.join(input), { atLeast: reached, unverifiable })
  }

  /**
   * Goes on with a log whose marks cannot be trusted, since their secret is lost: signs anew what there is as it is. No
   * program does this by itself, and it makes no event right that is not.
   *
   * @throws MachineAuthError `permission_required` without platform reach; `storage_unavailable` when the log moved
   * @example const { unverifiable } = await core.audit.adopt()
   */
  async adopt(actor: Actor = SYSTEM): Promise<AuditAdoption> {
    requirePlatform(actor)
    const options = { store: this.#store, macs: this.#macs, now: this.#clock(), highest: this.#sealer.highest }
    const adoption = await adoptFindings(options, await new Verification(options).run())
    if (adoption === null) {
      throw new MachineAuthError('storage_unavailable', { detail: 'The log moved meanwhile: try again.' })
    }
    if (adoption.adopted) {
      const { adopted: _, ...details } = adoption
      await this.record({ action: ADOPTED, actor, subject: 'audit', details })
      await this.seal()
    }
    return adoption
  }

  /** Gives events that have none their places in the log, and never rejects. Happens by itself, within a second. */
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

  /** Writes down what was counted, and seals what this process wrote. */
  async stop(): Promise<void> {
    await Promise.all([this.#attempts.stop(), this.#guesses.stop()])
    await this.#sealer.stop()
  }
}
