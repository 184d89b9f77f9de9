/** What the endpoints of organizations take and answer. */
import { Type } from '@sinclair/typebox'
import { t } from 'elysia'
import type { OrganizationView } from '../../accounts/views.ts'
import {
  id,
  moment,
  monthlyQuota,
  nextCursor,
  order,
  page,
  permissions,
  rateLimit,
  SORT,
  shownRateLimit,
  strict,
} from './shared.ts'

export const OrganizationId = id('Id of the organization.', 'org_7Kd0aQmXz3LpVn2R')

const RATE = 'Of each of its keys that has none of its own; null for none.'
const QUOTA = 'Requests of all its keys together in a calendar month (UTC); null for no bound.'
const MOST = 'What its keys may have at most, from now on; null for no bound.'
const LIFETIME = 'How long its keys live at most, a duration of a minute or more; null for no bound.'

const limits = {
  rateLimit: t.Optional(t.Nullable(rateLimit('The rate.'), { description: RATE })),
  monthlyQuota: t.Optional(t.Nullable(monthlyQuota('Requests in a month.'), { description: QUOTA })),
  maxPermissions: t.Optional(t.Nullable(permissions('What they may have.'), { description: MOST })),
  maxKeyLifetime: t.Optional(
    t.Nullable(t.String({ maxLength: 32, description: 'A duration.', examples: ['90d'] }), { description: LIFETIME }),
  ),
}

const Name = t.String({
  minLength: 1,
  maxLength: 255,
  description: 'What people call it; no other organization has the same name.',
  examples: ['Acme'],
})
const Status = t.Union([t.Literal('active'), t.Literal('suspended')], {
  description: 'All keys, users and tokens of a suspended one are refused until it is active again.',
  examples: ['suspended'],
})

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
      id: t.String({ description: 'Id of the organization.' }),
      name: t.String({ description: 'What people call it; unique.' }),
      status: Status,
      rateLimit: shownRateLimit(RATE),
      monthlyQuota: t.Nullable(Type.Integer({ description: QUOTA })),
      maxPermissions: t.Nullable(t.Array(t.String(), { description: 'What its keys may have at most; null for all.' })),
      maxKeyLifetime: t.Nullable(t.String({ description: LIFETIME, examples: ['90d'] })),
      keyCount: Type.Integer({ description: 'Its keys that are not revoked.' }),
      createdAt: moment('When it was made, RFC 3339 in UTC.'),
    },
    {
      description: 'A tenant that keys and users belong to.',
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

export const OrganizationList = t.Object(
  {
    items: t.Unsafe<readonly OrganizationView[]>(
      t.Array(OrganizationModel, { description: 'Organizations, newest first unless asked for otherwise.' }),
    ),
    nextCursor,
  },
  { description: 'A page of organizations.' },
)

export const ListOrganizationsQuery = strict({
  ...page,
  sort: t.Optional(t.Union([t.Literal('createdAt'), t.Literal('name')], { description: SORT })),
  order,
})
