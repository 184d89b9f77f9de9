/** What single values of options must be, beyond their type. */
import { isDuration, parseDuration } from '../lib/duration.ts'
import { isHttpToken } from '../lib/http-token.ts'
import { parseCidr } from '../lib/ip.ts'
import { canonicalGrant, canonicalPermission, isName } from '../lib/names.ts'
import { createPathMatcher } from '../lib/path.ts'

type Predicate = (value: unknown) => boolean

function text(test: (value: string) => boolean): Predicate {
  return (value) => typeof value === 'string' && test(value)
}

function oneOrMore(test: Predicate): Predicate {
  return (value) => (Array.isArray(value) ? value.length > 0 && value.every(test) : test(value))
}

export const isText: Predicate = text((value) => value.length > 0 && value.length <= 256)
export const isTextOrTexts: Predicate = oneOrMore((value) => typeof value === 'string')
export const isCidr: Predicate = text((value) => parseCidr(value) !== null)
export const isRoleName: Predicate = text(isName)
export const isRoleOrRoles: Predicate = oneOrMore(text(isName))
export const isGrant: Predicate = text((value) => canonicalGrant(value) !== null)
export const isPermission: Predicate = text((value) => canonicalPermission(value) !== null)
const isPermissions = oneOrMore(isPermission)

/** One, all of a list, or any of a list. */
export const isPermissionRequirement: Predicate = (value) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return isPermissions(value)
  return Object.keys(value).join() === 'any' && 'any' in value && Array.isArray(value.any) && isPermissions(value.any)
}

/** `/auth`, `/v1/auth`: no slash at the end, no parameter, no wildcard. */
export const isMountPath: Predicate = text((value) => {
  const segments = value.slice(1).split('/')
  return value.startsWith('/') && segments.every((part) => /^[A-Za-z0-9._~-]+$/.test(part) && !/^\.+$/.test(part))
})

/** A path rule that `createPathMatcher` compiles. */
export const isPathRule: Predicate = text((value) => {
  try {
    createPathMatcher(value)
    return true
  } catch {
    return false
  }
})

/** The head of every API key: short, and without the `_` that ends it. */
export const isKeyPrefix: Predicate = text((value) => /^[a-z][a-z0-9]{1,15}$/.test(value))

/** Headers that mean something else, or that other rooms read. */
const TAKEN_HEADERS = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'host',
  'origin',
  'connection',
  'content-length',
  'content-type',
  'transfer-encoding',
  'upgrade',
])

export const isFreeHeader: Predicate = text((value) => isHttpToken(value) && !TAKEN_HEADERS.has(value.toLowerCase()))
export const isScheme: Predicate = text((value) => isHttpToken(value) && value.toLowerCase() !== 'basic')
export const isCookieName: Predicate = text((value) => isHttpToken(value) && value.length <= 64)
export const isClusterName: Predicate = text((value) => /^[A-Za-z0-9_-]{1,64}$/.test(value))

/** An origin as browsers send it, so that comparing texts is enough. */
export const isOrigin: Predicate = text((value) => {
  if (!/^https?:\/\//i.test(value) || !URL.canParse(value)) return false
  return new URL(value).origin === value.toLowerCase()
})

export const isPositiveDuration: Predicate = (value) => isDuration(value) && parseDuration(value) > 0

/** A duration text above zero. */
export const isWindow: Predicate = (value) => typeof value === 'string' && isPositiveDuration(value)

const LIMIT_SUBJECTS: readonly unknown[] = ['ip', 'apiKey', 'user', 'organization']
export const isLimitSubject: Predicate = (value) => typeof value === 'function' || LIMIT_SUBJECTS.includes(value)
/** Goes into a header between quotes. */
export const isLimitName: Predicate = text((value) => /^[A-Za-z0-9_-]{1,64}$/.test(value))
export const isCost: Predicate = (value) => typeof value === 'function' || isWithin(0, 1_000_000_000)(value)

export function isWithin(least: number, most: number): Predicate {
  return (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most
}

/** Whether a value takes batches. */
export function isSink(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'write' in value && typeof value.write === 'function'
}
