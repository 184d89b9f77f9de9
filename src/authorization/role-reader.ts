/** Keeps what this process knows of the stored roles as the database has it. */
import { Rereader } from '../lib/rereader.ts'
import type { RoleStore } from '../storage/ports/accounts.ts'
import type { RoleRegistry } from './roles.ts'

export class RoleReader {
  readonly #store: RoleStore
  readonly #registry: RoleRegistry
  readonly #onRead: () => void
  readonly #rereader: Rereader
  #readings = 0
  #newest = 0

  /** @param onRead forgets what was decided by the roles of before; called once after a failed reading too */
  constructor(store: RoleStore, registry: RoleRegistry, onRead: () => void) {
    this.#store = store
    this.#registry = registry
    this.#onRead = onRead
    // Not after further failures: nothing changes while storage is away, and nothing is refilled.
    this.#rereader = new Rereader(() => this.read(), onRead)
  }

  /** Reads the stored roles once; rejects when storage does. */
  async read(): Promise<void> {
    this.#readings += 1
    const reading = this.#readings
    const stored = await this.#store.list()
    // A reading that was overtaken by a later one knows less.
    if (reading > this.#newest) this.#registry.replaceStored(stored)
    this.#newest = Math.max(this.#newest, reading)
    this.#onRead()
  }

  /** Tries until it succeeds: the change that asked for it is not told twice. */
  readSoon(): void {
    void this.#rereader.readSoon()
  }

  /** For this process's own writes, of which the watcher need not hear: rejects when storage does, and tries on. */
  async readNow(): Promise<void> {
    try {
      await this.read()
    } catch (error) {
      this.readSoon()
      throw error
    }
  }

  stop(): void {
    this.#rereader.stop()
  }
}
