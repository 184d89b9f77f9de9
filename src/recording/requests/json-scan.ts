/** Finds its way through valid JSON as the text that it is. */

const SPACE = /\s*/y
const PRIMITIVE = /[^,\]}\s]*/y

function skip(expression: RegExp, text: string, from: number): number {
  expression.lastIndex = from
  expression.exec(text)
  return Math.max(from, expression.lastIndex)
}

/** The first place from `from` on that is no white space. */
export function skipSpace(text: string, from: number): number {
  return skip(SPACE, text, from)
}

/** Behind the quote that closes the string at `from`. */
export function stringEnd(text: string, from: number): number {
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

/** Behind the value that begins at `from`. */
export function valueEnd(text: string, from: number): number {
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

/** What a string with its quotes says. */
export function decodeString(quoted: string): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1)
  const decoded: unknown = JSON.parse(quoted)
  return String(decoded)
}
