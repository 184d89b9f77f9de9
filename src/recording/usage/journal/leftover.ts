/** A file that another process wrote, and perhaps still writes. */
import { stat } from 'node:fs/promises'
import { DAY } from '../../../lib/time-units.ts'
import type { UsageCheckpoint } from '../../../storage/ports/usage.ts'
import { type AdvanceOptions, SourceProgress } from '../advance.ts'
import type { SourceSpan, UsageSource } from '../source.ts'
import { removeFile } from './files.ts'
import { isGone } from './owner.ts'
import { JournalReader, readHeader } from './reader.ts'

/** ms without a sign of life; see `Journal.keep`. */
export const ABANDONED_AFTER = DAY

export class Leftover implements UsageSource {
  readonly sourceId: string
  readonly start = null
  readonly #path: string
  #bytes = new Uint8Array()
  #reader = new JournalReader(this.#bytes)
  /** Whether the file is one of ours, and reaches as far as it was counted before. */
  #isSound = true

  constructor(sourceId: string, path: string) {
    this.sourceId = sourceId
    this.#path = path
  }

  /** Counts what is in it; deletes it when that is all there will ever be. */
  async count(options: AdvanceOptions): Promise<void> {
    // Asked before it is read: what its process wrote until its end is then read, too.
    const isOver = await this.#isOver()
    const isAtEnd = await new SourceProgress(this, options).advance()
    if (isAtEnd && this.#isSound && (isOver || this.#reader.isEnded)) removeFile(this.#path)
  }

  async #isOver(): Promise<boolean> {
    await this.begin()
    const header = readHeader(this.#bytes)
    this.#isSound = header !== null || (this.#bytes[0] ?? 0) === 0
    if (header !== null && isGone(header.owner)) return true
    // The system's clock, whatever clock the core is given: it is the one that dates files.
    return (await stat(this.#path)).mtimeMs < Date.now() - ABANDONED_AFTER
  }

  async begin(): Promise<void> {
    this.#bytes = await Bun.file(this.#path).bytes()
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
