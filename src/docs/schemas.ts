/**
 * Turns the schemas that Elysia validates with into JSON Schema 2020-12, which OpenAPI 3.1 takes.
 *
 * TypeBox has types that JSON has not (`Date`, `bigint`, files), older tuples, and names of its own in `$id` and
 * `$ref`; Elysia accepts text where a number is asked for, which only confuses a reader. `x-machine-auth-type` is the
 * type, or a list of types, to show of a schema that must not say it to Elysia.
 */
import { isObject, type JsonObject, mapValues } from './openapi.ts'

const PREFIX = '#/components/schemas/'

/** Types that are not of JSON, and how they look on the wire. */
const WIRE_TYPES: Readonly<Record<string, JsonObject>> = {
  Date: { type: 'string', format: 'date-time' },
  File: { type: 'string', format: 'binary' },
  Uint8Array: { type: 'string', format: 'binary' },
  bigint: { type: 'integer', format: 'int64' },
  undefined: { not: {} },
  void: { type: 'null' },
}
const JSON_TYPES = new Set(['null', 'boolean', 'object', 'array', 'number', 'string', 'integer'])

/** Elysia's formats for text that is converted: what it is converted to is the other branch. */
const CONVERTED = new Set(['numeric', 'integer', 'boolean'])
/** Members that mean something to Elysia only. */
const PRIVATE = new Set(['elysiaMeta', 'extension', 'error', 'nullable', 'additionalItems', '$id', '$defs'])

const SCHEMA_MEMBERS = new Set(['items', 'not', 'contains', 'propertyNames', 'if', 'then', 'else'])
const LIST_MEMBERS = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems'])
const MAP_MEMBERS = new Set(['properties', 'patternProperties', 'dependentSchemas'])

/** A component's name may have only these characters. */
function componentName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9._-]/g, '_')
}

/** The name in a `$ref` or `$id` of ours; null for a reference to elsewhere. */
function nameIn(reference: string): string | null {
  if (reference.startsWith(PREFIX)) return componentName(reference.slice(PREFIX.length))
  return /[#:]/.test(reference) ? null : componentName(reference)
}

/** The branch a reader wants to see of a type that is converted from text. */
function withoutConversion(schema: JsonObject): JsonObject {
  const { anyOf, ...rest } = schema
  if (!Array.isArray(anyOf) || anyOf.length !== 2) return schema
  const [only, another] = anyOf.filter((branch) => !(isObject(branch) && CONVERTED.has(String(branch.format))))
  return isObject(only) && another === undefined ? { ...rest, ...only } : schema
}

function withNull(schema: JsonObject): JsonObject {
  return typeof schema.type === 'string' && schema.nullable === true
    ? { ...schema, type: [schema.type, 'null'] }
    : schema
}

function onTheWire(schema: JsonObject): JsonObject {
  const { type, items, ...rest } = schema
  const { 'x-machine-auth-type': shown, ...unmarked } = schema
  if (shown !== undefined) return { ...unmarked, type: shown }
  if (typeof type === 'string' && !JSON_TYPES.has(type)) return { ...rest, ...(WIRE_TYPES[type] ?? {}) }
  if (Array.isArray(items)) {
    // No further items may follow, and a validator of 2020-12 wants that said by `items`.
    return { ...rest, type, prefixItems: items, items: false }
  }
  return schema
}

/** Whether nothing at all fits, as TypeBox says `never`. */
function isNever(schema: unknown): boolean {
  return isObject(schema) && isObject(schema.not) && Object.keys(schema.not).length === 0
}

function isPlaceholder(name: string, value: unknown): boolean {
  return name === 'default' && (value === 'File' || value === 'Files')
}

/** Cleans the schemas of one document, and collects those that others refer to. */
export class SchemaCleaner {
  /** Named schemas that were met inside others. */
  readonly found: Record<string, unknown> = {}

  /** A schema of the document. */
  clean(given: unknown): unknown {
    if (!isObject(given)) return typeof given === 'boolean' ? given : {}
    const { $id, $defs, $ref } = given
    if (isObject($defs)) for (const [name, schema] of Object.entries($defs)) this.#keep(componentName(name), schema)
    if (typeof $ref === 'string') {
      const name = nameIn($ref)
      return name === null ? given : { $ref: `${PREFIX}${name}` }
    }
    const ownName = typeof $id === 'string' && !$id.includes('#') ? nameIn($id) : null
    if (ownName === null) return this.#members(given)
    this.#keep(ownName, given)
    return { $ref: `${PREFIX}${ownName}` }
  }

  /** The schemas of an app's models, under names that a document may have. */
  cleanModels(models: Readonly<Record<string, unknown>>): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(models).map(([name, model]) => {
        if (!isObject(model)) return [componentName(name), this.clean(model)]
        const { $id: _, ...schema } = model
        return [componentName(name), this.clean(schema)]
      }),
    )
  }

  #keep(name: string, schema: unknown): void {
    if (Object.hasOwn(this.found, name) || !isObject(schema)) return
    // Taken before it is cleaned: it may refer to itself.
    this.found[name] = {}
    const { $id: _, ...rest } = schema
    this.found[name] = this.clean(rest)
  }

  #members(given: JsonObject): JsonObject {
    const schema = onTheWire(withNull(withoutConversion(given)))
    const entries = Object.entries(schema).filter(([name, value]) => !PRIVATE.has(name) && !isPlaceholder(name, value))
    return Object.fromEntries(entries.map(([name, value]) => [name, this.#member(name, value)]))
  }

  #member(name: string, value: unknown): unknown {
    if (name === 'additionalProperties') {
      const cleaned = this.clean(value)
      // Swagger UI makes up members for any schema but `false`.
      return isNever(cleaned) ? false : cleaned
    }
    if (SCHEMA_MEMBERS.has(name)) return this.clean(value)
    if (LIST_MEMBERS.has(name) && Array.isArray(value)) return value.map((each) => this.clean(each))
    if (MAP_MEMBERS.has(name) && isObject(value)) return mapValues(value, (each) => this.clean(each))
    return value
  }
}
