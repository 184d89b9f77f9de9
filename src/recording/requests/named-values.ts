/** Takes the values of secret names out of a text of whatever form: broken JSON, YAML, XML, headers, log lines. */
import type { IsSecretName } from './secret-names.ts'
import { REDACTED } from './token-shapes.ts'

interface Span {
  readonly start: number
  readonly end: number
}

/** Characters that are looked at before a separator: longer names are no names. */
const LONGEST_NAME = 128
const QUOTES = '"\'`'
const HARMLESS = new Set(['', 'null', 'true', 'false', 'undefined', REDACTED])

const NAME_CHARACTER = /[A-Za-z0-9_.$\-[\]%\u0080-\uffff]/
const HAS_SEPARATOR = /[:=>]/
/** Where a value ends that follows `=` without quotes. */
const VALUE_END = /[\s&;"'`<>]/g
const LINE_END = /[\r\n]/g
const SPACE_OR_SEPARATOR = /[\s:=>]*/y

function find(expression: RegExp, text: string, from: number): number {
  expression.lastIndex = from
  return expression.exec(text)?.index ?? text.length
}

/** Where the spaces and backslashes begin that end at `at`: JSON in JSON in JSON has any number of them. */
function skipBack(text: string, at: number): number {
  let end = at
  while (text[end - 1] === ' ' || text[end - 1] === '\\') end -= 1
  return end
}

/** The name that ends before `at`, with or without quotes. */
function nameBefore(text: string, at: number): string {
  const behind = skipBack(text, at)
  const quote = text[behind - 1] ?? ''
  const isQuoted = quote !== '' && QUOTES.includes(quote)
  const end = isQuoted ? skipBack(text, behind - 1) : behind
  const least = Math.max(0, end - LONGEST_NAME)
  let start = end
  if (isQuoted) while (start > least && text[start - 1] !== quote) start -= 1
  else while (start > least && NAME_CHARACTER.test(text[start - 1] ?? '')) start -= 1
  return text.slice(start, end)
}

/** The name of the tag that ends at `at`: `<soap:Password type="x">`. */
function tagBefore(text: string, opened: number, at: number): string {
  if (opened === -1 || at - opened > LONGEST_NAME * 2) return ''
  return /^[^\s/>]*/.exec(text.slice(opened + 1, at))?.[0] ?? ''
}

/** What stands in an element, up to its end or that of the text. */
function contentOf(text: string, tag: string, at: number): Span {
  if (text[at - 1] === '/') return { start: at + 1, end: at + 1 }
  const end = text.indexOf(`</${tag}`, at + 1)
  return { start: at + 1, end: end === -1 ? text.length : end }
}

/** Where a quoted value ends: before its quote, or with the text. */
function closingQuote(text: string, quote: string, from: number): number {
  for (let at = text.indexOf(quote, from); at !== -1; at = text.indexOf(quote, at + 1)) {
    let slashes = 0
    while (text[at - 1 - slashes] === '\\' && at - slashes > from) slashes += 1
    if (slashes % 2 === 0) return at
  }
  return text.length
}

/** Behind the bracket that closes the one at `from`, or the end of the text. */
function closingBracket(text: string, from: number): number {
  let depth = 0
  for (let at = from; at < text.length; at += 1) {
    const character = text[at]
    if (character === '"') at = closingQuote(text, '"', at + 1)
    else if (character === '{' || character === '[') depth += 1
    else if (character === '}' || character === ']') {
      depth -= 1
      if (depth === 0) return at + 1
    }
  }
  return text.length
}

/** Nothing but `|` or `>` behind a colon: the value is what stands deeper on the next lines, as in YAML. */
const BLOCK = /[ \t]*(?:[|>][0-9+-]{0,3})?[ \t]*\r?\n/y
const INDENTATION = /[ \t]*/y

function indentationAt(text: string, from: number): number {
  INDENTATION.lastIndex = from
  return INDENTATION.exec(text)?.[0].length ?? 0
}

/** Where the lines end that belong to the name on the line of `at`; `from` where there are none. */
function blockEnd(text: string, at: number, from: number): number {
  const line = text.lastIndexOf('\n', at) + 1
  const depth = indentationAt(text, line)
  const isItem = text[line + depth] === '-'
  let end = from
  for (let start = from; start < text.length; ) {
    const next = text.indexOf('\n', start)
    const behind = next === -1 ? text.length : next + 1
    const own = indentationAt(text, start)
    const isEmpty = start + own >= behind - 1 && next !== -1
    const isListed = own === depth && !isItem && text[start + own] === '-'
    if (!isEmpty && own <= depth && !isListed) break
    if (!isEmpty) end = next === -1 ? behind : next
    start = behind
  }
  return end
}

/** The value behind a separator, without its quotes. In doubt it is longer. */
function valueAfter(text: string, at: number): Span {
  BLOCK.lastIndex = at + 1
  if (text[at] === ':' && BLOCK.test(text)) {
    const start = BLOCK.lastIndex
    const end = blockEnd(text, at, start)
    if (end > start) return { start: start + indentationAt(text, start), end }
  }
  SPACE_OR_SEPARATOR.lastIndex = at + 1
  SPACE_OR_SEPARATOR.exec(text)
  const start = Math.max(at + 1, SPACE_OR_SEPARATOR.lastIndex)
  const first = text[start] ?? ''
  if (first === '\\' && QUOTES.includes(text[start + 1] ?? ' ')) {
    const end = text.indexOf(text.slice(start, start + 2), start + 2)
    return { start: start + 2, end: end === -1 ? text.length : end }
  }
  if (first !== '' && QUOTES.includes(first)) return { start: start + 1, end: closingQuote(text, first, start + 1) }
  if (first === '{' || first === '[') return { start, end: closingBracket(text, start) }
  return { start, end: find(text[at] === '=' ? VALUE_END : LINE_END, text, start) }
}

/** `session.js:120:5` is a place in a file. */
const FILE = /\.(?:[cm]?[jt]sx?|vue|svelte)$/
const PLACE = /:\d{1,7}(?![\d.])/y

function isPlace(text: string, name: string, at: number): boolean {
  PLACE.lastIndex = at
  return FILE.test(name) && PLACE.test(text)
}

/** Whether a value stands in quotes, and so is a text whatever it says. */
function isQuoted(text: string, start: number): boolean {
  return QUOTES.includes(text[start - 1] ?? ' ')
}

/**
 * @returns the text with `***REDACTED***` in place of each value whose name is secret; nothing else is changed
 * @example redactNamed('password=hunter2&page=1', isSecret) // 'password=***REDACTED***&page=1'
 */
export function redactNamed(text: string, isSecret: IsSecretName): string {
  if (!HAS_SEPARATOR.test(text)) return text
  const separators = /[:=<>]+/g
  let kept = ''
  let from = 0
  let opened = -1
  for (let match = separators.exec(text); match !== null; match = separators.exec(text)) {
    const at = match.index
    const isTag = text[at] === '>'
    const name = isTag ? tagBefore(text, opened, at) : text[at] === '<' ? '' : nameBefore(text, at)
    const bracket = match[0].lastIndexOf('<')
    if (bracket !== -1) opened = at + bracket
    if (name === '' || !isSecret(name) || isPlace(text, name, at)) continue
    const { start, end } = isTag ? contentOf(text, name, at) : valueAfter(text, at)
    if (end - start <= LONGEST_NAME) {
      const given = text.slice(start, end).trim()
      if (HARMLESS.has(given) || !isSecret(name, isQuoted(text, start) ? undefined : given)) continue
    }
    kept += text.slice(from, start) + REDACTED
    from = end
    separators.lastIndex = end
  }
  return from === 0 ? text : kept + text.slice(from)
}
