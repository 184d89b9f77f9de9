/** What the models of our endpoints share. Unknown members are refused: `additionalProperties: false` alone drops them. */
import { type TObject, type TProperties, Type } from '@sinclair/typebox'
import { t } from 'elysia'

/** What Swagger says of an object. */
interface ObjectNotes {
  readonly description?: string
  readonly examples?: readonly object[]
}

/** An object that may have these members and no others. */
export function strict<T extends TProperties>(properties: T, options: ObjectNotes = {}) {
  // Typed as a plain object: `Never` for further members is a matter of validation only.
  return t.Object(properties, { ...options, additionalProperties: t.Never() }) as TObject<T>
}

/** A moment that somebody gives. */
export const timestamp = (description: string) =>
  t.String({ format: 'date-time', description, examples: ['2030-01-31T00:00:00Z'] })

/** A moment in an answer. */
export const moment = (description: string) => t.String({ description, examples: ['2030-01-01T00:00:00.000Z'] })

export const id = (description: string, example: string) =>
  t.String({ minLength: 1, maxLength: 128, pattern: '^[A-Za-z0-9_.:-]+$', description, examples: [example] })

export const organizationId = (description: string) => id(description, 'org_7Kd0aQmXz3LpVn2R')
export const userId = (description: string) => id(description, 'user_4dTyWz8Qm1nBvK3c')

export const environment = (description: string) =>
  t.Union([t.Literal('live'), t.Literal('test')], { description, examples: ['live'] })

/** Names of permissions; `description` says what for. */
export const permissions = (description: string) =>
  t.Array(t.String({ minLength: 1, maxLength: 128 }), {
    maxItems: 200,
    description: `${description} Names of declared permissions, or wildcards such as \`users.*\`.`,
    examples: [['users.view']],
  })

export const rateLimit = (description: string) =>
  strict(
    {
      limit: Type.Integer({
        minimum: 1,
        maximum: 1_000_000_000,
        description: 'How many requests are let through in each window.',
        examples: [60],
      }),
      window: t.String({
        maxLength: 32,
        description: 'How long a window is: a duration of at most 31 days.',
        examples: ['1m'],
      }),
    },
    { description, examples: [{ limit: 60, window: '1m' }] },
  )

/** A rate in an answer; null for none. */
export const shownRateLimit = (description: string) =>
  t.Nullable(
    t.Object({
      limit: Type.Integer({ description: 'Requests in each window.', examples: [60] }),
      window: t.String({ description: 'A duration.', examples: ['1m'] }),
    }),
    { description },
  )

export const monthlyQuota = (description: string) =>
  Type.Integer({ minimum: 1, maximum: 1_000_000_000, description, examples: [100_000] })

export const reason = (description: string, example: string) =>
  t.Optional(t.String({ maxLength: 500, description, examples: [example] }))

export const page = {
  cursor: t.Optional(t.String({ description: 'The `nextCursor` of the page before; the first page unless given.' })),
  limit: t.Optional(
    t.Integer({ description: 'How many items a page has, 1 to 100; 50 unless given.', examples: [20] }),
  ),
}

export const PageQuery = strict(page)

/** What every list answers beside its items. */
export const nextCursor = t.Nullable(
  t.String({ description: 'Give it as `cursor` for the next page; null on the last one.' }),
)

/** Bytes are checked again before hashing; this only keeps novels out. */
export const password = (description: string) =>
  t.String({ minLength: 1, maxLength: 1024, description, examples: ['correct horse battery staple'] })

/** Without bounds where Elysia would name no member in its refusal; the services have them. */
const orderOf = (usual: 'asc' | 'desc') =>
  t.Optional(
    t.Union([t.Literal('asc'), t.Literal('desc')], {
      description: `\`asc\` is ascending, \`desc\` descending; \`${usual}\` unless given.`,
    }),
  )

export const order = orderOf('desc')
export const SORT = 'The member to sort by; `createdAt` unless given.'

/** The query of a list that has one order, by a member of its items, in either direction. */
export function orderedPageQuery<By extends string>(by: By, usual: 'asc' | 'desc' = 'desc') {
  return {
    ...page,
    sort: t.Optional(t.Literal(by, { description: 'The member to sort by: there is this one only.' })),
    order: orderOf(usual),
  }
}
