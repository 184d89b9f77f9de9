import { resolve } from 'node:path'

export type DatabaseAddress =
  | { readonly dialect: 'sqlite'; readonly file: string }
  | { readonly dialect: 'postgres'; readonly url: string }

const ACCEPTED =
  'accepted are sqlite:FILE, sqlite::memory:, postgres://USER:PASSWORD@HOST/NAME, or { db } with a Drizzle database'

/** The text without what may be secret: user, password, and parameters. */
export function maskDatabase(text: string): string {
  const [address = ''] = text.split(/[?#]/, 1)
  const scheme = /^[a-z0-9+.-]*:(\/\/)?/i.exec(address)?.[0] ?? ''
  const at = address.lastIndexOf('@')
  return at < scheme.length ? address : `${scheme}***${address.slice(at)}`
}

function refused(text: string, why: string): TypeError {
  return new TypeError(`database: "${maskDatabase(text)}" ${why}; ${ACCEPTED}`)
}

/**
 * Parses the text form of the `database` option.
 *
 * @returns an absolute file path, `:memory:`, or a PostgreSQL URL
 * @throws TypeError that names `database`, the text with its password masked, and what is accepted
 * @example
 * parseDatabase('sqlite:machine-auth.db') // { dialect: 'sqlite', file: '/srv/app/machine-auth.db' }
 */
export function parseDatabase(text: string): DatabaseAddress {
  if (text.startsWith('sqlite:')) {
    const file = text.slice('sqlite:'.length)
    if (file === ':memory:') return { dialect: 'sqlite', file }
    if (file === '') throw refused(text, 'names no file')
    if (file.startsWith('//') && !file.startsWith('///')) throw refused(text, 'is a URL with a host')
    if (/[?#\0]/.test(file)) throw refused(text, 'has characters that no database file should have')
    return { dialect: 'sqlite', file: resolve(file) }
  }
  if (/^postgres(ql)?:\/\//.test(text)) {
    if (!URL.canParse(text)) throw refused(text, 'is not a valid URL')
    if (new URL(text).hostname === '') throw refused(text, 'names no host')
    return { dialect: 'postgres', url: text }
  }
  throw refused(text, 'is not a database')
}
