/** The secret that development on SQLite makes for itself, kept so that keys survive a restart. */
import { randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { weaknessOf } from './secrets.ts'

export const SECRET_DIRECTORY = '.machine-auth'
export const SECRET_FILE = `${SECRET_DIRECTORY}/secret`

/** A secret of 256 bits, base64url. */
export function makeSecret(): string {
  return randomBytes(32).toString('base64url')
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown error'
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT'
}

/** Creates a file with its content at once: whoever sees it sees it whole. False when it exists already. */
function createWhole(path: string, content: string): boolean {
  const draft = `${path}.${process.pid}.${randomBytes(6).toString('hex')}`
  writeFileSync(draft, content, { mode: 0o600, flag: 'wx', flush: true })
  try {
    // Unlike rename, link never replaces: of processes that start together, one wins and the others read its secret.
    linkSync(draft, path)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  } finally {
    unlinkSync(draft)
  }
}

function create(cwd: string): boolean {
  const directory = join(cwd, SECRET_DIRECTORY)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  createWhole(join(directory, '.gitignore'), '*\n')
  return createWhole(join(cwd, SECRET_FILE), `${makeSecret()}\n`)
}

interface StoredSecret {
  readonly secret: string
  /** Whether others on this machine may read the file. */
  readonly isWide: boolean
}

function read(cwd: string): StoredSecret | null {
  const path = join(cwd, SECRET_FILE)
  try {
    const { mode } = statSync(path)
    const isWide = process.platform !== 'win32' && (mode & 0o077) !== 0
    return { secret: readFileSync(path, 'utf8').trim(), isWide }
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

/** What became of the secret file: a secret, or a sentence on why there is none. */
export type SecretFileResult = { readonly secret: string; readonly warning: string } | { readonly problem: string }

/**
 * Reads `.machine-auth/secret`, or makes it: mode 0600 in a directory of mode 0700 that Git ignores. Processes that start
 * at the same time agree on one secret.
 *
 * @param cwd the directory that holds `.machine-auth`
 */
export function readOrCreateSecret(cwd: string): SecretFileResult {
  try {
    const existing = read(cwd)
    const isNew = existing === null && create(cwd)
    const stored = existing ?? read(cwd)
    if (stored === null || weaknessOf(stored.secret) !== null) {
      return { problem: `nothing, and ${SECRET_FILE} holds no usable secret (delete it to have a new one made)` }
    }
    const origin = isNew ? `one was made and is kept in ${SECRET_FILE}` : `the one in ${SECRET_FILE} is used`
    const advice = stored.isWide ? ` Others can read that file: chmod 600 ${SECRET_FILE}.` : ''
    return { secret: stored.secret, warning: `No secret was given: ${origin}. Production needs its own.${advice}` }
  } catch (error) {
    return { problem: `nothing, and ${SECRET_FILE} cannot be used (${codeOf(error)})` }
  }
}
