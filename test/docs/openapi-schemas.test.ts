/** How the schemas that Elysia validates with look in the document. */
import { describe, expect, test } from 'bun:test'
import { Elysia, type TSchema, t } from 'elysia'
import type { JsonObject, MediaType } from '../../src/docs/openapi.ts'
import { SchemaCleaner } from '../../src/docs/schemas.ts'
import { createDocumented, fetchDocument, operationOf, schemaOf } from './openapi-support.ts'

const text = { type: 'string' }

describe('a type', () => {
  test.each<[string, TSchema, unknown]>([
    ['a date', t.Unsafe({ type: 'Date' }), { type: 'string', format: 'date-time' }],
    ['a big integer', t.BigInt(), { type: 'integer', format: 'int64' }],
    ['a file', t.File({ type: 'image/png' }), { type: 'string', format: 'binary' }],
    [
      'a number that may come as text',
      t.Numeric({ minimum: 1, description: 'n' }),
      { type: 'number', minimum: 1, description: 'n' },
    ],
    ['a boolean that may come as text', t.BooleanString(), { type: 'boolean' }],
    ['null', t.Nullable(t.String()), { anyOf: [text, { type: 'null' }] }],
    ['a nullable of another library', t.Unsafe({ type: 'string', nullable: true }), { type: ['string', 'null'] }],
    ['a literal', t.Literal('a'), { type: 'string', const: 'a' }],
    [
      'a tuple',
      t.Tuple([t.String(), t.Number()]),
      { type: 'array', minItems: 2, maxItems: 2, prefixItems: [text, { type: 'number' }], items: false },
    ],
    ['a record', t.Record(t.String(), t.Null()), { type: 'object', patternProperties: { '^(.*)$': { type: 'null' } } }],
    [
      'no further members',
      t.Object({}, { additionalProperties: t.Never() }),
      { type: 'object', properties: {}, additionalProperties: false },
    ],
    [
      'further members of a type',
      t.Object({}, { additionalProperties: t.String() }),
      { type: 'object', properties: {}, additionalProperties: text },
    ],
    ['anything that is shown as an object', t.Any({ 'x-machine-auth-type': 'object' }), { type: 'object' }],
    [
      'anything that is shown as one of several types',
      t.Any({ 'x-machine-auth-type': ['string', 'integer'] }),
      { type: ['string', 'integer'] },
    ],
    [
      'a property called like a keyword',
      t.Object({ $id: t.String(), nullable: t.String() }, { required: [] }),
      { type: 'object', properties: { $id: text, nullable: text }, required: ['$id', 'nullable'] },
    ],
    ['a model', t.Ref('User'), { $ref: '#/components/schemas/User' }],
    ['a model of a name that no component may have', t.Ref('users/User'), { $ref: '#/components/schemas/users_User' }],
    ['something elsewhere', t.Unsafe({ $ref: 'https://example.com/x.json' }), { $ref: 'https://example.com/x.json' }],
  ])('%s', (_, schema, expected) => {
    expect(new SchemaCleaner().clean(JSON.parse(JSON.stringify(schema)))).toEqual(expected as never)
  })

  test('that refers to itself becomes a component', () => {
    const cleaner = new SchemaCleaner()
    const tree = t.Recursive((self) => t.Object({ children: t.Array(self) }), { $id: 'Tree' })
    const reference = { $ref: '#/components/schemas/Tree' }
    expect(cleaner.clean(JSON.parse(JSON.stringify(tree)))).toEqual(reference)
    expect(cleaner.found).toEqual({
      Tree: { type: 'object', required: ['children'], properties: { children: { type: 'array', items: reference } } },
    })
  })

  test('with definitions of its own gives them to the document', () => {
    const cleaner = new SchemaCleaner()
    const module = t.Module({ A: t.Object({ b: t.Ref('B') }), B: t.String() })
    expect(cleaner.clean(JSON.parse(JSON.stringify(module.Import('A'))))).toEqual({ $ref: '#/components/schemas/A' })
    expect(cleaner.found).toMatchObject({ A: { properties: { b: { $ref: '#/components/schemas/B' } } }, B: text })
  })
})

/** A Standard Schema, as Zod and others make it. */
function standard(jsonSchema?: () => JsonObject) {
  const validate = (value: unknown) => ({ value })
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate,
      ...(jsonSchema === undefined ? {} : { jsonSchema: { input: jsonSchema, output: jsonSchema } }),
    },
  } as const
}

async function operationWith(hooks: object, build: (app: Elysia) => Elysia = (app) => app) {
  const app = build(new Elysia().use(createDocumented()) as unknown as Elysia)
  app.post('/x', () => 'ok', hooks)
  return operationOf(await fetchDocument(app), 'post', '/x')
}

function bodyOf(content: Readonly<Record<string, MediaType>> | undefined) {
  return Object.entries(content ?? {}).map(([type, media]) => [type, media.schema])
}

describe('a body', () => {
  test.each<[string, object, unknown]>([
    ['of an object is JSON', { body: t.Object({}) }, [['application/json', { type: 'object', properties: {} }]]],
    ['of text is text', { body: t.String() }, [['text/plain', text]]],
    [
      'with a file is a form',
      { body: t.Object({ file: t.File() }) },
      [
        [
          'multipart/form-data',
          { type: 'object', required: ['file'], properties: { file: { ...text, format: 'binary' } } },
        ],
      ],
    ],
    [
      'is what the parser takes',
      { body: t.Object({}), parse: 'urlencoded' },
      [['application/x-www-form-urlencoded', { type: 'object', properties: {} }]],
    ],
    ['of a model that does not exist is left out', { body: 'Nobody' }, []],
    ['of another library is open', { body: standard() }, [['application/json', {}]]],
    [
      'of another library that says its JSON Schema is that',
      { body: standard(() => ({ $schema: 'x', type: 'object', properties: { a: text } })) },
      [['application/json', { type: 'object', properties: { a: text } }]],
    ],
    [
      'of another library that cannot say its JSON Schema is open',
      {
        body: standard(() => {
          throw new Error('a transform cannot be represented')
        }),
      },
      [['application/json', {}]],
    ],
  ])('%s', async (_, hooks, expected) => {
    const { requestBody } = await operationWith(hooks)
    expect(bodyOf(requestBody?.content)).toEqual(expected as never)
  })

  test('that may be null may be absent', async () => {
    const { requestBody } = await operationWith({ body: t.Nullable(t.Object({})) })
    expect(requestBody?.required).toBe(false)
    expect((await operationWith({ body: t.Object({}) })).requestBody?.required).toBe(true)
  })
})

describe('a response', () => {
  test.each<[string, TSchema, string]>([
    ['an object', t.Object({}), 'application/json'],
    ['text', t.String(), 'text/plain'],
    ['a file', t.File(), 'application/octet-stream'],
  ])('of %s has its media type', async (_, response, type) => {
    const { responses } = await operationWith({ body: t.Object({ file: t.File() }), response })
    expect(Object.keys(responses?.[200]?.content ?? {})).toEqual([type])
  })

  test('has only members that a response may have, and always a description', async () => {
    const response = {
      200: t.Array(t.String(), { minItems: 1 }),
      204: t.Void(),
      400: t.Literal('bad', { description: 'Bad.' }),
    }
    const { responses } = await operationWith({ response })
    const shapes = Object.entries(responses ?? {}).map(([status, each]) => [
      status,
      each.description,
      Object.keys(each),
    ])
    expect(shapes).toEqual([
      ['200', 'OK', ['description', 'content']],
      ['204', 'No Content', ['description']],
      ['400', 'Bad.', ['description', 'content']],
    ])
  })
})

test('schemas that apply together are all there', async () => {
  const operation = await operationWith(
    { body: t.Object({ a: t.String() }), query: t.Object({ q: t.String() }) },
    (app) =>
      app.guard({
        schema: 'standalone',
        body: t.Object({ b: t.String() }),
        query: t.Intersect([t.Object({ page: t.Optional(t.Numeric()) }), t.Object({ size: t.String() })]),
        response: { 418: t.Object({ c: t.String() }) },
      }) as unknown as Elysia,
  )
  expect(operation.parameters?.map(({ name, required }) => [name, required])).toEqual([
    ['q', true],
    ['page', false],
    ['size', true],
  ])
  const [[, body] = []] = bodyOf(operation.requestBody?.content)
  expect(body).toMatchObject({ allOf: [{ properties: { a: text } }, { properties: { b: text } }] })
  expect(schemaOf(operation, 418)).toMatchObject({ properties: { c: text } })
})

test('the schemas that validate stay as they are', async () => {
  const body = t.Object({ user: t.Ref('User'), pair: t.Tuple([t.String()]) })
  const before = JSON.stringify(body)
  const app = new Elysia()
    .use(createDocumented())
    .model({ User: t.Object({ name: t.String() }) })
    .post('/x', () => 'ok', { body })
  await fetchDocument(app)
  expect(JSON.stringify(body)).toBe(before)
  const send = (given: object) =>
    app.handle(
      new Request('http://localhost/x', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(given),
      }),
    )
  expect((await send({ user: { name: 'a' }, pair: ['b'] })).status).toBe(200)
  expect((await send({ user: { name: 1 }, pair: ['b'] })).status).toBe(422)
})
