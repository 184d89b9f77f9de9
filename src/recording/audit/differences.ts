/** What a change changed, for the audit log. */

type Members = Readonly<Record<string, unknown>>

export interface Differences {
  readonly before: Members
  readonly after: Members
}

/**
 * The members of `changed` that differ from what was there; null when none does.
 *
 * @param hidden members that are named, and whose values are nobody's business: they show as `'changed'`
 * @example differencesOf({ name: 'a', enabled: true }, { name: 'b' }) // { before: { name: 'a' }, after: { name: 'b' } }
 */
export function differencesOf(known: object, changed: object, hidden: readonly string[] = []): Differences | null {
  const before: Record<string, unknown> = {}
  const after: Record<string, unknown> = {}
  const old = new Map<string, unknown>(Object.entries(known))
  for (const [name, value] of Object.entries(changed)) {
    if (value === undefined || Bun.deepEquals(old.get(name), value)) continue
    const isHidden = hidden.includes(name)
    if (!isHidden) before[name] = old.get(name) ?? null
    after[name] = isHidden ? 'changed' : value
  }
  return Object.keys(after).length === 0 ? null : { before, after }
}
