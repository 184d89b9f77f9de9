/** Makes what `@elysiajs/swagger` generates valid OpenAPI 3.1. */
import { STATUS_CODES } from 'node:http'
import { isObject, type MediaType, mapValues, type Operation, type Parameter, type ResponseObject } from './openapi.ts'
import type { RouteOperation } from './operations.ts'
import type { SchemaCleaner } from './schemas.ts'

/** The names in a path's template. */
function namesIn(path: string): ReadonlySet<string> {
  return new Set([...path.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name))
}

function cleanParameter(parameter: Parameter, cleaner: SchemaCleaner): Parameter {
  const { examples, schema, ...rest } = parameter
  const cleaned = cleaner.clean(schema)
  // JSON Schema's list of examples, not OpenAPI's map.
  const isList = Array.isArray(examples)
  return {
    ...rest,
    ...(parameter.in === 'path' ? { required: true } : {}),
    ...(isList || examples === undefined ? {} : { examples }),
    schema: isList && isObject(cleaned) ? { ...cleaned, examples } : cleaned,
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

/** Only the members a response may have: the generator copies the schema's into it. */
function cleanResponse(response: ResponseObject, status: string, isGenerated: boolean, cleaner: SchemaCleaner) {
  const members = Object.entries(response).filter(
    ([name]) => name === '$ref' || name === 'headers' || name === 'links' || name.startsWith('x-'),
  )
  const content = response.content === undefined ? undefined : cleanContent(response.content, cleaner)
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

/** Makes an operation of the generator valid. */
export function cleanOperation(operation: Operation, route: RouteOperation, cleaner: SchemaCleaner): Operation {
  const { parameters = [], requestBody, hide: _, ...rest } = operation
  const inPath = namesIn(route.path)
  const kept = parameters.filter(({ in: place, name = '' }) => place !== 'path' || inPath.has(name))
  return {
    ...rest,
    ...(kept.length === 0 ? {} : { parameters: kept.map((parameter) => cleanParameter(parameter, cleaner)) }),
    ...(requestBody === undefined
      ? {}
      : { requestBody: { ...requestBody, content: cleanContent(requestBody.content ?? {}, cleaner) } }),
    responses: responsesOf(operation, route, cleaner),
  }
}
