/** Who may touch a resource: its owner, or someone with a role or permission for it. */
import type { Presented } from './presented.ts'
import type { UserPrincipal } from './requirements.ts'

/** How the owner of a `T` is found, and who else may. */
export interface Ownership<T> {
  /** The owner's user id, or several; nothing means that nobody owns it. */
  readonly owner: (resource: NonNullable<T>) => string | null | undefined | readonly string[]
  /** Roles that may without owning. */
  readonly roles?: readonly string[]
  /** A permission that allows it without owning. */
  readonly permission?: string
  /** Answers 404 instead of 403 to those who may not, so that they cannot tell what exists. */
  readonly concealExistence?: boolean
}

/**
 * Demands that a resource exists and that the user may touch it. A permission counts as the credential has it: a key
 * that was given less than its owner cannot use the owner's.
 *
 * @throws MachineAuthError `not_found`, `not_owner`
 */
export function requireOwnership<T>(
  presented: Presented,
  principal: UserPrincipal,
  resource: T | null | undefined,
  ownership: Ownership<T>,
): NonNullable<T> {
  const { user, granted } = principal
  if (resource === null || resource === undefined) throw presented.refuse('not_found')
  const owner = ownership.owner(resource)
  // An owner that is missing on the resource is nobody: an empty id never matches.
  const owners = typeof owner === 'string' ? [owner] : (owner ?? [])
  if (user.id !== '' && owners.includes(user.id)) return resource
  if (ownership.roles?.some((role) => user.roles.includes(role))) return resource
  if (ownership.permission !== undefined && granted.has(ownership.permission)) return resource
  throw ownership.concealExistence === true
    ? presented.refuse('not_found')
    : presented.refuse('not_owner', ownership.roles === undefined ? {} : { required: ownership.roles })
}
