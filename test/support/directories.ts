/** Directories of a test's own. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { mayHoldCredentials } from './credentials/exempt.ts'
import { lookThrough, noteMistake } from './credentials/report.ts'
import type { CredentialKind } from './credentials/search.ts'

/** In memory where the system has such a place: there SQLite does not wait for a disk at each commit. */
const PLACE = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** Files that are there to hold secrets. */
const SECRET_FILES: readonly { readonly name: RegExp; readonly kinds: readonly CredentialKind[] }[] = [
  // What a person, or `secret generate --write`, puts there for the process to read.
  { name: /^\.env(\.\w+)*$/, kinds: ['root secret', 'master key'] },
  { name: /^machine-auth\.config\.json$/, kinds: ['root secret', 'master key'] },
  // Code of an app that says them in its options, and snippets of the documentation with a password of nobody.
  { name: /\.ts$/, kinds: ['root secret', 'master key', 'password'] },
  // Bun's own copies of large sources that a child ran, in the child's HOME: such code holds the documentation's examples.
  { name: /^\.bun\/install\/cache\/@t@\/[\da-f]+\.pile$/, kinds: ['password'] },
  // What the commands of the documentation are given on standard input.
  { name: /^(key|password)\.txt$/, kinds: ['API key', 'password'] },
  // The root secret that is made where none is given.
  { name: /^\.machine-auth\/secret$/, kinds: ['root secret'] },
]

const kept = new Set<string>()

/** Makes a directory for database files. Whoever makes it removes it by `removeDirectory`. */
export function createDatabaseDirectory(name: string): string {
  const path = mkdtempSync(join(PLACE, `${name}-`))
  kept.add(path)
  return path
}

/** The files below a directory, by their paths; what is linked to is somebody else's. */
export function filesIn(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) return filesIn(path)
    return entry.isFile() ? [path] : []
  })
}

/** Removes a directory, once its files are looked through for credentials. */
export function removeDirectory(path: string): void {
  kept.delete(path)
  for (const file of filesIn(path)) {
    if (mayHoldCredentials(file)) continue
    const allowed = SECRET_FILES.find(({ name }) => name.test(relative(path, file)))?.kinds
    lookThrough(file, readFileSync(file), allowed)
  }
  rmSync(path, { recursive: true, force: true })
}

/** Removes the directories that are left. */
export function removeDirectories(): void {
  for (const path of [...kept]) {
    if (existsSync(path)) removeDirectory(path)
    else noteMistake(`${path} was removed before it was looked through: use removeDirectory`)
  }
}
