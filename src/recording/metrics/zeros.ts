/** A counter for each name of a closed table, all at zero. */
export function zeros<Name extends string>(names: readonly Name[]): Record<Name, number> {
  // Exactly these names, which `Object.fromEntries` cannot say.
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>
}
