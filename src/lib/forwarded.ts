/**
 * The address of the client behind proxies. A header counts only when the socket's peer is a listed proxy, only the
 * one header that those proxies are known to write, and only as far as listed proxies wrote it: from the right.
 *
 * @see RFC 7239, and "X-Forwarded-For" at MDN, "Selecting an IP address"
 */
import { createAddressMatcher, parseAddress } from './ip.ts'

/** Compiled `trustProxy` option. */
export interface TrustedProxies {
  readonly isTrusted: (address: string) => boolean
  /** Lower case. */
  readonly header: string
}

/** @throws TypeError naming the entry of `from` that is not an address range */
export function compileTrustedProxies(
  option: false | { readonly from: readonly string[]; readonly header: string },
): false | TrustedProxies {
  return option !== false && { isTrusted: createAddressMatcher(option.from), header: option.header.toLowerCase() }
}

/** `:8080`, or the obfuscated port of RFC 7239 section 6.3. */
const PORT = /^:(?:[0-9]{1,5}|_[A-Za-z0-9._-]{1,64})$/

/** `1.2.3.4`, `1.2.3.4:80`, `[2001:db8::1]`, `[2001:db8::1]:80`; null for the rest, `unknown` and `_hidden` included. */
function parseNode(text: string): string | null {
  const v6 = text.startsWith('[')
  const end = v6 ? text.indexOf(']') : text.indexOf(':')
  const host = v6 ? text.slice(1, Math.max(end, 1)) : end === -1 ? text : text.slice(0, end)
  const port = v6 ? text.slice(end + 1) : end === -1 ? '' : text.slice(end)
  if (v6 !== host.includes(':') || (port !== '' && !PORT.test(port))) return null
  return parseAddress(host)
}

/** An element of `X-Forwarded-For` and its likes, where IPv6 comes without brackets too. */
function parseBareNode(text: string): string | null {
  return parseAddress(text) ?? parseNode(text)
}

/** One pair of a `Forwarded` element: `name=token` or `name="quoted string"`. */
const PAIR = /^[ \t]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)|"((?:[^"\\]|\\.)*)")[ \t]*(?:;|$)/

function parseForwardedElement(text: string): string | null {
  let rest = text
  let address: string | null = null
  let seen = false
  while (rest !== '') {
    const pair = PAIR.exec(rest)
    if (pair === null) return null
    const [whole, name = '', token, quoted] = pair
    rest = rest.slice(whole.length)
    if (name.toLowerCase() !== 'for') continue
    if (seen) return null
    seen = true
    address = parseNode(token ?? (quoted ?? '').replaceAll(/\\(.)/g, '$1'))
  }
  return address
}

function isEscaped(text: string, quote: number): boolean {
  let backslashes = 0
  while (text[quote - 1 - backslashes] === '\\') backslashes += 1
  return backslashes % 2 === 1
}

/**
 * Elements from the right. Reading backwards, a quote that a client left open cannot swallow what proxies appended.
 */
function* elementsFromRight(text: string): Generator<string> {
  let end = text.length
  let quoted = false
  for (let index = text.length - 1; index >= 0; index -= 1) {
    const character = text[index]
    if (character === '"' && !isEscaped(text, index)) quoted = !quoted
    else if (character === ',' && !quoted) {
      yield text.slice(index + 1, end)
      end = index
    }
  }
  yield text.slice(0, end)
}

function* wholeHeader(text: string): Generator<string> {
  yield text
}

interface HeaderFormat {
  readonly split: (value: string) => Generator<string>
  readonly parse: (element: string) => string | null
}

const LIST: HeaderFormat = { split: elementsFromRight, parse: parseBareNode }
const FORWARDED: HeaderFormat = { split: elementsFromRight, parse: parseForwardedElement }
const SINGLE: HeaderFormat = { split: wholeHeader, parse: parseBareNode }

function formatOf(header: string): HeaderFormat {
  if (header === 'forwarded') return FORWARDED
  return header === 'x-forwarded-for' ? LIST : SINGLE
}

/**
 * Finds the address a request came from.
 *
 * Walks from the socket's peer towards the client and stops at the first hop that is not a listed proxy, or that
 * cannot be read: then the last listed proxy is the answer, never a value a client chose.
 *
 * @param socketAddress the peer of the connection, or null when there is no socket
 * @param trust compiled `trustProxy`
 * @returns the canonical address, or null when there is none
 */
export function clientAddress(
  socketAddress: string | null,
  trust: false | TrustedProxies,
  headers: Headers,
): string | null {
  const peer = socketAddress === null ? null : parseAddress(socketAddress)
  if (peer === null || trust === false || !trust.isTrusted(peer)) return peer
  const value = headers.get(trust.header)
  if (value === null) return peer
  const format = formatOf(trust.header)
  let hop = peer
  for (const element of format.split(value)) {
    const address = format.parse(element.trim())
    if (address === null) return hop
    hop = address
    if (!trust.isTrusted(hop)) return hop
  }
  return hop
}
