/** What the endpoints of organizations take and answer. */
import { Type } from '@sinclair/typebox'
import { t } from 'elysia'
import type { OrganizationView } from '../../accounts/views.ts'
import { order, Permissions, page, RateLimit, strict } from './shared.ts'

const limits = {
  rateLimit: t.Optional(
    t.Nullable(RateLimit, { description: 'Of each of its keys that has none of its own; null for none.' }),
  ),
  monthlyQuota: t.Optional(
    t.Nullable(Type.Integer({ minimum: 1, maximum: 1_000_000_000 }), {
      description: 'Requests of all its keys together in a calendar month (UTC); null for no bound.',
    }),
  ),
  maxPermissions: t.Optional(
    t.Nullable(Permissions, { description: 'What its keys may have at most, from now on; null for no bound.' }),
  ),
  maxKeyLifetime: t.Optional(
    t.Nullable(t.String({ maxLength: 32, examples: ['90d'] }), {
      description: 'How long its keys live at most, a duration; null for no bound.',
    }),
  ),
}

const Name = t.String({ minLength: 1, maxLength: 255, description: 'Unique.', examples: ['Acme'] })
const Status = t.Union([t.Literal('active'), t.Literal('suspended')])

export const CreateOrganization = strict(
  { name: Name, ...limits },
  { examples: [{ name: 'Acme', maxKeyLifetime: '90d' }] },
)

export const ChangeOrganization = strict(
  { name: t.Optional(Name), status: t.Optional(Status), ...limits },
  { examples: [{ status: 'suspended' }] },
)

export const OrganizationModel = t.Unsafe<OrganizationView>(
  t.Object(
    {
      id: t.String(),
      name: t.String(),
      status: Status,
      rateLimit: t.Nullable(t.Object({ limit: t.Integer(), window: t.String() })),
      monthlyQuota: t.Nullable(t.Integer()),
      maxPermissions: t.Nullable(t.Array(t.String())),
      maxKeyLifetime: t.Nullable(t.String({ examples: ['90d'] })),
      keyCount: t.Integer({ description: 'Its keys that are not revoked.' }),
      createdAt: t.String(),
    },
    {
      examples: [
        {
          id: 'org_7Kd0aQmXz3LpVn2R',
          name: 'Acme',
          status: 'active',
          rateLimit: null,
          monthlyQuota: 100_000,
          maxPermissions: ['users.*'],
          maxKeyLifetime: '90d',
          keyCount: 3,
          createdAt: '2030-01-01T00:00:00.000Z',
        },
      ],
    },
  ),
)

export const OrganizationList = t.Object({
  items: t.Unsafe<readonly OrganizationView[]>(t.Array(OrganizationModel)),
  nextCursor: t.Nullable(t.String()),
})

export const ListOrganizationsQuery = strict({
  ...page,
  sort: t.Optional(t.Union([t.Literal('createdAt'), t.Literal('name')])),
  order,
})
