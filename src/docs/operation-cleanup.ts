/** Makes what `@elysiajs/swagger` generates valid OpenAPI 3.1. */
import { STATUS_CODES } from 'node:http'
import { isObject, type MediaType, mapValues, type Operation, type Parameter, type ResponseObject } from './openapi.ts'
import { parametersIn, type RouteOperation } from './operations.ts'
import type { SchemaCleaner } from './schemas.ts'

function cleanParameter(parameter: Parameter, cleaner: SchemaCleaner): Parameter {
  const { examples, schema: given, ...rest } = parameter
  // JSON Schema's list of examples, not OpenAPI's map.
  const isList = Array.isArray(examples)
  const cleaned = cleaner.clean(given)
  const schema = isObject(cleaned) ? { ...cleaned, ...(isList ? { examples } : {}) } : cleaned
  if (isObject(schema) && schema.description === rest.description) delete schema.description
  return {
    ...rest,
    ...(parameter.in === 'path' ? { required: true } : {}),
    ...(isList || examples === undefined ? {} : { examples }),
    schema,
  }
}

function cleanContent(content: Readonly<Record<string, MediaType>>, cleaner: SchemaCleaner): Record<string, MediaType> {
  return mapValues(content, (media) =>
    media.schema === undefined ? media : { ...media, schema: cleaner.clean(media.schema) },
  )
}

/** What Elysia answers with, going by the schema. */
function answeredAs({ schema }: MediaType): string {
  if (!isObject(schema) || schema.type !== 'string') return 'application/json'
  return schema.format === 'binary' ? 'application/octet-stream' : 'text/plain'
}

/** Gives the schemas their examples back, which the generator takes out of them. */
function withExamples(content: Readonly<Record<string, MediaType>>, examples: unknown): Record<string, MediaType> {
  return mapValues(content, (media) =>
    isObject(media.schema) && Array.isArray(examples) ? { ...media, schema: { ...media.schema, examples } } : media,
  )
}

/** Only the members a response may have: the generator copies the schema's into it. */
function cleanResponse(response: ResponseObject, status: string, isGenerated: boolean, cleaner: SchemaCleaner) {
  const members = Object.entries(response).filter(
    ([name]) => name === '$ref' || name === 'headers' || name === 'links' || name.startsWith('x-'),
  )
  const cleaned = response.content === undefined ? undefined : cleanContent(response.content, cleaner)
  const content = cleaned !== undefined && isGenerated ? withExamples(cleaned, response.examples) : cleaned
  const first = Object.values(content ?? {})[0]
  // It also lists the request's media types for the answer.
  const answered = isGenerated && first !== undefined ? { [answeredAs(first)]: first } : content
  return {
    description: response.description ?? STATUS_CODES[status] ?? 'Answered.',
    ...Object.fromEntries(members),
    ...(answered === undefined ? {} : { content: answered }),
  } as ResponseObject
}

function responsesOf(operation: Operation, route: RouteOperation, cleaner: SchemaCleaner) {
  if (route.isWebSocket && route.hooks.detail?.responses === undefined) {
    return { 101: { description: 'The WebSocket is open.' } }
  }
  const isGenerated = route.hooks.detail?.responses === undefined
  return mapValues(operation.responses ?? {}, (response, status) =>
    cleanResponse(response, status, isGenerated, cleaner),
  )
}

function takesNull(schema: unknown): boolean {
  if (!isObject(schema)) return false
  return (
    schema.type === 'null' ||
    (Array.isArray(schema.type) && schema.type.includes('null')) ||
    (Array.isArray(schema.anyOf) && schema.anyOf.some(takesNull))
  )
}

function cleanBody(body: NonNullable<Operation['requestBody']>, cleaner: SchemaCleaner) {
  const content = cleanContent(body.content ?? {}, cleaner)
  const isOptional = Object.values(content).some(({ schema }) => takesNull(schema))
  return { ...body, ...(isOptional ? { required: false } : {}), content }
}

/** Makes an operation of the generator valid. */
export function cleanOperation(operation: Operation, route: RouteOperation, cleaner: SchemaCleaner): Operation {
  const { parameters = [], requestBody, hide: _, ...rest } = operation
  const inPath = parametersIn(route.path)
  const kept = parameters.filter(({ in: place, name = '' }) => place !== 'path' || inPath.includes(name))
  return {
    ...rest,
    ...(kept.length === 0 ? {} : { parameters: kept.map((parameter) => cleanParameter(parameter, cleaner)) }),
    ...(requestBody === undefined ? {} : { requestBody: cleanBody(requestBody, cleaner) }),
    responses: responsesOf(operation, route, cleaner),
  }
}
