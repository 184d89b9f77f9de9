/** The roles of the options: what each grants, with what it inherits. */
import { canonicalGrant } from '../lib/names.ts'
import type { Report } from './mistakes.ts'
import { createTable } from './plain.ts'
import type { ResolvedOptions } from './resolved.ts'
import type { MachineAuthOptions, RoleDefinition } from './types.ts'

type Given = NonNullable<MachineAuthOptions['roles']>

const DEFAULT_ROLES: Given = { admin: ['*'] }

function definitionOf(given: readonly string[] | RoleDefinition): RoleDefinition {
  return 'permissions' in given ? given : { permissions: given }
}

/** Every role that one inherits from, directly or through others; a cycle or an unknown name adds nothing. */
function ancestorsOf(roles: Given, name: string, seen = new Set<string>()): ReadonlySet<string> {
  const role = Object.hasOwn(roles, name) ? roles[name] : undefined
  for (const parent of role === undefined ? [] : (definitionOf(role).inherits ?? [])) {
    if (seen.has(parent)) continue
    seen.add(parent)
    ancestorsOf(roles, parent, seen)
  }
  return seen
}

function grantsOf(roles: Given, name: string): readonly string[] {
  const role = Object.hasOwn(roles, name) ? roles[name] : undefined
  return role === undefined ? [] : definitionOf(role).permissions.map((grant) => canonicalGrant(grant) ?? grant)
}

/** Each role with all that it grants: what is inherited cannot change while the process runs. */
export function resolveRoles(given: Given = DEFAULT_ROLES): ResolvedOptions['roles'] {
  return createTable(
    Object.keys(given).map((name) => {
      const names = [name, ...ancestorsOf(given, name)]
      return [name, [...new Set(names.flatMap((each) => grantsOf(given, each)))]] as const
    }),
  )
}

/** What the shape of roles cannot say: that they inherit from roles there are, and not from themselves. */
export function checkRoles(given: Given = DEFAULT_ROLES, report: Report): void {
  for (const [name, role] of Object.entries(given)) {
    const { inherits = [] } = definitionOf(role)
    for (const [index, parent] of inherits.entries()) {
      const path = ['roles', name, 'inherits', String(index)]
      if (!Object.hasOwn(given, parent))
        report.add(path, JSON.stringify(parent), 'the name of another role of the options')
      else if (parent === name || ancestorsOf(given, parent).has(name)) {
        report.add(path, JSON.stringify(parent), 'a role that does not inherit from this one')
      }
    }
  }
}
