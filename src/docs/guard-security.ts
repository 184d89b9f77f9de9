/** What all guards of one route demand together. */
import type { ErrorCode } from '../errors.ts'
import { alternativesOf, type Combination } from './combinations.ts'
import { type GuardNote, noteOf, type RequiredPermission } from './guard-notes.ts'
import type { SecurityRequirement } from './openapi.ts'
import type { RouteOperation } from './operations.ts'

export interface GuardedMembers {
  readonly security: readonly SecurityRequirement[]
  /** All of them; `{ any: […] }` is any one of some. */
  readonly 'x-required-permissions'?: readonly RequiredPermission[]
  /** Any of them; when several guards demand roles, a list for each. */
  readonly 'x-required-roles'?: readonly string[] | readonly (readonly string[])[]
}

export interface GuardDescription {
  readonly members: GuardedMembers
  /** Markdown. */
  readonly sentence: string
  readonly statuses: readonly number[]
  /** The 403 to show of all that its guards may answer. */
  readonly forbidden: ErrorCode
  /** Whether an API key may pass, whose own limit then counts the request. */
  readonly takesApiKey: boolean
}

/** What a route is there to refuse comes before what any route may refuse. */
const FORBIDDEN_ORDER: readonly ErrorCode[] = [
  'not_owner',
  'role_required',
  'permission_required',
  'environment_mismatch',
  'user_required',
  'ip_not_allowed',
]

function rankOf({ forbidden }: GuardNote): number {
  const index = FORBIDDEN_ORDER.indexOf(forbidden)
  return index === -1 ? FORBIDDEN_ORDER.length : index
}

function membersOf(notes: readonly GuardNote[], security: readonly SecurityRequirement[]): GuardedMembers {
  const permissions = notes.flatMap((note) => note.permissions ?? [])
  const roles = notes.flatMap((note) => (note.roles === undefined ? [] : [note.roles]))
  const [onlyRoles] = roles
  return {
    security,
    ...(permissions.length === 0 ? {} : { 'x-required-permissions': [...new Set(permissions)] }),
    ...(onlyRoles === undefined ? {} : { 'x-required-roles': roles.length === 1 ? onlyRoles : roles }),
  }
}

const NOTHING: Combination = { authorization: null, keyHeader: false, cookie: false, masterHeader: false }
const KEYS: readonly Combination[] = [
  { ...NOTHING, keyHeader: true },
  { ...NOTHING, authorization: 'apiKey' },
]

/** What the guards of a route mean for whoever calls it; null when it has none. */
export function describeGuards(
  { guards, method }: RouteOperation,
  combinations: readonly Combination[],
  masterKey: boolean,
): GuardDescription | null {
  const all = guards.map((guard) => noteOf(guard, { method, masterKey })).filter((note) => note !== null)
  // A rule and a route may demand the same.
  const notes = [...new Map(all.map((note) => [note.sentence, note])).values()]
  const [foremost] = [...notes].sort((left, right) => rankOf(left) - rankOf(right))
  if (foremost === undefined) return null
  const preferred = notes.find((note) => note.preferred !== undefined)?.preferred
  const security = alternativesOf(
    combinations,
    notes.map((note) => note.accepts),
    preferred,
  )
  return {
    members: membersOf(notes, security),
    sentence: notes.map((note) => note.sentence).join(' '),
    statuses: [...new Set(notes.flatMap((note) => note.statuses))].sort(),
    forbidden: foremost.forbidden,
    takesApiKey: notes.some(({ accepts }) => KEYS.some(accepts)),
  }
}
