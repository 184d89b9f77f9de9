/** When keys were last used: written soon for the first use, and from then on once a minute. */
import { breathe } from '../../lib/breathe.ts'
import { MINUTE } from '../../lib/time-units.ts'
import type { KeyTouch, UsageStore } from '../../storage/ports/usage.ts'

interface Use {
  at: number
  /** Epoch ms of the use that was written last; 0 for none. */
  writtenAt: number
}

/** Keys in one transaction. */
const BATCH = 500

function isMinuteFrom(at: number, now: number): boolean {
  return Math.abs(now - at) >= MINUTE
}

export class LastUsed {
  readonly #limit: number
  readonly #uses = new Map<string, Use>()
  #sweptAt = 0

  /** @param limit keys that it keeps at most */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** @param at epoch ms */
  note(keyId: string, at: number): void {
    const use = this.#uses.get(keyId)
    if (use !== undefined) use.at = at
    // The date of a key that there is no room for moves with a later use: after a minute there is room again.
    else if (this.#uses.size < this.#limit) this.#uses.set(keyId, { at, writtenAt: 0 })
  }

  /**
   * Notes a use that may not be the last one.
   *
   * @param at epoch ms
   * @param now epoch ms; what lies behind it was noted by a clock that was set back since
   */
  noteLater(keyId: string, at: number, now: number): void {
    const use = this.#uses.get(keyId)
    if (use === undefined || at > use.at || use.at > now) this.note(keyId, Math.min(at, now))
  }

  /**
   * Writes what is due.
   *
   * @param now epoch ms
   * @param isLast whether everything is: nothing is written after it
   */
  async write(store: Pick<UsageStore, 'touch'>, now: number, isLast: boolean): Promise<void> {
    const due: KeyTouch[] = []
    for (const [keyId, { at, writtenAt }] of this.#uses) {
      // The clock may have been ahead when it was written.
      if (at !== writtenAt && (isLast || isMinuteFrom(writtenAt, now))) due.push({ keyId, at })
    }
    for (let start = 0; start < due.length; start += BATCH) {
      if (start > 0) await breathe()
      const chunk = due.slice(start, start + BATCH)
      await store.touch(chunk)
      for (const { keyId, at } of chunk) this.#markWritten(keyId, at)
    }
    this.#sweep(now)
  }

  #markWritten(keyId: string, at: number): void {
    const use = this.#uses.get(keyId)
    if (use !== undefined) use.writtenAt = at
  }

  /** Forgets keys that were not used for a minute: their next use is like a first one. */
  #sweep(now: number): void {
    if (!isMinuteFrom(this.#sweptAt, now)) return
    this.#sweptAt = now
    for (const [keyId, { at, writtenAt }] of this.#uses) {
      if (at === writtenAt && isMinuteFrom(at, now)) this.#uses.delete(keyId)
    }
  }
}
