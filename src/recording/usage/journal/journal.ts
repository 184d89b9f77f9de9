/** Notes requests in files of this process, one after another. */
import { randomBase62 } from '../../../lib/base62.ts'
import { breathe } from '../../../lib/breathe.ts'
import type { Clock } from '../../../lib/clock.ts'
import { MINUTE } from '../../../lib/time-units.ts'
import { pauseAfter } from '../../flusher.ts'
import type { DatabaseIdentity } from './database-id.ts'
import { createFile, createFileNow, JournalError, pathOf, removeFile } from './files.ts'
import { type Header, headerLine } from './lines.ts'
import { nameOwner } from './owner.ts'
import { Segment } from './segment.ts'

export interface JournalOptions {
  readonly directory: string
  /** Bytes of one file. */
  readonly segmentBytes: number
  /** Bytes of all files of this process. */
  readonly mostBytes: number
  /** Whose database it is counted into. Until its id is known there are no files. */
  readonly identity: DatabaseIdentity
  readonly clock: Clock
  /** Hears once that no file can be made, until one could. */
  readonly warn: (message: string) => void
}

/** ms; see `Journal.keep`. */
const KEPT_EVERY = 10 * MINUTE

/** The first file is smaller: it is made while its request waits, and many processes never need more. */
const FIRST_PART = 16

/** Some file systems let files be made that cannot be mapped: those must not pile up. */
function mapSegment(sourceId: string, path: string, header: Header): Segment {
  try {
    return new Segment(sourceId, path, header)
  } catch (error) {
    removeFile(path)
    throw error
  }
}

export class Journal {
  readonly #options: JournalOptions
  readonly #owner = nameOwner()
  /** Oldest first; the last one is written to. */
  #segments: Segment[] = []
  /** Made ahead, so that no request waits for it. */
  #next: Segment | null = null
  #preparing: Promise<void> | null = null
  /** Files in a row that could not be made, and epoch ms of the last one. */
  #failures = 0
  #failedAt = 0
  #isStopped = false
  #touchedAt = 0

  constructor(options: JournalOptions) {
    this.#options = options
  }

  /** Files of which something may not be counted yet, oldest first. */
  get segments(): readonly Segment[] {
    return this.#segments
  }

  /** Bytes that are not counted yet. */
  get pending(): number {
    return this.#segments.reduce((sum, { pending }) => sum + pending, 0)
  }

  /** Whether a file is of this process. */
  owns(sourceId: string): boolean {
    return this.#next?.sourceId === sourceId || this.#segments.some((segment) => segment.sourceId === sourceId)
  }

  /**
   * Notes a request; see `Segment.append`.
   *
   * @returns false when there is no room: no file can be made, or those there are must be counted first
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
    const current = this.#segments.at(-1)
    if (current?.append(keyId, organizationId, method, route, status, duration, at)) {
      // After a failure it is the rounds that try again: requests would do so without a pause.
      if (this.#next === null && this.#failures === 0 && current.isHalfFull) void this.prepare()
      return true
    }
    return this.#turn(at)?.append(keyId, organizationId, method, route, status, duration, at) ?? false
  }

  /** Begins the next file. */
  #turn(at: number): Segment | null {
    const next = this.#next ?? this.#createNow(at)
    if (next === null) return null
    this.#segments.at(-1)?.close()
    this.#segments.push(next)
    this.#next = null
    return next
  }

  /** Bytes of the next file; 0 when there is no room for it. */
  get #nextSize(): number {
    const { segmentBytes, mostBytes } = this.#options
    const used = this.#segments.reduce((sum, { size }) => sum + size, 0)
    const size = this.#segments.length === 0 ? Math.ceil(segmentBytes / FIRST_PART) : segmentBytes
    return used + size > mostBytes ? 0 : size
  }

  #name(database: string, at: number) {
    const sourceId = randomBase62(22)
    return { sourceId, path: pathOf(this.#options.directory, sourceId), header: { database, at, owner: this.#owner } }
  }

  /** Only where none was made ahead: for the first request, or when requests came faster than a file is made. */
  #createNow(at: number): Segment | null {
    const size = this.#nextSize
    const { id } = this.#options.identity
    // After a failure it is tried again off the path.
    if (size === 0 || id === null || this.#failures > 0) return null
    const { sourceId, path, header } = this.#name(id, at)
    try {
      createFileNow(path, headerLine(header), size)
      return mapSegment(sourceId, path, header)
    } catch (error) {
      this.#fail(error)
      return null
    }
  }

  get #isNextNeeded(): boolean {
    const current = this.#segments.at(-1)
    return current === undefined ? this.#failures > 0 : current.isHalfFull || current.isClosed
  }

  /** Whether it failed a moment ago: a full disk is not written to again and again. */
  get #isPausing(): boolean {
    if (this.#failures === 0) return false
    return Math.abs(this.#options.clock() - this.#failedAt) < pauseAfter(this.#failures, () => 0)
  }

  /** Makes the next file, where it will be needed; after failures seldom. Never rejects. */
  prepare(): Promise<void> {
    if (this.#isStopped || this.#next !== null || !this.#isNextNeeded || this.#isPausing || this.#nextSize === 0) {
      return Promise.resolve()
    }
    this.#preparing ??= this.#prepare(this.#nextSize).finally(() => {
      this.#preparing = null
    })
    return this.#preparing
  }

  async #prepare(size: number): Promise<void> {
    // Even to begin it is no work for a request.
    await breathe()
    const { identity, clock } = this.#options
    if (identity.id === null) return
    const { sourceId, path, header } = this.#name(identity.id, clock())
    try {
      await createFile(path, headerLine(header), size)
      this.#next = mapSegment(sourceId, path, header)
      this.#failures = 0
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    if (this.#failures === 0) {
      const { message } = new JournalError(this.#options.directory, error)
      this.#options.warn(`${message} Until then requests are counted in memory, and lost if the process is killed`)
    }
    this.#failures += 1
    this.#failedAt = this.#options.clock()
  }

  /**
   * Says from time to time that the files are in use: nobody deletes what was within two hours.
   * A file that somebody deleted all the same is written to no more.
   *
   * @param now epoch ms
   */
  keep(now: number): void {
    if (Math.abs(now - this.#touchedAt) < KEPT_EVERY) return
    this.#touchedAt = now
    for (const segment of this.#segments) {
      try {
        segment.keep()
      } catch {
        segment.close()
      }
    }
  }

  /** Deletes a file that was closed and counted to its end. */
  retire(segment: Segment): void {
    this.#segments = this.#segments.filter((each) => each !== segment)
    segment.remove()
  }

  /**
   * Ends: files that are not counted to their end are left to the next process.
   *
   * @param isCounted whether all are
   */
  async stop(isCounted: boolean): Promise<void> {
    this.#isStopped = true
    await this.#preparing
    this.#next?.remove()
    this.#next = null
    for (const segment of this.#segments) {
      segment.close()
      if (isCounted) removeFile(segment.path)
    }
    this.#segments = []
  }
}
