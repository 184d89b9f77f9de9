import { asc, type Column, desc, type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import { MachineAuthError } from '../../errors.ts'
import type { Page, PageRequest } from '../ports/page.ts'

/** A total order of a list: by a value that is never null, then by id. */
export interface Keyset<Row> {
  /** Names the order inside the cursor, so that a cursor of another order is refused. */
  readonly name: string
  readonly order: 'asc' | 'desc'
  readonly by: SQLWrapper
  /** Of the values that `by` yields. */
  readonly type: 'string' | 'number'
  readonly id: Column
  readonly valueOf: (row: Row) => string | number
  readonly idOf: (row: Row) => string
}

/** What a list reads: rows after `after`, in `orderBy`, at most `limit`. */
export interface Slice {
  readonly after: SQL | undefined
  readonly orderBy: SQL[]
  readonly limit: number
}

const MAX_CURSOR = 8192
const BASE64URL = /^[A-Za-z0-9_-]+$/

interface Position {
  readonly s: string
  readonly v: string | number
  readonly i: string
}

function isStorable(value: unknown): value is string | number {
  // PostgreSQL refuses NUL in text and integers beyond 64 bits.
  return typeof value === 'string' ? !value.includes('\0') : Number.isSafeInteger(value)
}

function isPosition(value: unknown): value is Position {
  if (typeof value !== 'object' || value === null) return false
  if (!('s' in value && 'v' in value && 'i' in value)) return false
  return typeof value.s === 'string' && isStorable(value.v) && typeof value.i === 'string' && isStorable(value.i)
}

function decode(cursor: string): unknown {
  if (cursor.length > MAX_CURSOR || !BASE64URL.test(cursor)) return undefined
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    return undefined
  }
}

function parseCursor(cursor: string, name: string, type: 'string' | 'number'): Position {
  const position = decode(cursor)
  if (isPosition(position) && position.s === name && typeof position.v === type) return position
  const message = 'is not a cursor of this list: pass the nextCursor of the page before, with the same sort and order'
  throw new MachineAuthError('validation_failed', {
    detail: `cursor ${message}.`,
    errors: [{ path: 'cursor', message }],
  })
}

/** Where a row stands in its list. */
export type Place = Pick<Position, 'v' | 'i'>

/** How a page that is asked for lies in its list. */
export interface Way<Row> {
  /** Rows of the page at most. */
  readonly size: number
  /** Behind which it begins; undefined for the first page. */
  readonly start: Place | undefined
  readonly orderBy: SQL[]
  /** Holds for the rows behind a place. */
  behind(place: Place): SQL
  /** Holds for the rows up to a place, itself included. */
  upTo(place: Place): SQL
  placeOf(row: Row): Place
  cursorOf(place: Place): string
}

/** @throws MachineAuthError `validation_failed` for a cursor that is malformed or of another order */
export function wayOf<Row>({ cursor, limit, order: asked }: PageRequest, keyset: Keyset<Row>): Way<Row> {
  const { by, id } = keyset
  const order = asked ?? keyset.order
  const name = `${keyset.name}.${order}`
  const [after, direction] = order === 'asc' ? [sql.raw('>'), asc] : [sql.raw('<'), desc]
  const until = order === 'asc' ? sql.raw('<=') : sql.raw('>=')
  return {
    size: Math.min(Math.max(1, Math.trunc(limit)), 100),
    start: cursor === undefined ? undefined : parseCursor(cursor, name, keyset.type),
    orderBy: [direction(by), direction(id)],
    behind: ({ v, i }) => sql`(${by}, ${id}) ${after} (${v}, ${i})`,
    upTo: ({ v, i }) => sql`(${by}, ${id}) ${until} (${v}, ${i})`,
    placeOf: (row) => ({ v: keyset.valueOf(row), i: keyset.idOf(row) }),
    cursorOf({ v, i }) {
      const next: Position = { s: name, v, i }
      return Buffer.from(JSON.stringify(next)).toString('base64url')
    },
  }
}

/** Makes a page of the rows that were read, one more than asked for if there is a next page. */
export function toPage<Row>(way: Way<Row>, rows: readonly Row[]): Page<Row> {
  const items = rows.slice(0, way.size)
  const last = items.at(-1)
  const isLast = rows.length <= way.size || last === undefined
  return { items, nextCursor: isLast ? null : way.cursorOf(way.placeOf(last)) }
}

/**
 * Reads one page by keyset: rows added or removed meanwhile never repeat or hide another row.
 *
 * @throws MachineAuthError `validation_failed` for a cursor that is malformed or of another order
 */
export async function readPage<Row>(
  request: PageRequest,
  keyset: Keyset<Row>,
  read: (slice: Slice) => PromiseLike<readonly Row[]>,
): Promise<Page<Row>> {
  const way = wayOf(request, keyset)
  const { start, orderBy, size } = way
  return toPage(way, await read({ after: start && way.behind(start), orderBy, limit: size + 1 }))
}

/** The orders that a list can be asked for, by name. */
export type Sorts<Row, Name extends string> = {
  readonly [N in Name]: Pick<Keyset<Row>, 'by' | 'type' | 'valueOf'>
}

/** The order asked for; newest first unless it says otherwise. */
export function sortedBy<Row extends { readonly id: string }, Name extends string>(
  sorts: Sorts<Row, Name | 'createdAt'>,
  {
    sort = 'createdAt',
    order = 'desc',
  }: { readonly sort?: Name | 'createdAt' | undefined; readonly order?: 'asc' | 'desc' | undefined },
  id: Column,
): Keyset<Row> {
  return { ...sorts[sort], name: sort, order, id, idOf: (row) => row.id }
}

/** The usual order: newest first. */
export function newestFirst<Row extends { readonly id: string; readonly createdAt: number }>(table: {
  readonly createdAt: Column
  readonly id: Column
}): Keyset<Row> {
  return {
    name: 'createdAt',
    order: 'desc',
    by: table.createdAt,
    type: 'number',
    id: table.id,
    valueOf: (row) => row.createdAt,
    idOf: (row) => row.id,
  }
}
