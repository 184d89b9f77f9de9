/** Pages of a list in which most rows may be none of those that are looked for. */
import { and } from 'drizzle-orm'
import type { Page, PageRequest } from '../ports/page.ts'
import { type Keyset, type Place, type Slice, toPage, wayOf } from './paging.ts'
import type { Turns } from './turns.ts'

/** Rows that are looked at in a row: 1 to 2 ms on SQLite, where nobody else has a turn meanwhile. */
const PART = 1000
/** Parts of one page. */
const MOST_PARTS = 20

export interface Source<Row> {
  readonly turns: Turns
  /** Where each row of a slice stands, from the row `offset` on: of all rows, those that are not looked for, too. */
  readonly places: (slice: Slice & { readonly offset: number }) => PromiseLike<readonly Place[]>
  /** The rows of a slice that are looked for. */
  readonly read: (slice: Slice) => PromiseLike<readonly Row[]>
}

/**
 * As `readPage`, where no index knows what is looked for: the page also ends when 20,000 rows were looked at, with what
 * was found among them, which may be nothing, and a cursor that goes on behind them.
 *
 * @throws MachineAuthError `validation_failed` for a cursor that is malformed or of another order
 */
export async function scanPage<Row>(
  request: PageRequest,
  keyset: Keyset<Row>,
  { turns, places, read }: Source<Row>,
): Promise<Page<Row>> {
  const way = wayOf(request, keyset)
  const { orderBy, size } = way
  const found: Row[] = []
  let place = way.start

  async function readPart() {
    const after = place && way.behind(place)
    const [end] = await places({ after, orderBy, limit: 1, offset: PART - 1 })
    const within = and(after, end && way.upTo(end))
    found.push(...(await read({ after: within, orderBy, limit: size + 1 - found.length })))
    return end
  }

  for (let parts = 0; parts < MOST_PARTS; parts += 1) {
    const end = await turns(readPart)
    if (end === undefined || found.length > size) return toPage(way, found)
    place = end
  }
  return { items: found, nextCursor: place === undefined ? null : way.cursorOf(place) }
}
