/** Every refusal of this library is a row here. */

/**
 * What a refusal says of trying again: `transient` passes by itself, `exhausted` comes back with time, `permanent` stays
 * until somebody changes the credential, its rights or what is asked for, `invalid` until the request is written rightly.
 */
export type ErrorKind = 'transient' | 'exhausted' | 'permanent' | 'invalid'

export interface ErrorRow {
  readonly status: number
  readonly kind: ErrorKind
  readonly title: string
  /** What to tell the person when nobody says it better. */
  readonly detail: string
  /** The RFC 6750 error of the `WWW-Authenticate` challenge; `none` is a bare challenge. */
  readonly challenge?: 'none' | 'invalid_request' | 'invalid_token' | 'insufficient_scope'
}

export const ERROR_TABLE = {
  request_malformed: {
    status: 400,
    kind: 'invalid',
    title: 'Malformed request',
    detail: 'The request cannot be understood.',
    challenge: 'invalid_request',
  },

  credential_missing: {
    status: 401,
    kind: 'permanent',
    title: 'Credential required',
    detail: 'Present a credential that this route takes.',
    challenge: 'none',
  },
  api_key_invalid: {
    status: 401,
    kind: 'permanent',
    title: 'Invalid API key',
    detail: 'The API key is not one of ours, or was not copied whole.',
    challenge: 'invalid_token',
  },
  api_key_expired: {
    status: 401,
    kind: 'permanent',
    title: 'API key expired',
    detail: 'The API key has expired. Ask for a new one.',
    challenge: 'invalid_token',
  },
  api_key_revoked: {
    status: 401,
    kind: 'permanent',
    title: 'API key revoked',
    detail: 'The API key was revoked. Ask for a new one.',
    challenge: 'invalid_token',
  },
  api_key_disabled: {
    status: 401,
    kind: 'permanent',
    title: 'API key disabled',
    detail: 'The API key is switched off. Ask for it to be enabled.',
    challenge: 'invalid_token',
  },
  token_invalid: {
    status: 401,
    kind: 'permanent',
    title: 'Invalid token',
    detail: 'The token is not one of ours, or is for something else.',
    challenge: 'invalid_token',
  },
  token_expired: {
    status: 401,
    kind: 'permanent',
    title: 'Token expired',
    detail: 'The token has expired. Refresh it, or log in again.',
    challenge: 'invalid_token',
  },
  token_revoked: {
    status: 401,
    kind: 'permanent',
    title: 'Token revoked',
    detail: 'The token was taken back. Log in again.',
    challenge: 'invalid_token',
  },
  session_invalid: {
    status: 401,
    kind: 'permanent',
    title: 'Invalid session',
    detail: 'There is no such session. Log in again.',
    challenge: 'invalid_token',
  },
  session_expired: {
    status: 401,
    kind: 'permanent',
    title: 'Session expired',
    detail: 'The session has ended. Log in again.',
    challenge: 'invalid_token',
  },
  refresh_token_reused: {
    status: 401,
    kind: 'permanent',
    title: 'Refresh token reused',
    detail: 'The refresh token was used before, so its whole family was revoked. Log in again.',
    challenge: 'invalid_token',
  },
  login_failed: {
    status: 401,
    kind: 'permanent',
    title: 'Login failed',
    detail: 'E-mail or password is wrong.',
    challenge: 'none',
  },
  master_key_invalid: {
    status: 401,
    kind: 'permanent',
    title: 'Invalid master key',
    detail: 'That is not the master key.',
    challenge: 'invalid_token',
  },

  role_required: {
    status: 403,
    kind: 'permanent',
    title: 'Role required',
    detail: 'You lack the role for this.',
    challenge: 'insufficient_scope',
  },
  permission_required: {
    status: 403,
    kind: 'permanent',
    title: 'Permission required',
    detail: 'You lack the permission for this.',
    challenge: 'insufficient_scope',
  },
  not_owner: { status: 403, kind: 'permanent', title: 'Not the owner', detail: 'This belongs to somebody else.' },
  ip_not_allowed: {
    status: 403,
    kind: 'permanent',
    title: 'Address not allowed',
    detail: 'The credential may not be used from this address.',
  },
  environment_mismatch: {
    status: 403,
    kind: 'permanent',
    title: 'Wrong environment',
    detail: 'The API key is for another environment.',
  },
  user_required: {
    status: 403,
    kind: 'permanent',
    title: 'User required',
    detail: 'This needs a user, and the credential has none behind it.',
  },
  organization_suspended: {
    status: 403,
    kind: 'permanent',
    title: 'Organization suspended',
    detail: 'The organization is suspended.',
  },
  user_disabled: { status: 403, kind: 'permanent', title: 'User disabled', detail: 'The user is disabled.' },
  address_blocked: { status: 403, kind: 'permanent', title: 'Address blocked', detail: 'This address is blocked.' },
  csrf_rejected: {
    status: 403,
    kind: 'permanent',
    title: 'Cross-site request refused',
    detail: 'The request comes from another site.',
  },

  not_found: { status: 404, kind: 'permanent', title: 'Not found', detail: 'There is nothing here.' },
  conflict: { status: 409, kind: 'permanent', title: 'Conflict', detail: 'It exists already.' },
  body_too_large: { status: 413, kind: 'invalid', title: 'Body too large', detail: 'The body is too large.' },
  validation_failed: {
    status: 422,
    kind: 'invalid',
    title: 'Validation failed',
    detail: 'Something in the request is not as it must be; see errors.',
  },

  rate_limited: {
    status: 429,
    kind: 'exhausted',
    title: 'Rate limit exceeded',
    detail: 'Too many requests. Wait before the next one.',
  },
  quota_exceeded: { status: 429, kind: 'exhausted', title: 'Quota exceeded', detail: 'The quota is used up.' },
  locked_out: {
    status: 429,
    kind: 'exhausted',
    title: 'Locked out',
    detail: 'Too many attempts. Wait before the next one.',
  },

  // Not transient: what broke once mostly breaks again, half of it may have been done, and a client that repeats a 500
  // blindly does it twice.
  internal_error: {
    status: 500,
    kind: 'permanent',
    title: 'Internal error',
    detail: 'Something went wrong here. Quote the request id when you ask about it.',
  },
  storage_unavailable: {
    status: 503,
    kind: 'transient',
    title: 'Storage unavailable',
    detail: 'The database does not answer. Try again.',
  },
} as const satisfies Record<string, ErrorRow>
