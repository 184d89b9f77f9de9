/** What the endpoints of users take and answer. */
import { t } from 'elysia'
import type { UserView } from '../../accounts/views.ts'
import { moment, nextCursor, order, organizationId, page, password, strict, userId } from './shared.ts'

export const UserId = userId('Id of the user.')

const Email = t.String({
  minLength: 3,
  maxLength: 320,
  description: 'What he logs in with; no other user has the same.',
  examples: ['alice@example.com'],
})
const roles = (description: string) =>
  t.Array(t.String({ minLength: 1, maxLength: 128 }), { maxItems: 64, description, examples: [['admin']] })
const Status = t.Union([t.Literal('active'), t.Literal('disabled')], {
  description: 'A disabled user is refused everything until he is active again: login, sessions, tokens and keys.',
  examples: ['disabled'],
})

export const CreateUser = strict(
  {
    email: Email,
    password: t.Optional(
      password('8 characters to 1024 bytes, taken exactly as given. Without it he cannot log in by one.'),
    ),
    organizationId: t.Optional(organizationId('Organization he belongs to; unless given your own, else none.')),
    roles: t.Optional(roles('Names of roles; none unless given.')),
  },
  { examples: [{ email: 'alice@example.com', password: 'correct horse battery staple', roles: [] }] },
)

export const ChangeUser = strict(
  {
    email: t.Optional(Email),
    password: t.Optional(
      password('A new one: 8 characters to 1024 bytes, taken exactly as given. Ends his sessions and tokens.'),
    ),
    organizationId: t.Optional(
      t.Nullable(organizationId('Id of an organization.'), {
        description: 'Organization to move him to, which needs platform reach; null for none.',
      }),
    ),
    roles: t.Optional(roles('Names of roles, instead of those he has.')),
    status: t.Optional(Status),
  },
  { examples: [{ status: 'disabled' }] },
)

export const UserModel = t.Unsafe<UserView>(
  t.Object(
    {
      id: t.String({ description: 'Id of the user.' }),
      email: t.String({ description: 'What he logs in with; unique.' }),
      organizationId: t.Nullable(t.String({ description: 'Organization he belongs to; null for none.' })),
      roles: t.Array(t.String(), { description: 'Names of his roles.' }),
      status: Status,
      createdAt: moment('When he was added, RFC 3339 in UTC.'),
    },
    {
      description: 'A user, without his password.',
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

export const UserList = t.Object(
  {
    items: t.Unsafe<readonly UserView[]>(
      t.Array(UserModel, { description: 'Users, newest first unless asked for otherwise.' }),
    ),
    nextCursor,
  },
  { description: 'A page of users.' },
)

export const ListUsersQuery = strict({
  organizationId: t.Optional(organizationId('Only users of this organization.')),
  ...page,
  sort: t.Optional(
    t.Union([t.Literal('createdAt'), t.Literal('email'), t.Literal('name')], {
      description: 'The member to sort by; `createdAt` unless given. `name` is the e-mail: users have no other.',
    }),
  ),
  order,
})
