/**
 * One error class for every refusal.
 *
 * @see RFC 9457 (problem details), RFC 6750 section 3 (challenges)
 */
import { ERROR_TABLE, type ErrorKind, type ErrorRow } from './lib/error-table.ts'

/** Every code a refusal can carry. */
export type ErrorCode = keyof typeof ERROR_TABLE

const rows: Record<ErrorCode, ErrorRow> = ERROR_TABLE

/** Every code, for documentation and tests. */
export const ERROR_CODES = Object.freeze(Object.keys(ERROR_TABLE)) as readonly ErrorCode[]

/** The HTTP status a code answers with. */
export function statusOf(code: ErrorCode): number {
  return rows[code].status
}

/** What a code says of trying again. */
export function kindOf(code: ErrorCode): ErrorKind {
  return rows[code].kind
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
  /** Whether the same request may succeed later without being changed. Its kind says so where nobody knows better. */
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

const RETRYABLE: Readonly<Record<ErrorKind, boolean>> = {
  transient: true,
  exhausted: true,
  permanent: false,
  invalid: false,
}

function isRetryable(code: ErrorCode, { retryable, retryAfter }: ErrorExtras): boolean {
  // Whoever knows when trying again can help says that it can: a block that ends, an answer that is being made.
  if (retryable !== undefined || retryAfter !== undefined) return retryable ?? true
  // Credits without a refill never come back by themselves.
  return code !== 'quota_exceeded' && RETRYABLE[rows[code].kind]
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
  readonly kind: ErrorKind
  /** Whether the same request may succeed later without being changed. */
  readonly retryable: boolean
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
    this.kind = row.kind
    this.retryable = isRetryable(code, extras)
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
    const { required, retryAfter, resetsAt, errors } = this.extras
    const problem: Record<string, unknown> = {
      type: `urn:machine-auth:error:${this.code}`,
      title: rows[this.code].title,
      status: this.status,
      code: this.code,
      detail: this.detail,
      retryable: this.retryable,
    }
    if (this.requestId !== undefined) problem.requestId = this.requestId
    if (required !== undefined) problem.required = required
    if (retryAfter !== undefined) problem.retryAfter = Math.max(1, Math.ceil(retryAfter))
    if (resetsAt !== undefined) problem.resetsAt = resetsAt
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

/** Whether an error says that storage is away, and not that it was asked for something wrong. */
export function isStorageAway(error: unknown): boolean {
  return error instanceof MachineAuthError && error.code === 'storage_unavailable'
}
