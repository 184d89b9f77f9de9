/** What was found where no credential may be, told when the run ends. */
import type { CredentialKind, Leak } from './search.ts'
import { findShapes } from './shapes.ts'
import { issued } from './watch.ts'

interface Found extends Leak {
  readonly place: string
  /** The test file that was running. */
  readonly during: string
}

const PAGE = 4096
const found: Found[] = []
const mistakes: string[] = []
const spent = { bytes: 0, ms: 0 }

/** What every database begins with is not looked at in each of them. */
let image: Uint8Array = new Uint8Array()

/** @param bytes of a migrated, empty database */
export function setDatabaseImage(bytes: Uint8Array): void {
  image = bytes
}

function look(place: string, bytes: Uint8Array, start: number, allowed: readonly CredentialKind[]): void {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  spent.bytes += text.length
  for (const { kind, offset } of [...issued.find(text), ...findShapes(text.toString('latin1'))]) {
    if (!allowed.includes(kind)) found.push({ kind, offset: offset + start, place, during: Bun.main })
  }
}

/**
 * Looks through any bytes.
 *
 * @param place as it is told to whoever must mend it
 * @param allowed what belongs there
 */
export function lookThrough(place: string, bytes: Uint8Array, allowed: readonly CredentialKind[] = []): void {
  const began = performance.now()
  let from = 0
  for (let page = 0; page < bytes.length; page += PAGE) {
    const isSame = Buffer.compare(bytes.subarray(page, page + PAGE), image.subarray(page, page + PAGE)) === 0
    if (!isSame) continue
    if (page > from) look(place, bytes.subarray(from, page), from, allowed)
    from = page + PAGE
  }
  if (bytes.length > from) look(place, bytes.subarray(from), from, allowed)
  spent.ms += performance.now() - began
}

/** Looks through a text: a line of the console, an answer to who scrapes metrics. */
export function lookThroughText(place: string, text: string): void {
  lookThrough(place, Buffer.from(text))
}

/** Notes that something could not be looked through. */
export function noteMistake(mistake: string): void {
  mistakes.push(mistake)
}

/** @throws Error that names each place, offset and kind of credential, and no credential */
export function requireNoLeaks(): void {
  const byPlace = Map.groupBy(found, ({ place, kind, during }) => `${place}: ${kind} (${during}) at byte`)
  const lines = [...byPlace].map(([place, leaks]) => {
    const offsets = leaks.map(({ offset }) => offset).sort((a, b) => a - b)
    return `${place} ${offsets.slice(0, 5).join(', ')}${offsets.length > 5 ? ' …' : ''}`
  })
  const all = [...mistakes, ...lines]
  if (all.length > 0) throw new Error(`Credentials where none may be:\n${all.join('\n')}`)
}

/** What has been looked for and through, and how long it took (ms). */
export function lookedThrough(): { readonly credentials: number; readonly bytes: number; readonly ms: number } {
  return { credentials: issued.size, ...spent }
}
