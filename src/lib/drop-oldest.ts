/** Takes out of a map or set what was put into it first. */
export function dropOldest<K>(from: Map<K, unknown> | Set<K>): void {
  for (const oldest of from.keys()) {
    from.delete(oldest)
    return
  }
}
