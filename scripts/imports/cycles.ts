/** The shortest way from `start` back to itself, or null. */
function findCycleThrough(graph: ReadonlyMap<string, ReadonlySet<string>>, start: string): string[] | null {
  const cameFrom = new Map<string, string>()
  let frontier = [start]
  while (frontier.length > 0) {
    const next: string[] = []
    for (const node of frontier) {
      for (const target of graph.get(node) ?? []) {
        if (target === start) {
          const path = [start]
          for (let at: string | undefined = node; at !== undefined && at !== start; at = cameFrom.get(at)) path.push(at)
          return [...path, start].reverse()
        }
        if (!cameFrom.has(target)) {
          cameFrom.set(target, node)
          next.push(target)
        }
      }
    }
    frontier = next
  }
  return null
}

/**
 * For each node that is on a cycle and on none found so far, a shortest cycle through it; empty when there is none.
 *
 * @returns each as a path whose last node is its first
 */
export function findCycles(graph: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const cycles: string[][] = []
  const seen = new Set<string>()
  for (const node of graph.keys()) {
    if (seen.has(node)) continue
    const cycle = findCycleThrough(graph, node)
    if (cycle === null) continue
    for (const member of cycle) seen.add(member)
    cycles.push(cycle)
  }
  return cycles
}
