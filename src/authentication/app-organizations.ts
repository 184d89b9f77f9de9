/**
 * Organizations that an app names for its own users. They are asked for on every request, since no cached credential
 * depends on them; what was answered last counts only while storage is away.
 */
import { isStorageAway } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { dropOldest } from '../lib/drop-oldest.ts'
import type { OrganizationStore } from '../storage/ports/accounts.ts'
import type { OrganizationRecord } from '../storage/records.ts'

export interface AppOrganizationsOptions {
  readonly store: Pick<OrganizationStore, 'find'>
  readonly clock: Clock
  /** ms since it was read for which an answer is believed while storage is away. */
  readonly staleness: number
  /** How many are remembered at most. */
  readonly size: number
}

interface Answer {
  readonly organization: OrganizationRecord | null
  readonly readAt: number
}

export class AppOrganizations {
  readonly #options: AppOrganizationsOptions
  /** The one read longest ago comes first. */
  readonly #answers = new Map<string, Answer>()
  /** Raised by every change: an answer that was read before one is not remembered. */
  #generation = 0

  constructor(options: AppOrganizationsOptions) {
    this.#options = options
  }

  /** @throws what storage does, for one that is not remembered or was read too long ago */
  async find(id: string): Promise<OrganizationRecord | null> {
    const { store, clock, staleness } = this.#options
    const generation = this.#generation
    const readAt = clock()
    try {
      const organization = await store.find(id)
      if (generation === this.#generation) this.#remember(id, { organization, readAt })
      return organization
    } catch (error) {
      const last = this.#answers.get(id)
      if (!isStorageAway(error) || last === undefined || clock() - last.readAt >= staleness) throw error
      return last.organization
    }
  }

  #remember(id: string, answer: Answer): void {
    this.#answers.delete(id)
    this.#answers.set(id, answer)
    if (this.#answers.size > this.#options.size) dropOldest(this.#answers)
  }

  /** Hears that an organization was changed; `*` is every one. */
  forget(id: string): void {
    this.#generation += 1
    if (id === '*') this.#answers.clear()
    else this.#answers.delete(id)
  }
}
