/** Which database an app means, without opening it. */
import { resolve } from 'node:path'
import type { DatabaseOption } from './types.ts'
import { findUrlFault } from './url-fault.ts'

export const DEFAULT_DATABASE = 'sqlite:machine-auth.db'

export type DatabaseKind = 'sqlite-memory' | 'sqlite' | 'postgres' | 'custom'

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

/** What `database` accepts, for messages. */
export const DATABASE_ACCEPTED =
  "'sqlite:FILE', 'sqlite::memory:', 'postgres://...', { db } with a Drizzle database for SQLite or PostgreSQL, or { storage } with a function that makes a store of your own"

export type DatabaseAddress =
  | { readonly dialect: 'sqlite'; readonly file: string }
  | { readonly dialect: 'postgres'; readonly url: string }

/** How a connection is encrypted and whom it trusts, in the words of PostgreSQL. */
const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full']

const NO_DATABASE = 'is not a database'

/** The address, or what is wrong with the text: never a part of it. */
function readAddress(text: string): DatabaseAddress | string {
  if (text.startsWith('sqlite:')) {
    const file = text.slice('sqlite:'.length)
    if (file === ':memory:') return { dialect: 'sqlite', file }
    if (file === '') return 'names no file'
    if (file.startsWith('//') && !file.startsWith('///')) return 'is a URL with a host'
    if (/[?#\0]/.test(file)) return 'has characters that no database file should have'
    return { dialect: 'sqlite', file: resolve(file) }
  }
  if (!/^postgres(ql)?:\/\//.test(text)) return NO_DATABASE
  const fault = findUrlFault(text)
  if (fault !== null) return fault
  const modes = new URL(text).searchParams.getAll('sslmode')
  if (modes.length > 1 || !modes.every((mode) => SSL_MODES.includes(mode))) {
    return `has an sslmode that is none of ${SSL_MODES.join(', ')}`
  }
  return { dialect: 'postgres', url: text }
}

/** What is wrong with a text that means a database, without showing it; null for one that is right or means none. */
export function faultOfDatabase(text: string): string | null {
  const address = readAddress(text)
  return typeof address === 'string' && address !== NO_DATABASE ? address : null
}

/** Of a database's text only the scheme: anything behind it may be a password. */
export function maskDatabase(text: string): string {
  const scheme = /^[a-z][a-z0-9+.-]{0,20}:/i.exec(text)?.[0]
  if (scheme !== undefined) return `${scheme}***`
  return /[@=]/.test(text) ? '***' : text
}

/**
 * Parses the text form of the `database` option.
 *
 * @returns an absolute file path, `:memory:`, or a PostgreSQL URL
 * @throws TypeError that names `database`, the scheme alone of what was given, and what is accepted
 * @example
 * parseDatabase('sqlite:machine-auth.db') // { dialect: 'sqlite', file: '/srv/app/machine-auth.db' }
 */
export function parseDatabase(text: string): DatabaseAddress {
  const address = readAddress(text)
  if (typeof address !== 'string') return address
  throw new TypeError(`database: ${JSON.stringify(maskDatabase(text))} ${address}; accepted are ${DATABASE_ACCEPTED}`)
}

function kindOfText(text: string): DatabaseKind | null {
  const address = readAddress(text)
  if (typeof address === 'string') return null
  if (address.dialect === 'postgres') return 'postgres'
  return address.file === ':memory:' ? 'sqlite-memory' : 'sqlite'
}

/** The kind of database an option names, or null when it names none. */
export function kindOfDatabase(value: unknown): DatabaseKind | null {
  if (typeof value === 'string') return kindOfText(value)
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 1) return null
  if ('storage' in value) return typeof value.storage === 'function' ? 'custom' : null
  return 'db' in value ? kindOfHandle(value.db) : null
}

export function isDatabase(value: unknown): value is DatabaseOption {
  return kindOfDatabase(value) !== null
}
