/** Permission names that someone gives to a key, token, client or role. */
import type { FieldErrors } from '../lib/field-errors.ts'
import { canonicalGrant } from '../lib/names.ts'
import type { PermissionRegistry } from './registry.ts'

const MAX_GRANTS = 200

/**
 * Brings names and wildcards into their stored form, each once, in the order given; mistakes go to `errors`.
 *
 * Does not check that anybody may grant them: see `requireGrantable`.
 */
export function resolveGrants(
  registry: PermissionRegistry,
  given: readonly string[],
  errors: FieldErrors,
  path = 'permissions',
): readonly string[] {
  if (given.length > MAX_GRANTS) {
    errors.add(path, `must have at most ${MAX_GRANTS} entries`)
    return []
  }
  const names = new Set<string>()
  for (const [index, text] of given.entries()) {
    const name = typeof text === 'string' ? canonicalGrant(text) : null
    if (name === null) errors.add(`${path}.${index}`, "must be a permission such as 'users.view', 'users.*' or '*'")
    // A name of the right grammar holds nothing but lower-case letters, digits, '.', '_' and '-'.
    else if (!registry.has(name)) errors.add(`${path}.${index}`, `names no declared permission: ${name}`)
    else names.add(name)
  }
  return [...names]
}
