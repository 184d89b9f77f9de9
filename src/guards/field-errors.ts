/** What Elysia found wrong with a body, query or path, in the terms of CONTRACT: where, and what is accepted. */
import type { TSchema } from '@sinclair/typebox'
import type { ValueError } from '@sinclair/typebox/errors'
import type { ValidationError } from 'elysia'
import { type FieldError, MachineAuthError } from '../errors.ts'

const TYPES: Readonly<Record<string, string>> = {
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
}

function acceptedOf(variants: readonly TSchema[]): string {
  const literals = variants.flatMap((variant) => (typeof variant.const === 'string' ? [`'${variant.const}'`] : []))
  if (literals.length > 0) return `must be ${literals.join(' or ')}`
  // Elysia takes numbers and the like as text too; the type that was asked for is the one that is no text.
  const type = variants.map((variant) => String(variant.type)).find((name) => Object.hasOwn(TYPES, name))
  return type === undefined ? 'is not accepted' : `must be ${TYPES[type]}`
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
  if (typeof error.schema.const === 'string') return [{ path, message: acceptedOf([error.schema]) }]
  return [{ path, message: error.message === 'Never' ? 'is not a member this takes' : error.message }]
}

/** Another validator's finding (Standard Schema): a message, and the keys that lead to it. */
interface Issue {
  readonly message?: unknown
  readonly path?: readonly unknown[]
}

function isTypeBoxError(found: object): found is ValueError {
  return 'schema' in found && 'path' in found && typeof found.path === 'string'
}

function fieldErrorOf({ path = [], message }: Issue, place: string): FieldError {
  const keys = path.map((key) => String(typeof key === 'object' && key !== null && 'key' in key ? key.key : key))
  return { path: keys.length === 0 ? place : keys.join('.'), message: String(message ?? 'is not accepted') }
}

/** A list of a thousand wrong members is told in as many lines as a person reads. */
const MAX_ERRORS = 20

/** Elysia's refusal of a request as ours. */
export function toValidationFailed(error: ValidationError): MachineAuthError {
  const found = error.all as readonly object[]
  const errors = found.flatMap((each) =>
    isTypeBoxError(each) ? fieldErrorsOf(each, error.type) : [fieldErrorOf(each, error.type)],
  )
  // TypeBox says several times what one rule of ours says once.
  const once = new Map(errors.map((each) => [`${each.path}\n${each.message}`, each]))
  return new MachineAuthError('validation_failed', { errors: [...once.values()].slice(0, MAX_ERRORS) })
}
