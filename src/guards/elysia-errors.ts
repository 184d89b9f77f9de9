/** Elysia's own refusals in the terms of CONTRACT. */
import type { ValidationError } from 'elysia'
import { MachineAuthError } from '../errors.ts'
import { toValidationFailed } from './field-errors.ts'

/**
 * Whether a handler's answer failed its own schema: a fault of the app's, whose text shows what it answered.
 *
 * @param code Elysia's name of the error: its classes differ between the two copies that a process can hold
 */
export function isInvalidAnswer(code: unknown, error: unknown): boolean {
  return code === 'VALIDATION' && (error as ValidationError).type === 'response'
}

/** Other libraries' errors have a `code` too: Elysia's own have this status with it. */
const STATUSES: ReadonlyMap<unknown, number> = new Map([
  ['NOT_FOUND', 404],
  ['VALIDATION', 422],
  ['PARSE', 400],
])

/** The refusal that Elysia means, or null when it is none of its own. */
export function toRefusal(code: unknown, error: unknown): MachineAuthError | null {
  if ((error as { readonly status?: unknown } | null)?.status !== STATUSES.get(code)) return null
  if (code === 'NOT_FOUND') {
    // An app that throws it may say what is missing; by itself Elysia says no more than the code.
    const said = error instanceof Error && error.message !== 'NOT_FOUND' ? { detail: error.message } : {}
    return new MachineAuthError('not_found', said)
  }
  if (code === 'VALIDATION' && !isInvalidAnswer(code, error)) return toValidationFailed(error as ValidationError)
  if (code !== 'PARSE' || !(error instanceof Error)) return null
  return error.cause instanceof MachineAuthError ? error.cause : new MachineAuthError('request_malformed')
}
