/** A file of this process's journal: one that is mapped into memory, so that what was noted outlives the process. */
import { utimesSync } from 'node:fs'
import { START_OF_JOURNAL, type UsageCheckpoint } from '../../../storage/ports/usage.ts'
import { type Chained, LabelIndex, type Labels } from '../labels.ts'
import type { SourceSpan, UsageSource } from '../source.ts'
import { removeFile } from './files.ts'
import { END_LINE, type Header, headerLine, LONGEST_REQUEST, labelsLine, timeLine, writeRequest } from './lines.ts'
import { JournalReader } from './reader.ts'

interface Numbered extends Chained<Numbered> {
  readonly number: number
}

export class Segment implements UsageSource {
  readonly sourceId: string
  readonly path: string
  readonly start = START_OF_JOURNAL
  readonly #bytes: Buffer
  readonly #reader: JournalReader
  /** Epoch ms from which times count. */
  #at: number
  #index = new LabelIndex<Numbered>()
  #numbers = 0
  #end = 0
  #due = 0
  #counted = 0
  #isClosed = false

  /**
   * @param path of a file that nobody else writes
   * @param header what its first line says; zeros follow
   */
  constructor(sourceId: string, path: string, header: Header) {
    this.sourceId = sourceId
    this.path = path
    const mapped = Bun.mmap(path, { shared: true })
    this.#bytes = Buffer.from(mapped.buffer, mapped.byteOffset, mapped.byteLength)
    this.#reader = new JournalReader(this.#bytes)
    this.#at = header.at
    this.#end = headerLine(header).length
  }

  get size(): number {
    return this.#bytes.length
  }

  get isHalfFull(): boolean {
    return this.#end > this.#bytes.length / 2
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Bytes that are not counted yet. */
  get pending(): number {
    return Math.max(0, this.#end - this.#counted)
  }

  /**
   * Notes a request. From then on it is in the file, whatever becomes of this process.
   *
   * @param duration µs, a whole number
   * @param at epoch ms
   * @returns false when there is no room for it; then nothing is noted
   */
  append(
    keyId: string,
    organizationId: string,
    method: string,
    route: string,
    status: number,
    duration: number,
    at: number,
  ): boolean {
    const known = this.#index.find(keyId, organizationId, method, route, status)
    const number = known?.number ?? this.#define({ keyId, organizationId, method, route, status })
    if (number === -1 || (at < this.#at && !this.#setBack(at)) || !this.#hasRoom(LONGEST_REQUEST)) return false
    this.#end = writeRequest(this.#bytes, this.#end, number, at - this.#at, duration)
    return true
  }

  #hasRoom(length: number): boolean {
    return !this.#isClosed && this.#end + length + END_LINE.length <= this.#bytes.length
  }

  /** Answers whether there was room to say so. */
  #setBack(at: number): boolean {
    const line = timeLine(at)
    if (!this.#hasRoom(line.length + LONGEST_REQUEST)) return false
    this.#end += this.#bytes.write(line, this.#end)
    this.#at = at
    return true
  }

  /** @returns -1 when there is no room */
  #define(labels: Labels): number {
    const line = labelsLine(this.#numbers, labels)
    if (!this.#hasRoom(Buffer.byteLength(line) + LONGEST_REQUEST)) return -1
    const number = this.#numbers
    this.#end += this.#bytes.write(line, this.#end)
    this.#index.add({ ...labels, number, next: null })
    this.#numbers += 1
    return number
  }

  /** Says in the file that nothing follows: whoever counts it to its end may delete it. */
  close(): void {
    if (this.#isClosed) return
    this.#end += this.#bytes.write(END_LINE, this.#end)
    this.#isClosed = true
    this.#index = new LabelIndex()
  }

  /**
   * Says that the file is in use, which a write to memory does not always.
   *
   * @throws Error when the file is gone
   */
  keep(): void {
    const now = new Date()
    utimesSync(this.path, now, now)
  }

  begin(): void {
    this.#due = this.#end
  }

  read(from: UsageCheckpoint): SourceSpan | null {
    const span = this.#reader.read(from, this.#due)
    if (span === null) this.#counted = this.#reader.offset
    return span
  }

  onCounted(position: number): void {
    this.#counted = position
  }

  remove(): void {
    removeFile(this.path)
  }
}
