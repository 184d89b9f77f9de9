/** Reads requests back from a journal, from any place at which it was counted before. */
import type { UsageCheckpoint } from '../../../storage/ports/usage.ts'
import type { Labels } from '../labels.ts'
import type { SourceSpan } from '../source.ts'
import { Tally } from '../tally.ts'
import { endOfLine, type Header, type Line, parseLine } from './lines.ts'

/** Bytes that are read at once, so that requests have their turn after it: some milliseconds. */
const LONGEST_SPAN = 262_144
/** Counters that are made at once. */
const MOST_COUNTERS = 20_000

/** The header of a journal; null when it has none, or one of another version. */
export function readHeader(bytes: Uint8Array): Header | null {
  const newline = endOfLine(bytes, 0, bytes.length)
  const line = newline === -1 ? null : parseLine(bytes, 0, newline)
  return line?.kind === 'header' ? line.header : null
}

export class JournalReader {
  readonly #bytes: Uint8Array
  #offset = 0
  /** Epoch ms from which times count; null before the header. */
  #at: number | null = null
  #labels: Labels[] = []
  #isEnded = false

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** As far as it was read. */
  get offset(): number {
    return this.#offset
  }

  /** Whether the line that says that nothing follows was read. */
  get isEnded(): boolean {
    return this.#isEnded
  }

  /**
   * Counts the requests after a checkpoint: up to its target if it has one, else as many as are read at once.
   *
   * @param end bytes from here on are not looked at
   * @returns null when there is none, or the target lies behind the end
   */
  read({ position, target }: UsageCheckpoint, end: number): SourceSpan | null {
    if (position < this.#offset) this.#startOver()
    const isOpen = target === position
    const tally = new Tally(isOpen ? MOST_COUNTERS : Number.POSITIVE_INFINITY)
    const enough = isOpen ? Math.max(this.#offset, position) + LONGEST_SPAN : target
    while (this.#offset < enough || (isOpen && tally.requests === 0)) {
      const newline = endOfLine(this.#bytes, this.#offset, end)
      if (newline === -1) break
      const line = parseLine(this.#bytes, this.#offset, newline)
      if (!this.#take(line, this.#offset < position ? null : tally)) break
      this.#offset = newline + 1
    }
    if (tally.requests === 0 || this.#offset < (isOpen ? 0 : target)) return null
    return { target: isOpen ? this.#offset : target, tally }
  }

  #startOver(): void {
    this.#offset = 0
    this.#labels = []
    this.#at = null
    this.#isEnded = false
  }

  /** @returns false for a request that there is no room for */
  #take(line: Line, tally: Tally | null): boolean {
    if (line.kind === 'header') this.#at ??= line.header.at
    else if (line.kind === 'time') this.#at = this.#at === null ? null : line.at
    else if (line.kind === 'labels') this.#define(line.number, line.labels)
    else if (line.kind === 'end') this.#isEnded = true
    else if (line.kind === 'request' && tally !== null)
      return this.#count(line.number, line.after, line.duration, tally)
    return true
  }

  #define(number: number, labels: Labels): void {
    if (number === this.#labels.length) this.#labels.push(labels)
  }

  #count(number: number, after: number, duration: number, tally: Tally): boolean {
    const labels = this.#labels[number]
    if (labels === undefined || this.#at === null) return true
    const { keyId, organizationId, method, route, status } = labels
    return tally.count(keyId, organizationId, method, route, status, duration, this.#at + after)
  }
}
