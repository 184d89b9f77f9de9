/** What Elysia found wrong with a body, query or path, in the terms of CONTRACT: where, and what is accepted. */
import type { TSchema } from '@sinclair/typebox'
import type { ValueError } from '@sinclair/typebox/errors'
import type { ValidationError } from 'elysia'
import { type FieldError, MachineAuthError } from '../errors.ts'

function acceptedOf(variants: readonly TSchema[]): string {
  const literals = variants.flatMap((variant) => (typeof variant.const === 'string' ? [`'${variant.const}'`] : []))
  if (literals.length > 0) return `must be ${literals.join(' or ')}`
  return variants.some(({ type }) => type === 'integer') ? 'must be a whole number' : 'must be something else'
}

/** Never repeats what was sent, as Elysia's own text does: a password is not for repeating. */
function fieldErrorsOf(error: ValueError, place: string): readonly FieldError[] {
  const variants: readonly TSchema[] | undefined = error.schema.anyOf
  const object = variants?.findIndex(({ type }) => type === 'object') ?? -1
  const inside = typeof error.value === 'object' ? error.errors[object] : undefined
  // An object that may be left out: what is wrong inside says more than that none of both fits.
  if (inside !== undefined) return [...inside].flatMap((each) => fieldErrorsOf(each, place))
  const path = error.path === '' ? place : error.path.slice(1).replaceAll('/', '.')
  if (variants !== undefined) return [{ path, message: acceptedOf(variants) }]
  return [{ path, message: error.message === 'Never' ? 'is not a member this takes' : error.message }]
}

/** Elysia's refusal of a request as ours. */
export function toValidationFailed(error: ValidationError): MachineAuthError {
  // The schemas are all TypeBox's, so that the errors are too.
  const found = error.all as readonly ValueError[]
  return new MachineAuthError('validation_failed', {
    errors: found.flatMap((each) => fieldErrorsOf(each, error.type)),
  })
}
