/** A file that another process wrote, and perhaps still writes. */
import { HOUR } from '../../../lib/time-units.ts'
import type { UsageCheckpoint } from '../../../storage/ports/usage.ts'
import { type AdvanceOptions, SourceProgress } from '../advance.ts'
import type { SourceSpan, UsageSource } from '../source.ts'
import { removeFile } from './files.ts'
import { HEAD, readJournalFile } from './journal-file.ts'
import { isGone } from './owner.ts'
import { JournalReader } from './reader.ts'

/** ms without a sign of life. A process gives one every ten minutes, or at each flush where those are rarer. */
export const ABANDONED_AFTER = 2 * HOUR

export class Leftover implements UsageSource {
  readonly sourceId: string
  readonly start = null
  readonly #path: string
  #bytes: Uint8Array = new Uint8Array()
  #reader = new JournalReader(this.#bytes)
  readonly #database: string
  /** Whether the file is still there, and reaches as far as it was counted before. */
  #isSound = true

  /** @param database id of the one that is counted into */
  constructor(sourceId: string, path: string, database: string) {
    this.sourceId = sourceId
    this.#path = path
    this.#database = database
  }

  /**
   * Counts what is in it; deletes it when that is all there will ever be. A file of another database, or of anything
   * else, is left alone.
   *
   * @returns bytes that were read
   */
  async count(options: AdvanceOptions): Promise<number> {
    // Asked before it is read: what its process wrote until its end is then read, too.
    const head = await readJournalFile(this.#path, HEAD)
    if (head?.header.database !== this.#database) return 0
    // The system's clock, whatever clock the core is given: it is the one that dates files.
    const isOver = isGone(head.header.owner) || head.modifiedAt < Date.now() - ABANDONED_AFTER
    const progress = new SourceProgress(this, options)
    const isAtEnd = await progress.advance()
    if (isAtEnd && this.#isSound && (isOver || this.#reader.isEnded)) await this.#remove(progress)
    return head.size
  }

  async #remove(progress: SourceProgress): Promise<void> {
    try {
      removeFile(this.#path)
    } catch {
      // As long as it is there it must be known that it was counted.
      await progress.keep()
    }
  }

  async begin(): Promise<void> {
    const file = await readJournalFile(this.#path)
    this.#isSound = file?.header.database === this.#database
    this.#bytes = this.#isSound && file !== null ? file.bytes : new Uint8Array()
    this.#reader = new JournalReader(this.#bytes)
  }

  async read(from: UsageCheckpoint): Promise<SourceSpan | null> {
    const span = this.#reader.read(from, this.#bytes.length)
    if (span !== null || this.#reader.offset >= from.target) return span
    // Its process, or another one that reads it, was faster.
    await this.begin()
    const newer = this.#reader.read(from, this.#bytes.length)
    this.#isSound &&= newer !== null || this.#reader.offset >= from.target
    return newer
  }

  onCounted(): void {}
}
