/** Who did what to whom. */
import { generateId } from '../credentials/secret-text.ts'
import { MachineAuthError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { type PageInput, resolvePage } from '../lib/page.ts'
import { toTimestamp } from '../lib/timestamp.ts'
import type { AuditStore } from '../storage/ports/audit.ts'
import type { Page } from '../storage/ports/page.ts'

export interface AuditEvent {
  /** A verb in dotted form, such as `key.created`. */
  readonly action: string
  /** Who did it. */
  readonly actor: { readonly id: string }
  /** Id of what it was done to. */
  readonly subject: string
  /** Whose administrators may read it; those of the actor unless given. */
  readonly organizationId?: string | null | undefined
  /** Never a credential, hash or secret. */
  readonly details?: Readonly<Record<string, unknown>>
}

/** An audit event as lists show it. `at` is RFC 3339 UTC. */
export interface AuditView {
  readonly id: string
  readonly at: string
  readonly action: string
  readonly actor: string
  readonly subject: string
  readonly details: Readonly<Record<string, unknown>>
}

export interface AuditLogOptions {
  readonly store: AuditStore
  readonly clock: Clock
  /** Hears of events that could not be written although their act went on. */
  readonly onFailure?: (error: unknown) => void
}

export class AuditLog {
  readonly #store: AuditStore
  readonly #clock: Clock
  readonly #onFailure: (error: unknown) => void

  constructor({ store, clock, onFailure = () => undefined }: AuditLogOptions) {
    this.#store = store
    this.#clock = clock
    this.#onFailure = onFailure
  }

  /** Writes an event of something that was done; a failure is the caller's to tell. */
  async record({ action, actor, subject, details = {} }: AuditEvent): Promise<void> {
    await this.#store.append({
      id: generateId('evt'),
      at: this.#clock(),
      action,
      actor: actor.id,
      subject,
      organizationId: null,
      address: null,
      requestId: null,
      details,
      sequence: null,
      mac: null,
      macKey: null,
    })
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
  async refuseOutOfReach(actor: { readonly id: string }, subject: string): Promise<never> {
    // The subject came with the request: bounded, since nobody checked its length.
    await this.recordDenied({ action: 'cross_tenant_attempt', actor, subject: subject.slice(0, 128) })
    throw new MachineAuthError('not_found')
  }

  /** Newest first. Does not check who asks. */
  async list(filter: { readonly action?: string | undefined } = {}, page: PageInput = {}): Promise<Page<AuditView>> {
    const { items, nextCursor } = await this.#store.list(filter, resolvePage(page))
    return { items: items.map((event) => ({ ...event, at: toTimestamp(event.at) })), nextCursor }
  }
}
