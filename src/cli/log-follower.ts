/** Reads the request log as it grows. */
import type { AnyMachineAuth } from '../core.ts'
import type { Clock } from '../lib/clock.ts'
import { toTimestamp } from '../lib/timestamp.ts'
import type { RequestLogEntry } from '../options/recording-types.ts'
import type { RequestLogQuery } from '../recording/requests/reader.ts'
import { CLI_ACTOR } from './with-core.ts'

const PAGE = 100
/** Of one look: who has more of them in a moment wants a filter. */
const MOST_PAGES = 10
/** ms: servers write their entries together, and late. */
const LATE = 10_000

/** The newest entries, oldest first. @param count at most so many */
export async function readLast(
  core: Pick<AnyMachineAuth, 'logs'>,
  query: RequestLogQuery,
  count: number,
): Promise<{ readonly items: readonly RequestLogEntry[]; readonly nextCursor: string | null }> {
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

export class LogFollower {
  readonly #core: Pick<AnyMachineAuth, 'logs'>
  readonly #query: RequestLogQuery
  readonly #clock: Clock
  #seen: ReadonlySet<string>
  #from: number

  /** @param shown entries that are known already */
  constructor(
    core: Pick<AnyMachineAuth, 'logs'>,
    query: RequestLogQuery,
    clock: Clock,
    shown: readonly RequestLogEntry[],
  ) {
    this.#core = core
    this.#query = query
    this.#clock = clock
    this.#seen = new Set(shown.map(({ id }) => id))
    this.#from = clock()
  }

  /** The entries that came since the last look, oldest first. */
  async look(): Promise<readonly RequestLogEntry[]> {
    const from = toTimestamp(this.#from - LATE)
    const now = this.#clock()
    const { items } = await readLast(this.#core, { ...this.#query, from }, PAGE * MOST_PAGES)
    const fresh = items.filter(({ id }) => !this.#seen.has(id))
    this.#seen = new Set(items.map(({ id }) => id))
    this.#from = now
    return fresh
  }
}
