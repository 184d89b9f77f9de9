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

/** Of every refusal with a code, written once: in a flood it is most of the answer. */
interface Told {
  /** The body's members that depend on the code alone. */
  readonly start: string
  readonly detail: string
  /** The challenge, where nothing is named that would have been enough. */
  readonly challenge: string | undefined
}

function memberOf(name: string, value: unknown): string {
  return `,"${name}":${JSON.stringify(value)}`
}

function toldOf(code: ErrorCode): Told {
  const row = rows[code]
  const { title, status, detail } = row
  const start = JSON.stringify({ type: `urn:machine-auth:error:${code}`, title, status, code })
  return { start: start.slice(0, -1), detail: memberOf('detail', detail), challenge: challengeOf(row, undefined) }
}

const told = Object.fromEntries(ERROR_CODES.map((code) => [code, toldOf(code)])) as Readonly<Record<ErrorCode, Told>>

function wholeSeconds(retryAfter: number): number {
  return Math.max(1, Math.ceil(retryAfter))
}

const NO_EXTRAS: ErrorExtras = Object.freeze({})

type CollectedHeaders = Record<string, string | number | undefined>

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
  declare readonly name: 'MachineAuthError'
  readonly code: ErrorCode
  readonly extras: ErrorExtras
  /** Set by the plugin, so that a person can find the log line of this refusal. */
  requestId: string | undefined

  static {
    // Here and not in each of them, like all that the code says: many are made in a flood, and few are looked at.
    Object.defineProperty(MachineAuthError.prototype, 'name', { value: 'MachineAuthError', configurable: true })
  }

  constructor(code: ErrorCode, extras: ErrorExtras = NO_EXTRAS) {
    super(extras.detail ?? rows[code].detail, extras.cause === undefined ? undefined : { cause: extras.cause })
    this.code = code
    this.extras = extras
  }

  get status(): number {
    return rows[this.code].status
  }

  get kind(): ErrorKind {
    return rows[this.code].kind
  }

  /** Whether the same request may succeed later without being changed. */
  get retryable(): boolean {
    return isRetryable(this.code, this.extras)
  }

  get detail(): string {
    return this.extras.detail ?? rows[this.code].detail
  }

  get headers(): Readonly<Record<string, string>> {
    const headers: Record<string, string> = {}
    this.#writeHeaders(headers)
    return headers
  }

  #writeHeaders(headers: CollectedHeaders): void {
    const { required, retryAfter } = this.extras
    headers['cache-control'] = 'no-store'
    const challenge = required === undefined ? told[this.code].challenge : challengeOf(rows[this.code], required)
    if (challenge !== undefined) headers['www-authenticate'] = challenge
    if (retryAfter !== undefined) headers['retry-after'] = String(wholeSeconds(retryAfter))
  }

  /** For logs: what is told of it, which are no members of its own. */
  toJSON(): Record<string, unknown> {
    const { name, message, kind, extras } = this
    return { name, message, kind, ...this.toProblem(), extras }
  }

  /** The RFC 9457 body. */
  toProblem(): Record<string, unknown> {
    return JSON.parse(this.#toBody())
  }

  #toBody(): string {
    const { code, requestId } = this
    const { detail, required, retryAfter, resetsAt, errors } = this.extras
    let body = told[code].start
    body += detail === undefined ? told[code].detail : memberOf('detail', detail)
    body += this.retryable ? ',"retryable":true' : ',"retryable":false'
    if (requestId !== undefined) body += memberOf('requestId', requestId)
    if (required !== undefined) body += memberOf('required', required)
    if (retryAfter !== undefined) body += memberOf('retryAfter', wholeSeconds(retryAfter))
    if (resetsAt !== undefined) body += memberOf('resetsAt', resetsAt)
    if (errors !== undefined) body += memberOf('errors', errors)
    return `${body}}`
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
  writeTo(set: { status?: number | string; headers: CollectedHeaders }): string {
    set.status = this.status
    const { headers } = set
    this.#writeHeaders(headers)
    if (this.requestId !== undefined) headers['x-request-id'] = this.requestId
    headers['content-type'] = 'application/problem+json'
    return this.#toBody()
  }
}

/** Whether an error says that storage is away, and not that it was asked for something wrong. */
export function isStorageAway(error: unknown): boolean {
  return error instanceof MachineAuthError && error.code === 'storage_unavailable'
}
