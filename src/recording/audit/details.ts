/** What an event says, in the one form that every database gives back as it was. */

/** Without what PostgreSQL refuses (NUL) and SQLite changes (halves of a surrogate pair). */
export function toStorableText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd')
}

function normalize(value: unknown): unknown {
  if (typeof value === 'string') return toStorableText(value)
  if (Array.isArray(value)) return value.map(normalize)
  if (typeof value !== 'object' || value === null) return value
  return toSortedObject(value)
}

function toSortedObject(object: object): Readonly<Record<string, unknown>> {
  const members = Object.entries(object).map(([name, value]) => [toStorableText(name), normalize(value)] as const)
  return Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Details as they are stored: plain JSON, in texts that every database keeps. */
export function toStorableDetails(details: object): Readonly<Record<string, unknown>> {
  const plain: unknown = JSON.parse(JSON.stringify(details))
  return typeof plain === 'object' && plain !== null ? toSortedObject(plain) : {}
}

/** The same text for the same details, in whatever order a database answers their members. */
export function canonicalDetails(details: unknown): string {
  return JSON.stringify(normalize(details)) ?? 'null'
}
