/** Which database an app means, without opening it. */
import type { DatabaseOption } from './types.ts'

export const DEFAULT_DATABASE = 'sqlite:machine-auth.db'

export type DatabaseKind = 'sqlite-memory' | 'sqlite' | 'postgres'

const ENTITY_KIND = Symbol.for('drizzle:entityKind')
const HANDLES: ReadonlyMap<unknown, DatabaseKind> = new Map<unknown, DatabaseKind>([
  ['BaseSQLiteDatabase', 'sqlite'],
  ['PgDatabase', 'postgres'],
])

/** Drizzle marks its classes by a global symbol; unlike `instanceof`, it holds across copies of the package. */
function kindOfHandle(handle: unknown): DatabaseKind | null {
  if (typeof handle !== 'object' || handle === null) return null
  for (
    let prototype = Object.getPrototypeOf(handle);
    prototype !== null;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    const kind = HANDLES.get(Object.getOwnPropertyDescriptor(prototype.constructor ?? {}, ENTITY_KIND)?.value)
    if (kind !== undefined) return kind
  }
  return null
}

function kindOfUrl(url: string): DatabaseKind | null {
  if (url === 'sqlite::memory:') return 'sqlite-memory'
  if (url.startsWith('sqlite:')) return url.length > 'sqlite:'.length && !url.includes('\0') ? 'sqlite' : null
  if (!/^postgres(?:ql)?:\/\//.test(url) || !URL.canParse(url)) return null
  return 'postgres'
}

/** The kind of database an option names, or null when it names none. */
export function kindOfDatabase(value: unknown): DatabaseKind | null {
  if (typeof value === 'string') return kindOfUrl(value)
  if (typeof value !== 'object' || value === null || Object.keys(value).join() !== 'db' || !('db' in value)) return null
  return kindOfHandle(value.db)
}

export function isDatabase(value: unknown): value is DatabaseOption {
  return kindOfDatabase(value) !== null
}
