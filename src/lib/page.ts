import { invalidField } from './field-errors.ts'

export interface PageInput {
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 100

/**
 * Fills in what a caller left out of a page request.
 *
 * @throws MachineAuthError `validation_failed` for a limit outside 1 to 100
 */
export function resolvePage({ cursor, limit = DEFAULT_LIMIT }: PageInput): {
  readonly cursor: string | undefined
  readonly limit: number
} {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw invalidField('limit', `must be a whole number from 1 to ${MAX_LIMIT}`)
  }
  return { cursor, limit }
}

interface HeldPage<T> {
  readonly items: readonly T[]
  readonly nextCursor: string | null
}

/**
 * Takes a page out of a list that is held as a whole. The cursor is the name of the last item shown.
 *
 * @param nameOf tells each item from all others
 * @throws MachineAuthError `validation_failed` for a limit outside 1 to 100, or a cursor that no item has
 */
export function takePageBy<T>(nameOf: (item: T) => string, items: readonly T[], input: PageInput): HeldPage<T> {
  const { cursor, limit } = resolvePage(input)
  const before = cursor === undefined ? -1 : items.findIndex((item) => nameOf(item) === cursor)
  if (cursor !== undefined && before === -1) throw invalidField('cursor', 'names no item of this list')
  const page = items.slice(before + 1, before + 1 + limit)
  const last = page.at(-1)
  const isLast = before + 1 + limit >= items.length
  return { items: page, nextCursor: isLast || last === undefined ? null : nameOf(last) }
}

/** As `takePageBy`, by id. */
export function takePage<T extends { readonly id: string }>(items: readonly T[], input: PageInput): HeldPage<T> {
  return takePageBy(({ id }) => id, items, input)
}
