import type { Page, PageRequest } from '../../src/storage/ports/page.ts'

/** A page of rows in memory, by rank and then by id; its cursor is the last id. */
export function pageOf<T extends { readonly id: string }>(
  rows: readonly T[],
  { cursor, limit, order: asked }: PageRequest,
  rank: (row: T) => number | string = () => 0,
  order: 'asc' | 'desc' = 'desc',
): Page<T> {
  const compare = (a: T, b: T) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : a.id < b.id ? -1 : 1)
  const sorted = [...rows].sort((a, b) => ((asked ?? order) === 'asc' ? compare(a, b) : compare(b, a)))
  const start = cursor === undefined ? 0 : sorted.findIndex(({ id }) => id === cursor) + 1
  const items = sorted.slice(start, start + limit)
  return { items, nextCursor: start + limit < sorted.length ? (items.at(-1)?.id ?? null) : null }
}
