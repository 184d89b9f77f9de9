/** What the document says of each member of our own endpoints: Swagger is worth reading. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { STATUS_CODES } from 'node:http'
import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { isObject, type JsonObject, type OpenApiDocument } from '../../src/docs/openapi.ts'
import * as audit from '../../src/http/models/audit.ts'
import * as blocks from '../../src/http/models/blocks.ts'
import * as keyViews from '../../src/http/models/key-views.ts'
import * as keys from '../../src/http/models/keys.ts'
import * as me from '../../src/http/models/me.ts'
import * as organizations from '../../src/http/models/organizations.ts'
import * as roles from '../../src/http/models/roles.ts'
import * as sessions from '../../src/http/models/sessions.ts'
import * as stats from '../../src/http/models/stats.ts'
import * as tokens from '../../src/http/models/tokens.ts'
import * as usage from '../../src/http/models/usage.ts'
import * as users from '../../src/http/models/users.ts'
import { createTestApp, type TestApp } from '../support/test-app.ts'

/** A schema in the document, and where it stands: `post /auth/keys body.credits.refill`. */
interface Place {
  readonly at: string
  readonly schema: JsonObject
  /** Of the parameter or answer that it is the schema of: the document has it there. */
  readonly description?: unknown
}

let served: TestApp
let document: OpenApiDocument
let bodies: readonly Place[]
let parameters: readonly Place[]
let answers: readonly Place[]

beforeAll(async () => {
  served = await createTestApp({ docs: { path: '/swagger' } })
  document = (await served.ask('/swagger/json')).json as unknown as OpenApiDocument
  const operations = Object.entries(document.paths)
    .filter(([path]) => path.startsWith('/auth/') || path.startsWith('/.well-known/'))
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ at: `${method} ${path}`, operation })),
    )
  bodies = operations.flatMap(({ at, operation }) =>
    Object.values(operation.requestBody?.content ?? {}).map(({ schema }) => placeOf(`${at} body`, schema)),
  )
  parameters = operations.flatMap(({ at, operation }) =>
    (operation.parameters ?? []).map(({ in: where, name, schema, description }) => ({
      ...placeOf(`${at} ${where} ${name}`, schema),
      description,
    })),
  )
  answers = operations.flatMap(({ at, operation }) =>
    Object.entries(operation.responses ?? {}).flatMap(([status, { content, description }]) =>
      status.startsWith('2')
        ? Object.values(content ?? {}).map(({ schema }) => ({
            ...placeOf(`${at} ${status}`, schema),
            // Its model's, unless that has none.
            description: description === STATUS_CODES[status] ? undefined : description,
          }))
        : [],
    ),
  )
})

afterAll(() => served.close())

/** A schema, or the component that it refers to. */
function placeOf(at: string, given: unknown): Place {
  const schema = isObject(given) ? given : {}
  const name = typeof schema.$ref === 'string' ? schema.$ref.split('/').at(-1) : undefined
  const component = name === undefined ? schema : document.components.schemas[name]
  return { at, schema: isObject(component) ? component : {} }
}

/** The members of an object, and of those within it: in lists and alternatives too. */
function membersWithin({ at, schema }: Place): readonly Place[] {
  const { properties, items, anyOf } = schema
  const members = Object.entries(isObject(properties) ? properties : {}).map(([name, each]) =>
    placeOf(`${at}.${name}`, each),
  )
  const parts = [
    ...(Array.isArray(anyOf) ? anyOf.map((each) => placeOf(at, each)) : []),
    ...(isObject(items) ? [placeOf(`${at}[]`, items)] : []),
  ]
  return [...members.flatMap((member) => [member, ...membersWithin(member)]), ...parts.flatMap(membersWithin)]
}

/** The schema itself, and what an alternative to null is. */
function alternatives({ schema }: Place): readonly JsonObject[] {
  return [schema, ...(Array.isArray(schema.anyOf) ? schema.anyOf.filter(isObject) : [])]
}

const isText = (value: unknown) => typeof value === 'string' && value.trim() !== ''
const isDescribed = (place: Place) =>
  isText(place.description) || alternatives(place).some(({ description }) => isText(description))
const hasExample = (place: Place) =>
  alternatives(place).some(({ examples }) => Array.isArray(examples) && examples.length > 0)
const placesOf = (places: readonly Place[]) => places.map(({ at }) => at)

const MODELS: readonly (readonly [at: string, schema: TSchema])[] = Object.entries({
  ...{ audit, blocks, keyViews, keys, me, organizations, roles, sessions, stats, tokens, usage, users },
}).flatMap(([room, models]) =>
  Object.entries(models).flatMap(([name, model]) =>
    typeof model === 'object' ? [[`${room}.${name}`, model as TSchema] as const] : [],
  ),
)

/** Each schema of a model, itself and those within it. */
function schemasWithin(at: string, schema: TSchema): readonly (readonly [at: string, schema: TSchema])[] {
  const { properties, items, anyOf } = schema
  const parts: readonly (readonly [string, TSchema])[] = [
    ...Object.entries<TSchema>(properties ?? {}).map(([name, each]) => [`${at}.${name}`, each] as const),
    ...(items === undefined ? [] : [[`${at}[]`, items] as const]),
    ...((anyOf ?? []) as readonly TSchema[]).map((each) => [at, each] as const),
  ]
  return [[at, schema], ...parts.flatMap((part) => schemasWithin(...part))]
}

describe('an example', () => {
  test.each(MODELS)('in %s is what its schema takes', (at, model) => {
    const wrong = schemasWithin(at, model).flatMap(([place, schema]) =>
      ((schema.examples ?? []) as readonly unknown[])
        .filter((example) => !Value.Check(schema, example))
        .map((example) => `${place}: ${JSON.stringify(example)}`),
    )
    expect(wrong).toEqual([])
  })

  test('of a whole answer is in its schema, where Swagger UI looks for it', () => {
    const ofKey = answers.find(({ at }) => at === 'patch /auth/keys/{id} 200')
    expect(ofKey?.schema.examples).toEqual(keyViews.KeyView.examples)
    expect(ofKey?.schema.examples).toHaveLength(1)
  })

  test('is there for every member of every body, of its own', () => {
    const members = bodies.flatMap(membersWithin).filter((each) => !isObject(each.schema.properties))
    expect(placesOf(members.filter((each) => !hasExample(each)))).toEqual([])
  })
})

describe('there is a description of', () => {
  test('every member of every body', () => {
    const members = bodies.flatMap(membersWithin)
    expect(members.length).toBeGreaterThan(60)
    expect(placesOf(members.filter((each) => !isDescribed(each)))).toEqual([])
  })

  test('every query and path parameter, and every header', () => {
    expect(parameters.length).toBeGreaterThan(40)
    expect(placesOf(parameters.filter((each) => !isDescribed(each)))).toEqual([])
  })

  test('every answer, or an example of it, and every member of it', () => {
    expect(answers.length).toBeGreaterThan(30)
    const silent = answers.filter((each) => !isDescribed(each) && !hasExample(each))
    const members = answers.flatMap(membersWithin).filter((each) => !isDescribed(each))
    expect(placesOf([...silent, ...members])).toEqual([])
  })
})
