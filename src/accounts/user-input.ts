/** What callers say about users, checked. */
import type { RoleRegistry } from '../authorization/roles.ts'
import { isForeignId } from '../credentials/foreign-id.ts'
import type { FieldErrors } from '../lib/field-errors.ts'
import type { UserPatch } from '../storage/ports/accounts.ts'
import type { UserRecord } from '../storage/records.ts'
import { normalizeEmail } from './email.ts'
import { parsePasswordHash } from './password-hash.ts'
import { newPasswordMistake } from './passwords.ts'

export interface NewUser {
  readonly email: string
  readonly password?: string | undefined
  /** Instead of a password: a hash brought along from elsewhere, argon2id or bcrypt in its standard text form. */
  readonly passwordHash?: string | undefined
  readonly organizationId?: string | null | undefined
  readonly roles?: readonly string[] | undefined
  /** A random one unless given. */
  readonly id?: string | undefined
}

/** Only the members given are changed. */
export interface UserChange {
  readonly email?: string | undefined
  readonly password?: string | undefined
  readonly organizationId?: string | null | undefined
  readonly roles?: readonly string[] | undefined
  readonly status?: UserRecord['status'] | undefined
}

const MAX_ROLES = 64
const USER_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

function resolveEmail(text: string, errors: FieldErrors): string {
  const email = typeof text === 'string' ? normalizeEmail(text) : null
  if (email === null) errors.add('email', 'must be an e-mail address such as alice@example.com')
  return email ?? ''
}

function resolveRoles(given: readonly string[], registry: RoleRegistry, errors: FieldErrors): readonly string[] {
  if (given.length > MAX_ROLES) errors.add('roles', `must have at most ${MAX_ROLES} entries`)
  for (const [index, name] of given.slice(0, MAX_ROLES).entries()) {
    if (!registry.has(name)) errors.add(`roles.${index}`, 'names no role')
  }
  return [...new Set(given)]
}

function checkPassword(password: string, errors: FieldErrors): void {
  const mistake = newPasswordMistake(password)
  if (mistake !== null) errors.add('password', mistake)
}

export function resolveNewUser(
  input: NewUser,
  registry: RoleRegistry,
  errors: FieldErrors,
): Pick<UserRecord, 'email' | 'roles' | 'passwordHash'> {
  const { password, passwordHash, id } = input
  if (password !== undefined) checkPassword(password, errors)
  if (passwordHash !== undefined) {
    if (password !== undefined) errors.add('passwordHash', 'must not be given together with password')
    if (parsePasswordHash(passwordHash) === null) {
      errors.add(
        'passwordHash',
        'must be an argon2id or bcrypt hash in its standard text form, not dearer than 256 MiB',
      )
    }
  }
  if (id !== undefined && (!USER_ID.test(id) || isForeignId(id, 'user'))) {
    errors.add('id', "must be 1 to 128 letters, digits or '._-', and not look like an id of another kind")
  }
  return {
    email: resolveEmail(input.email, errors),
    roles: resolveRoles(input.roles ?? [], registry, errors),
    passwordHash: passwordHash ?? null,
  }
}

/** The password is only checked here: whoever calls hashes it. */
export function resolveUserPatch(change: UserChange, registry: RoleRegistry, errors: FieldErrors): UserPatch {
  const { email, password, organizationId, roles, status } = change
  if (password !== undefined) checkPassword(password, errors)
  if (status !== undefined && status !== 'active' && status !== 'disabled') {
    errors.add('status', "must be 'active' or 'disabled'")
  }
  return {
    ...(email === undefined ? {} : { email: resolveEmail(email, errors) }),
    ...(organizationId === undefined ? {} : { organizationId }),
    ...(roles === undefined ? {} : { roles: resolveRoles(roles, registry, errors) }),
    ...(status === undefined ? {} : { status }),
  }
}
