/** Redacts valid JSON as the text that it is: every name and value is seen, also doubled ones; nothing else changes. */
import type { IsSecretName } from './secret-names.ts'
import { REDACTED } from './token-shapes.ts'

const SPACE = /\s*/y
const PRIMITIVE = /[^,\]}\s]*/y
const HARMLESS = new Set(['null', 'true', 'false', '""'])

function skip(expression: RegExp, text: string, from: number): number {
  expression.lastIndex = from
  expression.exec(text)
  return Math.max(from, expression.lastIndex)
}

/** Behind the quote that closes the string at `from`. */
function stringEnd(text: string, from: number): number {
  let at = from + 1
  for (;;) {
    const quote = text.indexOf('"', at)
    if (quote === -1) return text.length
    let slashes = 0
    while (text[quote - 1 - slashes] === '\\') slashes += 1
    if (slashes % 2 === 0) return quote + 1
    at = quote + 1
  }
}

function valueEnd(text: string, from: number): number {
  const first = text[from]
  if (first === '"') return stringEnd(text, from)
  if (first !== '{' && first !== '[') return skip(PRIMITIVE, text, from)
  let depth = 0
  let at = from
  while (at < text.length) {
    const character = text[at]
    if (character === '"') {
      at = stringEnd(text, at)
      continue
    }
    if (character === '{' || character === '[') depth += 1
    if (character === '}' || character === ']') depth -= 1
    at += 1
    if (depth === 0) return at
  }
  return text.length
}

function decodeString(quoted: string): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1)
  const decoded: unknown = JSON.parse(quoted)
  return String(decoded)
}

/**
 * @param text valid JSON
 * @param redactText for what stands in strings
 */
export function redactJson(text: string, isSecret: IsSecretName, redactText: (text: string) => string): string {
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
    const colon = skip(SPACE, text, end)
    start = end
    if (text[colon] !== ':' || !isSecret(decoded)) continue
    const value = skip(SPACE, text, colon + 1)
    const behind = valueEnd(text, value)
    if (!HARMLESS.has(text.slice(value, Math.min(behind, value + 8)))) replace(value, behind, `"${REDACTED}"`)
    start = behind
  }
  return kept + text.slice(from)
}
