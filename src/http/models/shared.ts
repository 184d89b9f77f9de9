/** What the models of our endpoints share. Unknown members are refused: `additionalProperties: false` alone drops them. */
import { type TObject, type TProperties, Type } from '@sinclair/typebox'
import { t } from 'elysia'

/** An object that may have these members and no others. */
export function strict<T extends TProperties>(
  properties: T,
  options: { readonly description?: string; readonly examples?: readonly object[] } = {},
) {
  // Typed as a plain object: `Never` for further members is a matter of validation only.
  return t.Object(properties, { ...options, additionalProperties: t.Never() }) as TObject<T>
}

export const Timestamp = (description: string) => t.String({ format: 'date-time', description })

export const Id = t.String({ minLength: 1, maxLength: 128, pattern: '^[A-Za-z0-9_.:-]+$' })

export const Environment = t.Union([t.Literal('live'), t.Literal('test')], {
  description: 'A test key is refused by routes for live keys.',
})

export const Permissions = t.Array(t.String({ minLength: 1, maxLength: 128 }), {
  maxItems: 200,
  description: 'Names of declared permissions, or wildcards such as `users.*`.',
  examples: [['users.view']],
})

export const RateLimit = strict(
  {
    limit: Type.Integer({ minimum: 1, maximum: 1_000_000_000 }),
    window: t.String({ maxLength: 32, description: 'A duration.', examples: ['1m'] }),
  },
  { examples: [{ limit: 60, window: '1m' }] },
)

export const page = {
  cursor: t.Optional(t.String()),
  limit: t.Optional(t.Integer({ description: '1 to 100; 50 unless given.' })),
}

export const PageQuery = strict(page)

/** Bytes are checked again before hashing; this only keeps novels out. */
export const Password = t.String({ minLength: 1, maxLength: 1024 })

/** Without bounds where Elysia would name no member in its refusal; the services have them. */
export const order = t.Optional(t.Union([t.Literal('asc'), t.Literal('desc')]))

/** The query of a list that has one order, by a member of its items, in either direction. */
export function orderedPageQuery<By extends string>(by: By) {
  return { ...page, sort: t.Optional(t.Literal(by)), order }
}
