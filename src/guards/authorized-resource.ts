/** Routes that act on something somebody owns. */
import { Elysia } from 'elysia'
import type { User } from '../authentication/principal.ts'
import { createAsyncGate, type ResourceContext } from './gate.ts'
import { registerGuardName } from './names.ts'
import { type Ownership, requireOwnership } from './ownership.ts'
import type { Presented } from './presented.ts'
import { requireUserPrincipal } from './requirements.ts'
import { requireNames, requireTrue } from './values.ts'

/** What `load` is told: the route's parameters, the request and the user who asks. */
export interface LoadContext extends ResourceContext {
  readonly user: User
}

export interface AuthorizedResourceOptions<T> extends Ownership<T> {
  /** The resource, or null when there is none: then the answer is 404. */
  readonly load: (context: LoadContext) => T | null | undefined | Promise<T | null | undefined>
}

let instances = 0

/**
 * Makes the guard `authorized<Name>: true`: the resource exists and the user owns it or has one of `roles`.
 *
 * Refuses before the body is read: 401 without a user, then 404 when `load` finds nothing, then 403 `not_owner`.
 *
 * @param name of the resource; the handler sees it under this name, with the type that `load` answers
 * @param options `load`, `owner`, and who may besides the owner
 * @throws TypeError when the name cannot be a member of the context, or an option is missing or empty
 * @example
 * const posts = authorizedResource('post', {
 *   load: ({ params }) => db.findPost(params.id),
 *   owner: (post) => post.authorId,
 *   roles: ['admin'],
 * })
 * new Elysia().use(machineAuth()).use(posts)
 *   .put('/posts/:id', ({ post, currentUser }) => update(post, currentUser), { authorizedPost: true })
 */
export function authorizedResource<const Name extends string, T>(name: Name, options: AuthorizedResourceOptions<T>) {
  if (!/^[a-z][A-Za-z0-9]*$/.test(name)) {
    throw new TypeError(`authorizedResource('${name}', …): the name must be camelCase letters and digits, like 'post'`)
  }
  const { load, owner, roles, permission } = options
  if (typeof load !== 'function' || typeof owner !== 'function') {
    throw new TypeError(`authorizedResource('${name}', …): give load and owner as functions`)
  }
  if (roles !== undefined) requireNames(`authorizedResource('${name}').roles`, roles)
  if (permission !== undefined) requireNames(`authorizedResource('${name}').permission`, [permission])
  const guard = `authorized${name.charAt(0).toUpperCase()}${name.slice(1)}` as `authorized${Capitalize<Name>}`
  registerGuardName(guard)
  instances += 1
  const seed = instances

  async function decide(presented: Presented, context: ResourceContext) {
    const principal = requireUserPrincipal(presented)
    const { user } = principal
    const loaded = await load({ ...context, user })
    const resource = requireOwnership(presented, principal, loaded, options)
    return { [name]: resource, currentUser: user } as { [K in Name]: NonNullable<T> } & { currentUser: User }
  }

  const mark = { name: guard, value: { roles, permission } }
  return new Elysia({ name: `machine-auth/${guard}`, seed }).macro(guard, (value: true) => {
    requireTrue(guard, value)
    return createAsyncGate(mark, decide)
  })
}
