/** What the document says of each guard: one row per guard. */

import { type ModuleRequirement, modulePermission } from '../authorization/modules.ts'
import type { ErrorCode } from '../errors.ts'
import type { GuardMark } from '../guards/gate.ts'
import type { CurrentUserRequirement } from '../guards/plugin.ts'
import { type ApiKeyRequirement, type PermissionRequirement, toPermissionRule } from '../guards/requirements.ts'
import { toList } from '../lib/to-list.ts'
import { type Accept, type Combination, type SchemeName, type Speaker, speakerOf } from './combinations.ts'

/** A permission, or any one of some. */
export type RequiredPermission = string | { readonly any: readonly string[] }

export interface GuardNote {
  readonly accepts: Accept
  /** Markdown. */
  readonly sentence: string
  /** What it may answer instead of the route. */
  readonly statuses: readonly number[]
  /** The 403 that its callers meet most. */
  readonly forbidden: ErrorCode
  /** All of them. */
  readonly permissions?: readonly RequiredPermission[]
  /** Any of them. */
  readonly roles?: readonly string[]
  /** The scheme to name first. */
  readonly preferred?: SchemeName
}

/** What a row may depend on besides the guard's value. */
export interface NoteContext {
  readonly method: string
  readonly masterKey: boolean
}

const REFUSALS = [400, 401, 403]

function code(name: string): string {
  return `\`${name.replaceAll('`', '')}\``
}

function listOf(names: readonly string[], conjunction: 'and' | 'or'): string {
  const quoted = names.map(code)
  const last = quoted.pop()
  if (last === undefined) return ''
  return quoted.length === 0 ? last : `${quoted.join(', ')} ${conjunction} ${last}`
}

function permissionsText(names: readonly string[], conjunction: 'and' | 'or'): string {
  return `permission${names.length > 1 && conjunction === 'and' ? 's' : ''} ${listOf(names, conjunction)}`
}

const PRINCIPALS: readonly Speaker[] = ['token', 'apiKey', 'session']

function acceptsPrincipal(combination: Combination): boolean {
  return PRINCIPALS.includes(speakerOf(combination))
}

/** A guard that takes whoever speaks for the request. */
function ofPrincipal(sentence: string, more: Partial<GuardNote> = {}): GuardNote {
  return { accepts: acceptsPrincipal, sentence, statuses: REFUSALS, forbidden: 'organization_suspended', ...more }
}

const VIA: Readonly<Record<CurrentUserRequirement['via'][number], { speaker: Speaker; text: string }>> = {
  apiKey: { speaker: 'apiKey', text: 'API key' },
  jwt: { speaker: 'token', text: 'bearer token' },
  session: { speaker: 'session', text: 'session' },
}

function apiKeySentence({ permissions = [], environment }: ApiKeyRequirement): string {
  const environmentText = environment === undefined ? '' : ` of environment ${code(environment)}`
  const permissionText = permissions.length === 0 ? '' : ` with ${permissionsText(permissions, 'and')}`
  return `Requires an API key${environmentText}${permissionText}.`
}

function apiKeyForbidden({ permissions = [], environment }: ApiKeyRequirement): ErrorCode {
  if (permissions.length > 0) return 'permission_required'
  return environment === undefined ? 'ip_not_allowed' : 'environment_mismatch'
}

type Row = (value: unknown, context: NoteContext) => GuardNote

/** The guards of apps and of our own endpoints; what each value is, is said where the guard is marked. */
const ROWS: Readonly<Record<string, Row>> = {
  apiKey: (value) => {
    const requirement = value === true ? {} : (value as ApiKeyRequirement)
    return {
      // One key, in one of its two places.
      accepts: ({ authorization, keyHeader }) => (authorization === 'apiKey') !== keyHeader,
      sentence: apiKeySentence(requirement),
      statuses: REFUSALS,
      forbidden: apiKeyForbidden(requirement),
      ...(requirement.permissions === undefined ? {} : { permissions: requirement.permissions }),
      preferred: 'apiKey',
    }
  },

  bearerToken: () => ({
    accepts: ({ authorization }) => authorization === 'token',
    sentence: 'Requires a bearer token.',
    statuses: REFUSALS,
    forbidden: 'organization_suspended',
  }),

  session: () => ({
    accepts: ({ cookie }) => cookie,
    sentence: 'Requires a session.',
    statuses: REFUSALS,
    forbidden: 'organization_suspended',
  }),

  currentUser: (value) => {
    if (value === true) return ofPrincipal('Requires a user.', { forbidden: 'user_required' })
    const { via } = value as CurrentUserRequirement
    const ways = via.map((kind) => VIA[kind])
    return ofPrincipal(`Requires a user, by ${ways.map(({ text }) => text).join(' or ')}.`, {
      accepts: (combination) => ways.some(({ speaker }) => speaker === speakerOf(combination)),
      // A session always has a user.
      ...(via.every((kind) => kind === 'session') ? {} : { forbidden: 'user_required' }),
    })
  },

  optionalUser: () =>
    ofPrincipal('Answers anonymous callers too.', {
      accepts: (combination) => speakerOf(combination) === null || acceptsPrincipal(combination),
    }),

  requireRole: (value) => {
    const roles = toList(value as string | readonly string[])
    return ofPrincipal(`Requires role ${listOf(roles, 'or')}.`, { roles, forbidden: 'role_required' })
  },

  requirePermission: (value) => {
    const { mode, names } = toPermissionRule(value as PermissionRequirement)
    return ofPrincipal(`Requires ${permissionsText(names, mode === 'all' ? 'and' : 'or')}.`, {
      permissions: mode === 'all' ? names : [{ any: names }],
      forbidden: 'permission_required',
    })
  },

  requireModule: (value, { method }) => {
    const requirement = value as ModuleRequirement
    const permission = modulePermission(requirement, method)
    const names = permission === null ? [] : [permission]
    const permissionText = permission === null ? 'a permission that nobody has' : permissionsText(names, 'and')
    return ofPrincipal(`Requires ${permissionText} (module ${code(requirement.module)}).`, {
      permissions: names,
      forbidden: 'permission_required',
    })
  },

  currentPrincipal: () => ofPrincipal('Requires any credential.'),

  masterKey: () => ({
    accepts: ({ authorization, masterHeader }) => masterHeader || authorization === 'masterKey',
    sentence: 'Requires the master key.',
    // Who guesses it has to wait.
    statuses: [...REFUSALS, 429],
    forbidden: 'ip_not_allowed',
    preferred: 'masterKey',
  }),

  management: (value, { masterKey }) => {
    const permission = String(value)
    return ofPrincipal(`Requires ${permissionsText([permission], 'and')}${masterKey ? ' or the master key' : ''}.`, {
      accepts: (combination) => combination.masterHeader || speakerOf(combination) !== null,
      permissions: [permission],
      forbidden: 'permission_required',
    })
  },
}

/** `authorizedPost` and its like: the guards that apps make. */
function noteOwnership(guard: string, value: unknown): GuardNote {
  const { roles = [], permission } = (value ?? {}) as { roles?: readonly string[]; permission?: string }
  const name = guard.slice('authorized'.length)
  const others = [
    ...(roles.length === 0 ? [] : [`role ${listOf(roles, 'or')}`]),
    ...(permission === undefined ? [] : [permissionsText([permission], 'and')]),
  ]
  const owner = `the owner of the ${name.charAt(0).toLowerCase()}${name.slice(1)}`
  return ofPrincipal(`Requires ${[owner, ...others].join(' or ')}.`, {
    statuses: [...REFUSALS, 404],
    forbidden: 'not_owner',
  })
}

/** What the document says of a guard; null for a mark that demands nothing. */
export function noteOf({ name, value }: GuardMark, context: NoteContext): GuardNote | null {
  if (Object.hasOwn(ROWS, name)) return ROWS[name]?.(value, context) ?? null
  return /^authorized[A-Z]/.test(name) ? noteOwnership(name, value) : null
}
