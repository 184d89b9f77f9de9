/** Redacts valid JSON as the text that it is: every name and value is seen, also doubled ones; nothing else changes. */
import { decodeString, skipSpace, stringEnd, valueEnd } from './json-scan.ts'
import { findPairs } from './pairs.ts'
import type { IsSecretName } from './secret-names.ts'
import { REDACTED } from './token-shapes.ts'

const HARMLESS = new Set(['null', 'true', 'false', '""'])
/** Characters of a value that may be harmless. */
const LONGEST_HARMLESS = 40

/**
 * @param text valid JSON
 * @param redactText for what stands in strings
 */
export function redactJson(text: string, isSecret: IsSecretName, redactText: (text: string) => string): string {
  const pairs = findPairs(text, isSecret)
  let kept = ''
  let from = 0
  function replace(start: number, end: number, replacement: string): void {
    kept += text.slice(from, start) + replacement
    from = end
  }
  for (let start = text.indexOf('"'); start !== -1; start = text.indexOf('"', start)) {
    const end = stringEnd(text, start)
    const decoded = decodeString(text.slice(start, end))
    const redacted = redactText(decoded)
    if (redacted !== decoded) replace(start, end, JSON.stringify(redacted))
    const colon = skipSpace(text, end)
    start = end
    if (text[colon] !== ':') continue
    const value = skipSpace(text, colon + 1)
    const isOfPair = pairs.has(value)
    if (!isOfPair && !isSecret(decoded)) continue
    const behind = valueEnd(text, value)
    start = behind
    const given = behind - value > LONGEST_HARMLESS ? undefined : text.slice(value, behind)
    if (given !== undefined && HARMLESS.has(given)) continue
    if (isOfPair || isSecret(decoded, given)) replace(value, behind, `"${REDACTED}"`)
  }
  return kept + text.slice(from)
}
