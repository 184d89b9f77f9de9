/** Plain objects: what options are made of, and what may be copied, merged and frozen. */

import { isPlainObject, type PlainObject } from '../lib/plain-object.ts'
import { isSink } from './predicates.ts'

/** Options are never nested deeper; a cycle ends here. */
const MAX_DEPTH = 12

/** Whether an object is made of options. A sink may keep what it needs in itself, and must find it there. */
function isMadeOfOptions(value: unknown): value is PlainObject {
  return isPlainObject(value) && !isSink(value)
}

/**
 * Copies lists and plain objects, without members that are `undefined` and without `__proto__`, which JSON can carry as
 * a member. Functions, instances and sinks are taken over as they are.
 */
export function copyPlain(value: unknown, depth = 0): unknown {
  if (depth >= MAX_DEPTH) return value
  if (Array.isArray(value)) return value.map((member) => copyPlain(member, depth + 1))
  return isMadeOfOptions(value) ? copyMembers(value, depth) : value
}

/** As `copyPlain`, for an object of any class. */
export function copyMembers(value: object, depth = 0): Record<string, unknown> {
  const copy: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(value)) {
    if (name !== '__proto__' && member !== undefined) copy[name] = copyPlain(member, depth + 1)
  }
  return copy
}

/** Freezes lists and plain objects through and through; functions, instances and sinks stay as they are. */
export function freezePlain<T>(value: T): T {
  if (!Array.isArray(value) && !isMadeOfOptions(value)) return value
  for (const member of Object.values(value)) freezePlain(member)
  return Object.freeze(value)
}

/** Builds an object without a prototype, so that looking up `constructor` finds nothing. */
export function createTable<T>(entries: Iterable<readonly [string, T]>): Readonly<Record<string, T>> {
  const table: Record<string, T> = Object.create(null)
  for (const [name, value] of entries) table[name] = value
  return table
}
