/**
 * The routes as `@elysiajs/swagger` is given them: what it would misread, in a form that it reads. Schemas are copies:
 * it may rewrite what it is given, and these validate requests.
 */
import type { DocumentedHooks, GivenSchema, RouteSchemas } from './elysia-routes.ts'
import { isObject, type JsonObject, mapValues } from './openapi.ts'
import type { RouteOperation } from './operations.ts'

type Models = Readonly<Record<string, GivenSchema>>

/** What marks a schema of TypeBox. */
const KIND = Symbol.for('TypeBox.Kind')
const BODILESS = new Set(['GET', 'HEAD', 'TRACE'])

/** The parsers whose names say what they take. */
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  json: 'application/json',
  text: 'text/plain',
  urlencoded: 'application/x-www-form-urlencoded',
  arrayBuffer: 'application/octet-stream',
  formdata: 'multipart/form-data',
}

/** @see https://standardschema.dev: newer libraries can say their JSON Schema. */
interface StandardSchema {
  readonly '~standard': { readonly jsonSchema?: { input(options: { target: string }): unknown } }
}

function isStandardSchema(schema: object): schema is StandardSchema {
  return '~standard' in schema
}

function jsonSchemaOf({ '~standard': standard }: StandardSchema): unknown {
  try {
    return standard.jsonSchema?.input({ target: 'draft-2020-12' })
  } catch {
    // It has something that JSON Schema cannot say.
    return {}
  }
}

function copyOf(schema: object): JsonObject {
  const source = isStandardSchema(schema) ? jsonSchemaOf(schema) : schema
  const text = JSON.stringify(source ?? {}, (_, value) => (typeof value === 'bigint' ? value.toString() : value))
  const copy: unknown = JSON.parse(text)
  if (!isObject(copy)) return {}
  const { $schema: _, ...members } = copy
  return members
}

export function copyModels(models: Models): Readonly<Record<string, JsonObject>> {
  return mapValues(models, (model) => (typeof model === 'string' ? {} : copyOf(model)))
}

type CopiedModels = ReturnType<typeof copyModels>

/** A copy, or the name of a model that exists; nothing else is left. */
function readable(schema: GivenSchema | undefined, models: CopiedModels): JsonObject | string | undefined {
  if (typeof schema === 'string') return Object.hasOwn(models, schema) ? schema : undefined
  return schema === undefined ? undefined : copyOf(schema)
}

interface Properties {
  readonly properties: JsonObject
  readonly required: readonly unknown[]
}

/** All properties of some schemas that apply together. */
function joinProperties(schemas: readonly unknown[], models: CopiedModels): Properties {
  const found = schemas.map((given): Properties => {
    const schema = typeof given === 'string' ? models[given] : given
    if (!isObject(schema)) return { properties: {}, required: [] }
    const inner = joinProperties(Array.isArray(schema.allOf) ? schema.allOf : [], models)
    return {
      properties: { ...inner.properties, ...(isObject(schema.properties) ? schema.properties : {}) },
      required: [...inner.required, ...(Array.isArray(schema.required) ? schema.required : [])],
    }
  })
  return {
    properties: Object.assign({}, ...found.map(({ properties }) => properties)),
    required: found.flatMap(({ required }) => required),
  }
}

function parametersOf(schemas: readonly (GivenSchema | undefined)[], models: CopiedModels): Properties | undefined {
  const joined = joinProperties(
    schemas.map((schema) => readable(schema, models)),
    models,
  )
  return Object.keys(joined.properties).length === 0 ? undefined : joined
}

function rename({ properties, required }: Properties, names: ReadonlyMap<string, string>): Properties {
  const entries = Object.entries(properties).map(([name, schema]) => [names.get(name) ?? name, schema])
  return { properties: Object.fromEntries(entries), required }
}

function joinBodies(schemas: readonly (GivenSchema | undefined)[], models: CopiedModels) {
  const bodies = schemas.map((schema) => readable(schema, models)).filter((schema) => schema !== undefined)
  if (bodies.length < 2) return bodies[0]
  return { allOf: bodies.map((body) => (typeof body === 'string' ? { $ref: body } : body)) }
}

function isOneSchema(response: NonNullable<RouteSchemas['response']>): response is GivenSchema {
  return typeof response === 'string' || KIND in response || isStandardSchema(response)
}

/** The first schema that is given for each status. */
function joinResponses(responses: readonly RouteSchemas['response'][], models: CopiedModels) {
  const byStatus: Record<string, JsonObject | string> = {}
  for (const response of responses) {
    if (response === undefined) continue
    const given = isOneSchema(response) ? { 200: response } : response
    for (const [status, schema] of Object.entries(given)) {
      const found = readable(schema, models)
      if (found !== undefined) byStatus[status] ??= found
    }
  }
  return Object.keys(byStatus).length === 0 ? undefined : byStatus
}

function mediaTypesOf(hooks: DocumentedHooks, body: JsonObject | string | undefined, models: CopiedModels) {
  const named = (hooks.parse ?? []).flatMap(({ fn }) => {
    if (typeof fn !== 'string') return []
    const type = Object.hasOwn(MEDIA_TYPES, fn) ? MEDIA_TYPES[fn] : fn
    return type?.includes('/') ? [{ fn: type }] : []
  })
  if (named.length > 0) return named
  const schema = typeof body === 'string' ? models[body] : body
  if (JSON.stringify(schema)?.includes('"format":"binary"')) return [{ fn: 'multipart/form-data' }]
  return [{ fn: schema?.type === 'string' ? 'text/plain' : 'application/json' }]
}

/** What `getGlobalRoutes` answers to `@elysiajs/swagger`, as far as it looks. */
export interface SwaggerRoute {
  readonly method: string
  readonly path: string
  readonly hooks: object
}

export function swaggerRouteOf(operation: RouteOperation, models: CopiedModels): SwaggerRoute {
  const { method, path, hooks, isWebSocket } = operation
  const all: readonly RouteSchemas[] = [hooks, ...(hooks.standaloneValidator ?? [])]
  const given = <Name extends keyof RouteSchemas>(name: Name) => all.map((schemas) => schemas[name])
  // The body and responses of a WebSocket are its messages.
  const body = isWebSocket || BODILESS.has(method) ? undefined : joinBodies(given('body'), models)
  const params = parametersOf(given('params'), models)
  const members = {
    detail: hooks.detail,
    parse: mediaTypesOf(hooks, body, models),
    body,
    params: params === undefined ? undefined : rename(params, operation.parameterNames),
    query: parametersOf(given('query'), models),
    headers: parametersOf(given('headers'), models),
    response: isWebSocket ? undefined : joinResponses(given('response'), models),
  }
  return {
    method,
    path,
    hooks: Object.fromEntries(Object.entries(members).filter(([, member]) => member !== undefined)),
  }
}
