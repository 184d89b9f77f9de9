import type { RoleRecord } from './records.ts'

/** Whether a role is another one or inherits from it, through whatever many. */
export function inheritsFrom(from: string, to: string, roles: readonly RoleRecord[]): boolean {
  const byName = new Map(roles.map((role) => [role.name, role]))
  const seen = new Set<string>()
  const open = [from]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (name === to) return true
    if (seen.has(name)) continue
    seen.add(name)
    open.push(...(byName.get(name)?.inherits ?? []))
  }
  return false
}
