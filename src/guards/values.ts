/**
 * What may be written behind a guard. JavaScript can pass anything, and a value that switches a guard off, or a
 * misspelt member that nobody looks at, would be a guard that is not there.
 */

function isName(name: unknown): boolean {
  return typeof name === 'string' && name !== ''
}

/** @throws TypeError naming the guard */
export function requireTrue(guard: string, value: unknown): void {
  if (value !== true) throw new TypeError(`${guard}: write ${guard}: true, or leave it out`)
}

/** @throws TypeError naming the guard */
export function requireNames(guard: string, names: unknown, known?: readonly string[]): void {
  if (!Array.isArray(names) || names.length === 0 || !names.every(isName)) {
    throw new TypeError(`${guard}: name at least one; an empty or missing name would guard nothing`)
  }
  const unknown = known === undefined ? [] : names.filter((name) => !known.includes(name))
  if (unknown.length > 0) throw new TypeError(`${guard}: unknown ${unknown.join(', ')}; it takes ${known?.join(', ')}`)
}

/**
 * Demands an object of requirements with these members alone.
 *
 * @throws TypeError naming the guard
 */
export function requireMembers(guard: string, value: unknown, members: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`${guard}: write true or an object of requirements, or leave it out`)
  }
  const unknown = Object.keys(value).filter((member) => !members.includes(member))
  if (unknown.length > 0) throw new TypeError(`${guard}: unknown ${unknown.join(', ')}; it takes ${members.join(', ')}`)
}
