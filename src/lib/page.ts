import { invalidField } from './field-errors.ts'

export interface PageInput {
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
  /** Of lists that have one order only, in which direction. */
  readonly order?: 'asc' | 'desc' | undefined
}

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 100
export const LIMIT_ACCEPTED = `must be a whole number from 1 to ${MAX_LIMIT}`

/**
 * Fills in what a caller left out of a page request.
 *
 * @throws MachineAuthError `validation_failed` for a limit outside 1 to 100
 */
export function resolvePage({ cursor, limit = DEFAULT_LIMIT, order }: PageInput): {
  readonly cursor: string | undefined
  readonly limit: number
  readonly order: 'asc' | 'desc' | undefined
} {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw invalidField('limit', LIMIT_ACCEPTED)
  }
  return { cursor, limit, order }
}

interface HeldPage<T> {
  readonly items: readonly T[]
  readonly nextCursor: string | null
}

/**
 * Takes a page out of a list that is held as a whole. The cursor is the name of the last item shown, behind the order
 * if one was asked for: with another order it would show some items twice and others never.
 *
 * @param nameOf tells each item from all others; sorts them if an order is asked for
 * @throws MachineAuthError `validation_failed` for a limit outside 1 to 100, or a cursor that no item has
 */
export function takePageBy<T>(nameOf: (item: T) => string, items: readonly T[], input: PageInput): HeldPage<T> {
  const { cursor, limit, order } = resolvePage(input)
  const cursorOf = (item: T) => (order === undefined ? nameOf(item) : `${order}:${nameOf(item)}`)
  const sorted = order === undefined ? items : sortByName(nameOf, items, order)
  const before = cursor === undefined ? -1 : sorted.findIndex((item) => cursorOf(item) === cursor)
  if (cursor !== undefined && before === -1) throw invalidField('cursor', 'names no item of this list in this order')
  const page = sorted.slice(before + 1, before + 1 + limit)
  const last = page.at(-1)
  const isLast = before + 1 + limit >= sorted.length
  return { items: page, nextCursor: isLast || last === undefined ? null : cursorOf(last) }
}

function sortByName<T>(nameOf: (item: T) => string, items: readonly T[], order: 'asc' | 'desc'): readonly T[] {
  const ascending = items.toSorted((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1))
  return order === 'asc' ? ascending : ascending.reverse()
}

/** As `takePageBy`, by id. */
export function takePage<T extends { readonly id: string }>(items: readonly T[], input: PageInput): HeldPage<T> {
  return takePageBy(({ id }) => id, items, input)
}
