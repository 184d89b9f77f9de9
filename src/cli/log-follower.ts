/** Reads the request log as it grows. */
import type { AnyMachineAuth } from '../core.ts'
import type { Clock } from '../lib/clock.ts'
import { parseTimestamp, toTimestamp } from '../lib/timestamp.ts'
import type { RequestLogEntry } from '../options/recording-types.ts'
import type { RequestLogQuery } from '../recording/requests/reader.ts'
import { CLI_ACTOR } from './with-core.ts'

const PAGE = 100
/** Of one look: what there is besides is for the next one. */
const MOST_PAGES = 10
/** ms: servers write their entries together, and late, and their clocks differ. */
const LATE = 10_000

/** What came since the last look, oldest first. */
export interface Look {
  readonly entries: readonly RequestLogEntry[]
  /** Whether that is all there is by now. */
  readonly isCaughtUp: boolean
  /** Whether nothing can come any more: what is asked for is over. */
  readonly isOver: boolean
}

/** What is shown first, oldest first. */
export interface LastEntries {
  readonly items: readonly RequestLogEntry[]
  /** Null where there are no older ones. */
  readonly nextCursor: string | null
}

/** One way through the log, however many looks it takes. */
interface Pass {
  /** Epoch ms. */
  readonly from: number
  readonly to: number
  /** Epoch ms: where the next one begins, since what comes late is still to come from there on. */
  readonly next: number
  cursor: string | undefined
  /** Entries that the next one comes upon again. */
  readonly seen: Set<string>
}

function createPass(from: number, now: number): Pass {
  return { from, to: now + LATE, next: now - LATE, cursor: undefined, seen: new Set() }
}

/** @param given RFC 3339, or nothing */
function momentOr(given: string | undefined, otherwise: number): number {
  return (given === undefined ? null : parseTimestamp(given)) ?? otherwise
}

/** The newest entries, oldest first. @param count at most so many */
export async function readLast(
  core: Pick<AnyMachineAuth, 'logs'>,
  query: RequestLogQuery,
  count: number,
): Promise<LastEntries> {
  const entries: RequestLogEntry[] = []
  let cursor: string | undefined
  while (entries.length < count) {
    const page = await core.logs.list(query, { cursor, limit: Math.min(PAGE, count - entries.length) }, CLI_ACTOR)
    entries.push(...page.items)
    cursor = page.nextCursor ?? undefined
    if (cursor === undefined) break
  }
  return { items: entries.toReversed(), nextCursor: cursor ?? null }
}

/** Goes on with what comes, each entry once, however many come at once. */
export class LogFollower {
  readonly #core: Pick<AnyMachineAuth, 'logs'>
  readonly #query: RequestLogQuery
  readonly #clock: Clock
  /** Epoch ms: where the next pass begins. */
  #from: number
  #seen: ReadonlySet<string>
  /** Null where none is under way. */
  #pass: Pass | null = null
  /** In the first pass, where those begin that were left out as too old; null where none were. */
  #oldest: RequestLogEntry | null

  /** @param shown what is known already: what is older is not new, however late it is come upon */
  constructor(core: Pick<AnyMachineAuth, 'logs'>, query: RequestLogQuery, clock: Clock, shown: LastEntries) {
    this.#core = core
    this.#query = query
    this.#clock = clock
    this.#seen = new Set(shown.items.map(({ id }) => id))
    this.#oldest = shown.nextCursor === null ? null : (shown.items[0] ?? null)
    this.#from = clock() - LATE
  }

  /** A thousand entries at most are read at once; the next look goes on behind them. */
  async look(): Promise<Look> {
    const entries: RequestLogEntry[] = []
    for (let pages = 0; pages < MOST_PAGES; pages += 1) {
      this.#pass ??= createPass(this.#from, this.#clock())
      entries.push(...(await this.#readPage(this.#pass)))
      if (this.#pass.cursor !== undefined) continue
      this.#seen = this.#pass.seen
      this.#from = this.#pass.next
      this.#pass = null
      this.#oldest = null
      return { entries, isCaughtUp: true, isOver: this.#from >= momentOr(this.#query.to, Number.POSITIVE_INFINITY) }
    }
    return { entries, isCaughtUp: false, isOver: false }
  }

  async #readPage(pass: Pass): Promise<readonly RequestLogEntry[]> {
    const from = toTimestamp(Math.max(pass.from, momentOr(this.#query.from, pass.from)))
    const to = toTimestamp(Math.min(pass.to, momentOr(this.#query.to, pass.to)))
    const query = { ...this.#query, from, to }
    const { items, nextCursor } = await this.#core.logs.list(
      query,
      { cursor: pass.cursor, limit: PAGE, order: 'asc' },
      CLI_ACTOR,
    )
    pass.cursor = nextCursor ?? undefined
    const next = toTimestamp(pass.next)
    for (const { id, at } of items) if (at >= next) pass.seen.add(id)
    return items.filter((entry) => !this.#seen.has(entry.id) && !this.#isOlder(entry))
  }

  #isOlder({ at, id }: RequestLogEntry): boolean {
    const oldest = this.#oldest
    return oldest !== null && (at < oldest.at || (at === oldest.at && id < oldest.id))
  }
}
