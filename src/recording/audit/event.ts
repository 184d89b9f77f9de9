/** What is written down. */
import type { Actor } from '../../authorization/actor.ts'

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
