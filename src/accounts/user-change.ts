/** What a change does to a user, which decides what it takes. */
import type { UserPatch } from '../storage/ports/accounts.ts'
import type { UserChange } from './user-input.ts'

/** Whether it only switches him off. */
export function isDisabling({ status, ...others }: UserChange): boolean {
  return status === 'disabled' && isNothing(others)
}

/** Whether it leaves him nothing that he has not had: it switches him on or off, or takes roles away. */
export function isGivingNothingNew(
  { status: _, roles = [], ...others }: UserChange,
  present: readonly string[],
): boolean {
  return isNothing(others) && roles.every((role) => present.includes(role))
}

/** The same roles in another order change nothing: others' changes, judged by them, still count. */
export function withRolesAsTheyAre(patch: UserPatch, present: readonly string[]): UserPatch {
  const { roles } = patch
  const isSame = roles?.length === present.length && roles.every((role) => present.includes(role))
  return isSame ? { ...patch, roles: present } : patch
}

function isNothing(change: UserChange): boolean {
  return Object.values(change).every((value) => value === undefined)
}
