/** What the endpoints of users take and answer. */
import { t } from 'elysia'
import type { UserView } from '../../accounts/views.ts'
import { Id, order, Password, page, strict } from './shared.ts'

const Email = t.String({ minLength: 3, maxLength: 320, description: 'Unique.', examples: ['alice@example.com'] })
const Roles = t.Array(t.String({ minLength: 1, maxLength: 128 }), {
  maxItems: 64,
  description: 'Names of roles.',
  examples: [['admin']],
})
const Status = t.Union([t.Literal('active'), t.Literal('disabled')])

export const CreateUser = strict(
  {
    email: Email,
    password: t.Optional(Password),
    organizationId: t.Optional(Id),
    roles: t.Optional(Roles),
  },
  { examples: [{ email: 'alice@example.com', password: 'correct horse battery staple', roles: [] }] },
)

export const ChangeUser = strict(
  {
    email: t.Optional(Email),
    password: t.Optional(Password),
    organizationId: t.Optional(t.Nullable(Id, { description: 'Needs platform reach; null for none.' })),
    roles: t.Optional(Roles),
    status: t.Optional(Status),
  },
  { examples: [{ status: 'disabled' }] },
)

export const UserModel = t.Unsafe<UserView>(
  t.Object(
    {
      id: t.String(),
      email: t.String(),
      organizationId: t.Nullable(t.String()),
      roles: t.Array(t.String()),
      status: Status,
      createdAt: t.String(),
    },
    {
      examples: [
        {
          id: 'user_4dTyWz8Qm1nBvK3c',
          email: 'alice@example.com',
          organizationId: 'org_7Kd0aQmXz3LpVn2R',
          roles: ['admin'],
          status: 'active',
          createdAt: '2030-01-01T00:00:00.000Z',
        },
      ],
    },
  ),
)

export const UserList = t.Object({
  items: t.Unsafe<readonly UserView[]>(t.Array(UserModel)),
  nextCursor: t.Nullable(t.String()),
})

export const ListUsersQuery = strict({
  organizationId: t.Optional(Id),
  ...page,
  sort: t.Optional(
    t.Union([t.Literal('createdAt'), t.Literal('email'), t.Literal('name')], {
      description: '`name` is the e-mail: users have no other.',
    }),
  ),
  order,
})
