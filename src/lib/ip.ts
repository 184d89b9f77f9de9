/**
 * Addresses in their one canonical text: strict IPv4, IPv6 as RFC 5952 writes it, and IPv4 mapped into IPv6 as the
 * IPv4 it means. Texts that two parsers could read differently (leading zeros, zones) are refused.
 *
 * @see RFC 4291 section 2.2, RFC 5952
 */

/** Four bytes, or eight 16-bit groups. */
type Groups = readonly number[]

const V4_GROUPS = 4
const V6_GROUPS = 8
const MAX_V4_TEXT = 15
const MAX_V6_TEXT = 45
/** How Bun names an IPv4 peer of a socket that listens on IPv6. */
const MAPPED = '::ffff:'

/** The decimal from `start` to before `end`: one to three digits without a leading zero, at most `max`; -1 otherwise. */
function parseDecimal(text: string, start: number, end: number, max: number): number {
  const length = end - start
  if (length < 1 || length > 3 || (length > 1 && text.charCodeAt(start) === 48)) return -1
  let value = 0
  for (let index = start; index < end; index += 1) {
    const digit = text.charCodeAt(index) - 48
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value <= max ? value : -1
}

function parseHex(text: string): number {
  if (text.length === 0 || text.length > 4) return -1
  let value = 0
  for (let index = 0; index < text.length; index += 1) {
    const digit = '0123456789abcdef'.indexOf(text.charAt(index).toLowerCase())
    if (digit < 0) return -1
    value = value * 16 + digit
  }
  return value
}

/** A loop over characters: the address of every request comes through here. */
function parseV4(text: string): Groups | null {
  if (text.length > MAX_V4_TEXT) return null
  const bytes: number[] = []
  for (let start = 0; start <= text.length; ) {
    const dot = text.indexOf('.', start)
    const end = dot === -1 ? text.length : dot
    const byte = parseDecimal(text, start, end, 255)
    if (byte === -1) return null
    bytes.push(byte)
    start = end + 1
  }
  return bytes.length === V4_GROUPS ? bytes : null
}

/** The groups of one side of `::`; the last may be an IPv4 address (`::ffff:1.2.3.4`). */
function parseSide(text: string, mayEndInV4: boolean): Groups | null {
  if (text === '') return []
  const parts = text.split(':')
  const groups: number[] = []
  for (const [index, part] of parts.entries()) {
    if (mayEndInV4 && index === parts.length - 1 && part.includes('.')) {
      const bytes = parseV4(part)
      if (bytes === null) return null
      const [a = 0, b = 0, c = 0, d = 0] = bytes
      groups.push(a * 256 + b, c * 256 + d)
    } else {
      groups.push(parseHex(part))
    }
  }
  return groups.includes(-1) ? null : groups
}

function parseV6(text: string): Groups | null {
  if (text.length > MAX_V6_TEXT) return null
  const gap = text.indexOf('::')
  if (gap === -1) {
    const groups = parseSide(text, true)
    return groups?.length === V6_GROUPS ? groups : null
  }
  const head = parseSide(text.slice(0, gap), false)
  const tail = parseSide(text.slice(gap + 2), true)
  // The gap stands for at least one group; RFC 4291 allows exactly one gap.
  if (head === null || tail === null || head.length + tail.length >= V6_GROUPS) return null
  return [...head, ...Array<number>(V6_GROUPS - head.length - tail.length).fill(0), ...tail]
}

function isMapped(groups: Groups): boolean {
  return groups.length === V6_GROUPS && groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0)
}

function unmap(groups: Groups): Groups {
  if (!isMapped(groups)) return groups
  return groups.slice(6).flatMap((group) => [group >> 8, group & 0xff])
}

function parseGroups(text: string): Groups | null {
  return text.includes(':') ? parseV6(text) : parseV4(text)
}

/** RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups (the first of equals) as `::`. */
function formatGroups(groups: Groups): string {
  if (groups.length === V4_GROUPS) return groups.join('.')
  let start = 0
  let length = 0
  for (let index = 0; index < V6_GROUPS; index += 1) {
    let end = index
    while (end < V6_GROUPS && groups[end] === 0) end += 1
    if (end - index > length) {
      start = index
      length = end - index
    }
  }
  const hex = groups.map((group) => group.toString(16))
  if (length < 2) return hex.join(':')
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`
}

/**
 * Reads an address strictly.
 *
 * @returns its canonical text, IPv4 for an IPv4-mapped one; null when it is not an address
 * @example parseAddress('::FFFF:192.168.1.1') // '192.168.1.1'
 * @see RFC 5952
 */
export function parseAddress(text: string): string | null {
  const v4 = text.startsWith(MAPPED) ? text.slice(MAPPED.length) : text
  // A strict IPv4 text is canonical.
  if (parseV4(v4) !== null) return v4
  const groups = parseGroups(text)
  return groups === null ? null : formatGroups(unmap(groups))
}

/** A range of addresses: those that agree with `groups` in their first `bits` bits. */
export interface Cidr {
  /** The canonical text, host bits cleared. */
  readonly text: string
  /** Four bytes, or eight 16-bit groups, host bits cleared. */
  readonly groups: readonly number[]
  readonly bits: number
}

function maskGroups(groups: Groups, bits: number): Groups {
  const width = groups.length === V4_GROUPS ? 8 : 16
  return groups.map((group, index) => {
    const kept = Math.min(Math.max(bits - index * width, 0), width)
    return group & ~((1 << (width - kept)) - 1)
  })
}

/**
 * Reads a range such as `10.0.0.0/8` or `2001:db8::/32`; a single address is a range of one. Host bits are cleared.
 *
 * @returns null when it is not a range, or cuts through the IPv4-mapped addresses
 * @see RFC 4632 section 3.1
 */
export function parseCidr(text: string): Cidr | null {
  const slash = text.indexOf('/')
  const given = parseGroups(slash === -1 ? text : text.slice(0, slash))
  if (given === null) return null
  const most = given.length === V4_GROUPS ? 32 : 128
  const givenBits = slash === -1 ? most : parseDecimal(text, slash + 1, text.length, most)
  const bits = isMapped(given) ? givenBits - 96 : givenBits
  if (bits < 0) return null
  const groups = maskGroups(unmap(given), bits)
  return { text: `${formatGroups(groups)}/${bits}`, groups, bits }
}

function contains(range: Cidr, groups: Groups): boolean {
  if (groups.length !== range.groups.length) return false
  const width = groups.length === V4_GROUPS ? 8 : 16
  for (let index = 0, left = range.bits; left > 0; index += 1, left -= width) {
    const difference = (groups[index] ?? 0) ^ (range.groups[index] ?? 0)
    if (difference >> Math.max(width - left, 0) !== 0) return false
  }
  return true
}

/**
 * Compiles a list of ranges. What is not an address matches none.
 *
 * @param cidrs addresses and ranges, IPv4 and IPv6; `::/0` is every IPv6 address, and no IPv4 one
 * @throws TypeError naming the first entry that is not a range
 * @example createAddressMatcher(['10.0.0.0/8'])('::ffff:10.1.2.3') // true
 */
export function createAddressMatcher(cidrs: readonly string[]): (address: string) => boolean {
  const ranges = cidrs.map((text) => {
    const range = parseCidr(text)
    if (range === null) {
      throw new TypeError(`${JSON.stringify(text)} is not an address or range: write 10.0.0.0/8 or 2001:db8::/32`)
    }
    return range
  })
  return (address) => {
    const given = parseGroups(address)
    if (given === null) return false
    const groups = unmap(given)
    return ranges.some((range) => contains(range, groups))
  }
}

/** Whether one of the ranges holds a whole range. What is no range is within none. */
export function isWithinRanges(cidr: string, ranges: readonly string[]): boolean {
  const inner = parseCidr(cidr)
  if (inner === null) return false
  return ranges.some((text) => {
    const outer = parseCidr(text)
    return outer !== null && outer.bits <= inner.bits && contains(outer, inner.groups)
  })
}

/**
 * Names the subject of an address-level limit: an IPv4 address, or the /64 of an IPv6 one, which a single customer
 * owns whole. All that is no address shares one name, so that nobody gains a subject of his own by it.
 */
export function limitKey(address: string | null): string {
  const given = address === null ? null : parseGroups(address)
  if (given === null) return 'unknown'
  const groups = unmap(given)
  return groups.length === V4_GROUPS ? formatGroups(groups) : `${formatGroups(maskGroups(groups, 64))}/64`
}
