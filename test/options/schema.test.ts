import { expect, test } from 'bun:test'
import type { Static } from '@sinclair/typebox'
import { optionsSchema } from '../../src/options/schema.ts'
import { suggest } from '../../src/options/suggest.ts'
import type { MachineAuthOptions } from '../../src/options/types.ts'

type Equals<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Shape = Static<typeof optionsSchema>
/** Names of a group, with its `false` taken away. */
type Members<O, Name extends keyof O> = keyof Exclude<NonNullable<O[Name]>, false>
type Group = 'users' | 'bearer' | 'docs' | 'apiKeys' | 'jwt' | 'sessions' | 'trustProxy'

test('schema and types name the same options', () => {
  const names: Equals<keyof Shape, keyof MachineAuthOptions> = true
  const members: { [Name in Group]: Equals<Members<Shape, Name>, Members<MachineAuthOptions, Name>> } = {
    users: true,
    bearer: true,
    docs: true,
    apiKeys: true,
    jwt: true,
    sessions: true,
    trustProxy: true,
  }
  type Rule = NonNullable<MachineAuthOptions['protect']>[number]
  const demands: Equals<keyof NonNullable<Shape['protect']>[number]['require'], keyof Rule['require']> = true
  expect([names, demands, ...Object.values(members)]).not.toContain(false)
})

test('what the schema accepts is what the types say', () => {
  // Assignable one way: the schema has mutable lists where the types have readonly ones.
  const accepts = (options: Shape): MachineAuthOptions => options
  expect(accepts({ prefix: '/auth' })).toEqual({ prefix: '/auth' })
})

test('every node says what it accepts', () => {
  const silent: string[] = []
  function visit(schema: unknown, path: string): void {
    if (typeof schema !== 'object' || schema === null) return
    if ('type' in schema || 'check' in schema || 'anyOf' in schema) {
      const isLiteral = 'const' in schema
      if (!isLiteral && !('accepted' in schema)) silent.push(path)
    }
    for (const name of ['properties', 'patternProperties', 'items', 'anyOf', 'additionalProperties']) {
      const below = (schema as Record<string, unknown>)[name]
      if (typeof below !== 'object' || below === null) continue
      if (name === 'items' || name === 'additionalProperties') visit(below, `${path}/${name}`)
      else for (const [key, member] of Object.entries(below)) visit(member, `${path}/${key}`)
    }
  }
  visit(optionsSchema, '')
  expect(silent).toEqual([])
})

test.each<[string, string | undefined]>([
  ['sesions', 'sessions'],
  ['sessoins', 'sessions'],
  ['SESSIONS', 'sessions'],
  ['api-keys', 'apiKeys'],
  ['jtw', 'jwt'],
  ['jw', undefined],
  ['x', undefined],
  ['', undefined],
  ['redis', undefined],
  ['s'.repeat(50_000), undefined],
])('%j suggests %p', (name, expected) => {
  expect(suggest(name, ['sessions', 'apiKeys', 'jwt', 'prefix'])).toBe(expected as string)
})
