/** The kinds of nodes that the schema of options is made of. Every node says in `accepted` what it takes. */
import { Kind, type TSchema, type TUnsafe, Type, TypeRegistry } from '@sinclair/typebox'
import type { DurationInput } from '../lib/duration.ts'
import { DURATION_ACCEPTED, isDuration } from '../lib/duration.ts'
import * as is from './predicates.ts'

const CHECK = 'MachineAuthCheck'

interface CheckSchema {
  readonly check: (value: unknown) => boolean
}

TypeRegistry.Set<CheckSchema>(CHECK, (schema, value) => schema.check(value))

/** A value that a predicate decides about. */
export function check<T>(accepted: string, predicate: (value: unknown) => boolean): TUnsafe<T> {
  return Type.Unsafe<T>({ [Kind]: CHECK, accepted, check: predicate })
}

export function oneOf<const T extends string | boolean>(...values: readonly T[]): TUnsafe<T> {
  const accepted = values.map((value) => (typeof value === 'string' ? `'${value}'` : String(value))).join(' or ')
  return check<T>(accepted, (value) => values.some((member) => member === value))
}

export function fn<T>(accepted: string): TUnsafe<T> {
  return check<T>(accepted, (value) => typeof value === 'function')
}

/** An object whose members are all optional, and which has no others. */
export function group<const T extends Record<string, TSchema>>(members: T) {
  const accepted = Object.keys(members).length === 0 ? '{}' : `an object { ${Object.keys(members).join(', ')} }`
  return Type.Partial(Type.Object(members, { additionalProperties: false }), { accepted })
}

/** An object with free names; `keys` says which are accepted, and is reported at each one that is not. */
export function record<T extends TSchema>(pattern: string, keys: string, accepted: string, member: T) {
  const additionalProperties = check<never>(keys, () => false)
  return Type.Record(Type.String({ pattern }), member, { additionalProperties, accepted })
}

export function list<T extends TSchema>(accepted: string, member: T, minItems = 0) {
  return Type.Array(member, { accepted, minItems })
}

export const duration = check<DurationInput>(DURATION_ACCEPTED, isDuration)
export const cidrs = list(
  'a list of addresses and ranges',
  check<string>("an address or range such as '10.0.0.0/8' or '2001:db8::/32'", is.isCidr),
)

/** A whole number between two bounds. */
export function whole(least: number, most: number): TUnsafe<number> {
  return check<number>(`a whole number from ${least} to ${most}`, is.isWithin(least, most))
}
