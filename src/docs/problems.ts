/**
 * The refusals of guards, as responses of a route.
 *
 * @see RFC 9457
 */
import { STATUS_CODES } from 'node:http'
import { ERROR_CODES, type ErrorCode, type ErrorExtras, MachineAuthError, statusOf } from '../errors.ts'
import type { LimitHeaders } from '../limits/headers.ts'
import type { JsonObject, ResponseObject } from './openapi.ts'

const PROBLEM: JsonObject = {
  type: 'object',
  description: 'A refusal (RFC 9457). `code` says which one; `detail` is for people.',
  required: ['type', 'title', 'status', 'code', 'detail', 'retryable'],
  properties: {
    type: { type: 'string', format: 'uri', examples: ['urn:machine-auth:error:credential_missing'] },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', enum: ERROR_CODES },
    detail: { type: 'string' },
    retryable: { type: 'boolean', description: 'Whether the same request may succeed later, without being changed.' },
    requestId: { type: 'string', description: 'As in `X-Request-Id`, and in the log.' },
    required: { type: 'array', items: { type: 'string' }, description: 'The roles or permissions that were missing.' },
    retryAfter: { type: 'integer', minimum: 1, description: 'Seconds, as in `Retry-After`.' },
    resetsAt: {
      type: 'string',
      format: 'date-time',
      description: 'When a quota that is used up comes back.',
    },
    errors: {
      type: 'array',
      description: 'The mistakes of the request.',
      items: {
        type: 'object',
        required: ['path', 'message'],
        properties: { path: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
}

/** Each status of a guard, and what a reader wants to know of it. */
const DESCRIPTIONS: Readonly<Record<number, string>> = {
  400: 'Malformed, for example two credentials of one kind, or a body that is not JSON.',
  401: 'No credential, or a wrong one.',
  403: 'The credential is good, but may not do this.',
  404: 'There is no such thing, or the caller may not know of it.',
  409: 'It exists already, or the first request with this `Idempotency-Key` is not finished.',
  413: 'The body is larger than this takes.',
  422: 'A member of the request is missing, unknown or wrong; `errors` says which.',
  429: 'Too many requests or attempts. `Retry-After` says when to try again.',
  503: 'The database, or what processes share their limits by, does not answer: nobody is let in unchecked. `Retry-After` says when to try again.',
}

const CHALLENGE = { 'WWW-Authenticate': { schema: { type: 'string' }, description: 'RFC 6750, section 3.' } }
const WAIT = { 'Retry-After': { schema: { type: 'integer', minimum: 1 }, description: 'Seconds.' } }
const HEADERS: Readonly<Record<number, Record<string, JsonObject>>> = {
  401: CHALLENGE,
  403: CHALLENGE,
  429: WAIT,
  503: WAIT,
}

/** Responses that are the same for every operation, and stand in the document once. */
const SHARED: Readonly<Record<number, string>> = { 503: 'StorageUnavailable' }

/** @see draft-ietf-httpapi-ratelimit-headers-10 */
const IETF_HEADERS: Record<string, JsonObject> = {
  'RateLimit-Policy': {
    schema: { type: 'string' },
    description: 'Each limit: name, units, window in seconds; such as "ip-5-1m";q=5;w=60',
  },
  RateLimit: {
    schema: { type: 'string' },
    description: 'How each limit stands: name, units left, seconds to wait; such as "ip-5-1m";r=0;t=42',
  },
}
const X_HEADERS: Record<string, JsonObject> = {
  'X-RateLimit-Limit': { schema: { type: 'integer' }, description: 'Units of the limit that refused.' },
  'X-RateLimit-Remaining': { schema: { type: 'integer' }, description: 'Units left.' },
  'X-RateLimit-Reset': { schema: { type: 'integer' }, description: 'When to try again, in epoch seconds.' },
}

function limitHeaders(mode: LimitHeaders): Record<string, JsonObject> {
  if (mode === false) return {}
  return { ...(mode === 'x' ? {} : IETF_HEADERS), ...(mode === 'ietf' ? {} : X_HEADERS) }
}

/** What an example says besides its code, by status. */
const EXTRAS: Readonly<Record<number, ErrorExtras>> = { 429: { retryAfter: 42 }, 503: { retryAfter: 1 } }

/** What to show where a status has several codes. */
export interface ShownRefusals {
  /** Of 403. Without a guard there is no credential to find wanting: what is left is a login from another site. */
  readonly forbidden?: ErrorCode | undefined
  /** Of 429. */
  readonly limited?: ErrorCode
  /** Which headers a 429 has besides `Retry-After`. */
  readonly limitHeaders?: LimitHeaders
}

/** Makes problem responses, and collects what they refer to. */
export class ProblemResponses {
  readonly #name: string
  readonly #schemas = new Map<string, JsonObject>()
  /** By their names; those that an operation has referred to. */
  readonly responses: Record<string, ResponseObject> = {}

  /** @param taken names of schemas that are the app's own */
  constructor(taken: Iterable<string>) {
    const names = [...taken]
    this.#name = names.some((name) => /^Problem(\d{3})?$/.test(name)) ? 'MachineAuthProblem' : 'Problem'
  }

  /** The response, or a reference to the one that all operations share. */
  responseOf(status: number, shown: ShownRefusals = {}): ResponseObject {
    const name = SHARED[status]
    if (name === undefined) return this.#describe(status, shown)
    this.responses[name] ??= this.#describe(status, shown)
    return { $ref: `#/components/responses/${name}` }
  }

  #describe(status: number, shown: ShownRefusals): ResponseObject {
    const title = STATUS_CODES[status] ?? 'Refused'
    const headers = status === 429 ? { ...HEADERS[429], ...limitHeaders(shown.limitHeaders ?? false) } : HEADERS[status]
    const codes = ERROR_CODES.filter((code) => statusOf(code) === status)
    const examples: Readonly<Record<number, ErrorCode | undefined>> = {
      403: shown.forbidden ?? 'csrf_rejected',
      429: shown.limited,
    }
    const code = examples[status] ?? codes[0]
    const media = {
      schema: { $ref: this.#schemaOf(status, title, codes) },
      ...(code === undefined ? {} : { example: new MachineAuthError(code, EXTRAS[status] ?? {}).toProblem() }),
    }
    return {
      description: DESCRIPTIONS[status] ?? `${title}.`,
      ...(headers === undefined ? {} : { headers }),
      content: { 'application/problem+json': media },
    }
  }

  #schemaOf(status: number, title: string, codes: readonly string[]): string {
    const name = `${this.#name}${status}`
    this.#schemas.set(this.#name, PROBLEM)
    this.#schemas.set(name, {
      description: `${title}.`,
      allOf: [
        { $ref: `#/components/schemas/${this.#name}` },
        { type: 'object', properties: { status: { const: status }, code: { type: 'string', enum: codes } } },
      ],
    })
    return `#/components/schemas/${name}`
  }

  /** The schemas of the responses made so far, by name. */
  get schemas(): Readonly<Record<string, JsonObject>> {
    return Object.fromEntries([...this.#schemas].sort(([one], [other]) => (one < other ? -1 : 1)))
  }
}
