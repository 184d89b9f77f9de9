/** What a secret must be: long, and nothing that stands in a tutorial. */
import { equalsConstantTime } from '../lib/constant-time.ts'
import type { Report } from './mistakes.ts'

const MIN_BYTES = 32
const MIN_DISTINCT = 6
const MAX_PERIOD = 8

/** Lower case, letters and digits only. Long enough that a random secret never holds one. */
const WELL_KNOWN = [
  'changeme',
  'changethis',
  'changeit',
  'replaceme',
  'replacethis',
  'supersecret',
  'mysecret',
  'yoursecret',
  'defaultsecret',
  'secretkeyhere',
  'password',
  'passw0rd',
  'placeholder',
  'keyboardcat',
]

export const SECRET_ACCEPTED = `at least ${MIN_BYTES} random bytes, such as \`openssl rand -base64 32\` prints`

/** `abcabcabc`: whether a text repeats something short. */
function isRepetitive(text: string): boolean {
  for (let period = 1; period <= MAX_PERIOD; period += 1) {
    if (text.length > period && text.startsWith(text.slice(period))) return true
  }
  return new Set(text).size < MIN_DISTINCT
}

/** Why a text cannot be a secret, without quoting it; null when it can. */
export function weaknessOf(secret: string): string | null {
  const bytes = Buffer.byteLength(secret)
  if (bytes < MIN_BYTES) return `*** (${bytes} bytes)`
  const letters = secret.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
  if (WELL_KNOWN.some((known) => letters.includes(known))) return '*** (a well-known text)'
  return isRepetitive(secret) ? '*** (a repetitive text)' : null
}

/** One or several values as a list without duplicates. */
export function listOf(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return []
  return typeof value === 'string' ? [value] : [...new Set(value)]
}

/** Reports each value of a secret option that is weak. */
export function checkSecrets(
  option: 'secret' | 'masterKey',
  value: string | readonly string[] | undefined,
  report: Report,
): void {
  const values = typeof value === 'string' ? [value] : (value ?? [])
  for (const [index, secret] of values.entries()) {
    const path = typeof value === 'string' ? [option] : [option, String(index)]
    const weakness = weaknessOf(secret)
    if (weakness !== null) report.add(path, weakness, SECRET_ACCEPTED)
  }
}

/** Reports a master key that is also a secret: who holds the one must not hold the other. */
export function checkSeparation(masterKeys: readonly string[], secrets: readonly string[], report: Report): void {
  const shared = masterKeys.some((key) => secrets.some((secret) => equalsConstantTime(key, secret)))
  if (shared) report.add(['masterKey'], '*** (equal to a secret)', 'a value of its own')
}
