/** `/users`: people, their roles and passwords. */
import { t } from 'elysia'
import type { UserService } from '../accounts/users.ts'
import { takePage } from '../lib/page.ts'
import type { SessionService } from '../sessions/service.ts'
import { createEndpoints, refusing } from './base.ts'
import { withCurrent } from './current-session.ts'
import { IdempotencyHeader, type Idempotent } from './idempotency.ts'
import { SessionList } from './models/sessions.ts'
import { PageQuery } from './models/shared.ts'
import { ChangeUser, CreateUser, ListUsersQuery, UserId, UserList, UserModel } from './models/users.ts'
import type { MountPoint } from './mount-point.ts'

const tags = ['Users']
const params = t.Object({ id: UserId })

interface UserEndpointServices {
  readonly users: UserService
  readonly sessions: SessionService
  readonly idempotent: Idempotent
}

export function createUserEndpoints(
  prefix: string,
  mount: MountPoint,
  { users, sessions, idempotent }: UserEndpointServices,
) {
  return createEndpoints('users', mount)
    .post(`${prefix}/users`, (call) => idempotent(call, () => users.create(call.body, call.actor)), {
      machineAuthManagement: 'machine_auth.users.create',
      headers: IdempotencyHeader,
      body: CreateUser,
      response: { 201: UserModel },
      detail: {
        ...refusing(400, 404, 409, 413, 422),
        tags,
        summary: 'Create a user',
        description: 'Without a password he cannot log in by one. Nobody gives roles that grant more than he has.',
      },
    })
    .get(
      `${prefix}/users`,
      ({ query: { cursor, limit, sort, ...filter }, actor }) =>
        users.list({ ...filter, sort: sort === 'name' ? 'email' : sort }, { cursor, limit }, actor),
      {
        machineAuthManagement: 'machine_auth.users.view',
        query: ListUsersQuery,
        response: { 200: UserList },
        detail: { ...refusing(400, 404, 422), tags, summary: 'List users' },
      },
    )
    .get(`${prefix}/users/:id`, ({ params: { id }, actor }) => users.find(id, actor), {
      machineAuthManagement: 'machine_auth.users.view',
      params,
      response: { 200: UserModel },
      detail: { ...refusing(404), tags, summary: 'Show a user' },
    })
    .patch(`${prefix}/users/:id`, ({ params: { id }, body, actor }) => users.update(id, body, actor), {
      machineAuthManagement: 'machine_auth.users.update',
      params,
      body: ChangeUser,
      response: { 200: UserModel },
      detail: {
        ...refusing(400, 404, 409, 413, 422),
        tags,
        summary: 'Change, disable or enable a user',
        description:
          'Only the members given. Disabling, and a new password, end his sessions and tokens at once; disabling refuses his keys too.',
      },
    })
    .get(
      `${prefix}/users/:id/sessions`,
      async ({ params: { id }, query, actor }) =>
        takePage(withCurrent(await sessions.listFor(id, actor), actor), query),
      {
        machineAuthManagement: 'machine_auth.users.view',
        params,
        query: PageQuery,
        response: { 200: SessionList },
        detail: { ...refusing(400, 404, 422), tags, summary: 'List the sessions of a user' },
      },
    )
    .delete(
      `${prefix}/users/:id/sessions`,
      async ({ params: { id }, actor, set }) => {
        await sessions.endAll(id, actor)
        set.status = 204
      },
      {
        machineAuthManagement: 'machine_auth.users.update',
        params,
        response: { 204: t.Void() },
        detail: { ...refusing(404), tags, summary: 'End all sessions of a user' },
      },
    )
}
