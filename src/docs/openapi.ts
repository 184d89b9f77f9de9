/** The members of an OpenAPI 3.1 document that this folder reads or writes. */

export type JsonObject = Record<string, unknown>

/** One alternative: all of its schemes together. The empty one is an anonymous request. */
export type SecurityRequirement = Readonly<Record<string, readonly string[]>>

export interface MediaType {
  schema?: unknown
  [extension: string]: unknown
}

export interface ResponseObject {
  /** To one that several operations share; then it has no other member. */
  $ref?: string
  description?: string
  headers?: Record<string, JsonObject>
  content?: Record<string, MediaType>
  links?: JsonObject
  /** Those of its schema, where the generator put them. */
  examples?: unknown
  [extension: `x-${string}`]: unknown
}

export interface Parameter {
  name?: string
  in?: string
  required?: boolean
  description?: string
  schema?: unknown
  examples?: unknown
  [extension: string]: unknown
}

export interface Operation {
  operationId?: string
  description?: string
  parameters?: Parameter[]
  requestBody?: { content?: Record<string, MediaType>; [extension: string]: unknown }
  responses?: Record<string, ResponseObject>
  security?: readonly SecurityRequirement[]
  [extension: string]: unknown
}

export interface OpenApiDocument {
  openapi: string
  info: { title: string; version: string; description?: string }
  paths: Record<string, Record<string, Operation>>
  components: {
    schemas: Record<string, unknown>
    responses?: Record<string, ResponseObject>
    securitySchemes: Record<string, JsonObject>
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** As `Object.fromEntries(Object.entries(…).map(…))`, which keeps a member called `__proto__` a member. */
export function mapValues<T, U>(given: Readonly<Record<string, T>>, change: (value: T, name: string) => U) {
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, change(value, name)])) as Record<
    string,
    U
  >
}
