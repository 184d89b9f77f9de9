/** Checks options against the schema and names every mistake, with what was probably meant. */
import type { TSchema } from '@sinclair/typebox'
import { Errors, type ValueError, ValueErrorType } from '@sinclair/typebox/errors'
import { isPlainObject } from '../lib/plain-object.ts'
import { describeGiven, formatPath, kindOf, type OptionPath, type Report } from './mistakes.ts'
import { optionsSchema } from './schema.ts'
import { suggest } from './suggest.ts'

const TOP_LEVEL: Readonly<Record<string, TSchema>> = optionsSchema.properties

function membersOf(schema: TSchema): readonly string[] {
  const variants: readonly TSchema[] = schema.anyOf ?? [schema]
  return variants.flatMap(({ properties }) => Object.keys(properties ?? {}))
}

/** `group.member` of every option, for a member given at the wrong level. */
const MEMBERS: readonly OptionPath[] = Object.entries(TOP_LEVEL).flatMap(([name, schema]) =>
  membersOf(schema).map((member) => [name, member]),
)

/** JSON pointer to path. See RFC 6901 section 4. */
function fromPointer(pointer: string): OptionPath {
  return pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function explainUnknown(path: OptionPath, schema: TSchema): string {
  const name = path.at(-1) ?? ''
  const near = suggest(name, Object.keys(schema.properties ?? {}))
  const meant =
    near === undefined
      ? MEMBERS.find((member) => path.length === 1 && member[1] === name)
      : [...path.slice(0, -1), near]
  return meant === undefined ? 'no option of that name' : `no option of that name, did you mean ${formatPath(meant)}?`
}

/** The member of a union that an object or a list is meant for. */
function meantVariant(error: ValueError): TSchema | undefined {
  const type = Array.isArray(error.value) ? 'array' : isPlainObject(error.value) ? 'object' : null
  if (error.type !== ValueErrorType.Union || type === null) return undefined
  return error.schema.anyOf?.find((variant: TSchema) => variant.type === type)
}

function collect(schema: TSchema, value: unknown, at: OptionPath, report: Report): OptionPath[] {
  const wrong: OptionPath[] = []
  for (const error of Errors(schema, [], value)) {
    const path = [...at, ...fromPointer(error.path)]
    const variant = meantVariant(error)
    if (variant !== undefined) {
      wrong.push(...collect(variant, error.value, path, report))
      continue
    }
    wrong.push(path)
    const isUnknown = error.type === ValueErrorType.ObjectAdditionalProperties
    // The value of a misspelled option, or a text in place of a group, may be a secret.
    const hidden = isUnknown || error.type === ValueErrorType.Object || error.type === ValueErrorType.Union
    const given = hidden ? kindOf(error.value) : describeGiven(path[0] ?? '', error.value)
    report.add(path, given, isUnknown ? explainUnknown(path, error.schema) : String(error.schema.accepted))
  }
  return wrong
}

/** Whether the members of an option can be taken away one by one. */
function isGroup(option: string): boolean {
  const schema = TOP_LEVEL[option]
  return schema?.type === 'object' && (schema.required ?? []).length === 0
}

/** Without the top-level options, or the members of a group, in which something is wrong. */
function prune(value: Readonly<Record<string, unknown>>, wrong: readonly OptionPath[]): Record<string, unknown> {
  const result = { ...value }
  for (const [option = '', member] of wrong) {
    const group = result[option]
    if (isGroup(option) && isPlainObject(group) && member !== undefined) {
      result[option] = Object.fromEntries(Object.entries(group).filter(([name]) => name !== member))
    } else {
      delete result[option]
    }
  }
  return result
}

/**
 * Reports everything in which options do not fit the schema.
 *
 * @param given merged options, without `undefined` members
 * @returns what is left when the mistaken options are taken away, so that checks across options can go on
 */
export function checkShape(given: Readonly<Record<string, unknown>>, report: Report): Record<string, unknown> {
  return prune(given, collect(optionsSchema, given, [], report))
}
