/**
 * One error class, one table: every refusal of this library is a row here.
 *
 * @see RFC 9457 (problem details), RFC 6750 section 3 (challenges)
 */

interface ErrorRow {
  readonly status: number
  readonly title: string
  /** What to tell the person when nobody says it better. */
  readonly detail: string
  /** The RFC 6750 error of the `WWW-Authenticate` challenge; `none` is a bare challenge. */
  readonly challenge?: 'none' | 'invalid_request' | 'invalid_token' | 'insufficient_scope'
}

const TABLE = {
  request_malformed: {
    status: 400,
    title: 'Malformed request',
    detail: 'The request cannot be understood.',
    challenge: 'invalid_request',
  },

  credential_missing: {
    status: 401,
    title: 'Credential required',
    detail: 'Present a credential that this route takes.',
    challenge: 'none',
  },
  api_key_invalid: {
    status: 401,
    title: 'Invalid API key',
    detail: 'The API key is not one of ours, or was not copied whole.',
    challenge: 'invalid_token',
  },
  api_key_expired: {
    status: 401,
    title: 'API key expired',
    detail: 'The API key has expired. Ask for a new one.',
    challenge: 'invalid_token',
  },
  api_key_revoked: {
    status: 401,
    title: 'API key revoked',
    detail: 'The API key was revoked. Ask for a new one.',
    challenge: 'invalid_token',
  },
  api_key_disabled: {
    status: 401,
    title: 'API key disabled',
    detail: 'The API key is switched off. Ask for it to be enabled.',
    challenge: 'invalid_token',
  },
  token_invalid: {
    status: 401,
    title: 'Invalid token',
    detail: 'The token is not one of ours, or is for something else.',
    challenge: 'invalid_token',
  },
  token_expired: {
    status: 401,
    title: 'Token expired',
    detail: 'The token has expired. Refresh it, or log in again.',
    challenge: 'invalid_token',
  },
  token_revoked: {
    status: 401,
    title: 'Token revoked',
    detail: 'The token was taken back. Log in again.',
    challenge: 'invalid_token',
  },
  session_invalid: {
    status: 401,
    title: 'Invalid session',
    detail: 'There is no such session. Log in again.',
    challenge: 'invalid_token',
  },
  session_expired: {
    status: 401,
    title: 'Session expired',
    detail: 'The session has ended. Log in again.',
    challenge: 'invalid_token',
  },
  refresh_token_reused: {
    status: 401,
    title: 'Refresh token reused',
    detail: 'The refresh token was used before, so its whole family was revoked. Log in again.',
    challenge: 'invalid_token',
  },
  login_failed: { status: 401, title: 'Login failed', detail: 'E-mail or password is wrong.', challenge: 'none' },
  master_key_invalid: {
    status: 401,
    title: 'Invalid master key',
    detail: 'That is not the master key.',
    challenge: 'invalid_token',
  },

  role_required: {
    status: 403,
    title: 'Role required',
    detail: 'You lack the role for this.',
    challenge: 'insufficient_scope',
  },
  permission_required: {
    status: 403,
    title: 'Permission required',
    detail: 'You lack the permission for this.',
    challenge: 'insufficient_scope',
  },
  not_owner: { status: 403, title: 'Not the owner', detail: 'This belongs to somebody else.' },
  ip_not_allowed: {
    status: 403,
    title: 'Address not allowed',
    detail: 'The credential may not be used from this address.',
  },
  environment_mismatch: { status: 403, title: 'Wrong environment', detail: 'The API key is for another environment.' },
  user_required: {
    status: 403,
    title: 'User required',
    detail: 'This needs a user, and the credential has none behind it.',
  },
  organization_suspended: { status: 403, title: 'Organization suspended', detail: 'The organization is suspended.' },
  user_disabled: { status: 403, title: 'User disabled', detail: 'The user is disabled.' },
  address_blocked: { status: 403, title: 'Address blocked', detail: 'This address is blocked.' },
  csrf_rejected: { status: 403, title: 'Cross-site request refused', detail: 'The request comes from another site.' },

  not_found: { status: 404, title: 'Not found', detail: 'There is nothing here.' },
  conflict: { status: 409, title: 'Conflict', detail: 'It exists already.' },
  body_too_large: { status: 413, title: 'Body too large', detail: 'The body is too large.' },
  validation_failed: {
    status: 422,
    title: 'Validation failed',
    detail: 'Something in the request is not as it must be; see errors.',
  },

  rate_limited: { status: 429, title: 'Rate limit exceeded', detail: 'Too many requests. Wait before the next one.' },
  quota_exceeded: { status: 429, title: 'Quota exceeded', detail: 'The quota is used up.' },
  locked_out: { status: 429, title: 'Locked out', detail: 'Too many attempts. Wait before the next one.' },

  internal_error: {
    status: 500,
    title: 'Internal error',
    detail: 'Something went wrong here. Quote the request id when you ask about it.',
  },
  storage_unavailable: {
    status: 503,
    title: 'Storage unavailable',
    detail: 'The database does not answer. Try again.',
  },
} as const satisfies Record<string, ErrorRow>

/** Every code a refusal can carry. */
export type ErrorCode = keyof typeof TABLE

const rows: Record<ErrorCode, ErrorRow> = TABLE

/** Every code, for documentation and tests. */
export const ERROR_CODES = Object.freeze(Object.keys(TABLE)) as readonly ErrorCode[]

/** The HTTP status a code answers with. */
export function statusOf(code: ErrorCode): number {
  return rows[code].status
}

/** The human title of a code. */
export function titleOf(code: ErrorCode): string {
  return rows[code].title
}

/** One mistake in a request body, query or path: where, and what is accepted. Never the value. */
export interface FieldError {
  readonly path: string
  readonly message: string
}

/** What a refusal may say besides its code. */
export interface ErrorExtras {
  /** One sentence for the person who reads it. Never a credential, hash or header value. */
  readonly detail?: string
  /** What would have been enough: roles or permissions. Becomes `required` and the challenge's `scope`. */
  readonly required?: readonly string[]
  /** Seconds until trying again can help. Becomes `Retry-After` and `retryAfter`. */
  readonly retryAfter?: number
  /** RFC 3339: when what is used up comes back. */
  readonly resetsAt?: string
  /** Whether the same request may succeed later without being changed. */
  readonly retryable?: boolean
  readonly errors?: readonly FieldError[]
  readonly cause?: unknown
}

const REALM = 'machine-auth'
const BARE_CHALLENGE = `Bearer realm="${REALM}", ApiKey realm="${REALM}"`
/** RFC 6750 section 3: scope is a list of tokens from this alphabet. */
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/
/** Characters of a `scope`: some proxies and clients refuse an answer with 8 KB of headers. */
const LONGEST_SCOPE = 1024

/** The first names that fit; the body has them all. */
function scopeOf(required: readonly string[]): string {
  let scope = ''
  for (const name of required) {
    if (!SCOPE_TOKEN.test(name)) continue
    const longer = scope === '' ? name : `${scope} ${name}`
    if (longer.length > LONGEST_SCOPE) break
    scope = longer
  }
  return scope
}

function challengeOf(row: ErrorRow, required: readonly string[] | undefined): string | undefined {
  switch (row.challenge) {
    case undefined:
      return undefined
    case 'none':
      return BARE_CHALLENGE
    case 'insufficient_scope': {
      const scope = scopeOf(required ?? [])
      const attribute = scope === '' ? '' : `, scope="${scope}"`
      return `Bearer realm="${REALM}", error="insufficient_scope"${attribute}`
    }
    default:
      return `Bearer realm="${REALM}", error="${row.challenge}"`
  }
}

/**
 * A refusal: thrown by every guard, dependency and service, and rendered as `application/problem+json`.
 *
 * @param code what went wrong; decides status, title and challenge
 * @param extras detail, required names, `retryAfter` in seconds, field errors
 * @example
 * app.onError(({ error }) => {
 *   if (error instanceof MachineAuthError && error.code === 'role_required') return 'Ask an administrator.'
 * })
 * @see RFC 9457, RFC 6750 section 3
 */
export class MachineAuthError extends Error {
  override readonly name = 'MachineAuthError'
  readonly code: ErrorCode
  readonly status: number
  readonly detail: string
  readonly headers: Readonly<Record<string, string>>
  readonly extras: ErrorExtras
  /** Set by the plugin, so that a person can find the log line of this refusal. */
  requestId: string | undefined

  constructor(code: ErrorCode, extras: ErrorExtras = {}) {
    const row = rows[code]
    const detail = extras.detail ?? row.detail
    super(detail, extras.cause === undefined ? undefined : { cause: extras.cause })
    this.code = code
    this.status = row.status
    this.detail = detail
    this.extras = extras
    const headers: Record<string, string> = { 'cache-control': 'no-store' }
    const challenge = challengeOf(row, extras.required)
    if (challenge !== undefined) headers['www-authenticate'] = challenge
    if (extras.retryAfter !== undefined) headers['retry-after'] = String(Math.max(1, Math.ceil(extras.retryAfter)))
    this.headers = headers
  }

  /** The RFC 9457 body. */
  toProblem(): Record<string, unknown> {
    const { required, retryAfter, resetsAt, retryable, errors } = this.extras
    const problem: Record<string, unknown> = {
      type: `urn:machine-auth:error:${this.code}`,
      title: rows[this.code].title,
      status: this.status,
      code: this.code,
      detail: this.detail,
    }
    if (this.requestId !== undefined) problem.requestId = this.requestId
    if (required !== undefined) problem.required = required
    if (retryAfter !== undefined) problem.retryAfter = Math.max(1, Math.ceil(retryAfter))
    if (resetsAt !== undefined) problem.resetsAt = resetsAt
    if (retryable !== undefined) problem.retryable = retryable
    if (errors !== undefined) problem.errors = errors
    return problem
  }

  /** Called by Elysia when nothing else handles the error. */
  toResponse(): Response {
    const headers: Record<string, string> = {}
    return new Response(this.writeTo({ headers }), { status: this.status, headers })
  }

  /**
   * Writes status and headers where Elysia collects them, and returns the body. Cheaper than a `Response`, which
   * Elysia would take apart again to add its own headers.
   */
  writeTo(set: { status?: number | string; headers: Record<string, string | number | undefined> }): string {
    set.status = this.status
    Object.assign(set.headers, this.headers)
    if (this.requestId !== undefined) set.headers['x-request-id'] = this.requestId
    set.headers['content-type'] = 'application/problem+json'
    return JSON.stringify(this.toProblem())
  }
}
