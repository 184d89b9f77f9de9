/** One value or a list of them, as a list. */
export function toList<T>(value: T | readonly T[]): readonly T[] {
  // What is no list is one value; `isArray` cannot say so of read-only ones.
  return Array.isArray(value) ? value : [value as T]
}
