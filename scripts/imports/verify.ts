import { dirname, extname, join } from 'node:path/posix'
import { findCycles } from './cycles.ts'
import { ADAPTERS, BARREL, EXCEPTIONS, LEVELS, PACKAGES, SELF } from './rules.ts'
import { type ImportReference, scanImports } from './scan.ts'

export type ViolationKind =
  | 'cycle'
  | 'upward'
  | 'sideways'
  | 'barrel'
  | 'adapter'
  | 'package'
  | 'unresolved'
  | 'unknown-room'

export interface Violation {
  readonly kind: ViolationKind
  /** Path below `src/`. */
  readonly file: string
  /** 0 when it concerns more than one line. */
  readonly line: number
  readonly message: string
}

/** The first folder of a path below `src/`, or the file's own name. */
function roomOf(path: string): string {
  return path.split('/')[0] ?? path
}

function levelOf(room: string): number {
  return LEVELS.findIndex((rooms) => rooms.includes(room))
}

/** `storage/drizzle` covers `storage/drizzle.ts` and everything in the folder, not `storage/drizzled.ts`. */
function covers(prefix: string, path: string): boolean {
  return path === prefix || path === `${prefix}.ts` || path.startsWith(`${prefix}/`)
}

function coversPackage(name: string, specifier: string): boolean {
  return name.endsWith('/') ? specifier.startsWith(name) : specifier === name || specifier.startsWith(`${name}/`)
}

function judgePackage(file: string, specifier: string): [ViolationKind, string] | null {
  if (coversPackage(SELF, specifier)) return ['barrel', `imports the package by its own name, "${specifier}"`]
  const rule = PACKAGES.find(({ names }) => names.some((name) => coversPackage(name, specifier)))
  if (rule === undefined || rule.knownBy.some((place) => covers(place, file))) return null
  return ['package', `imports "${specifier}", which only ${rule.knownBy.join(', ')} may know`]
}

function judgeOrder(file: string, target: string, typeOnly: boolean): [ViolationKind, string] | null {
  const [from, to] = [roomOf(file), roomOf(target)]
  if (from === to) return null
  const [fromLevel, toLevel] = [levelOf(from), levelOf(to)]
  if (fromLevel === -1) return null // reported once for the file
  if (toLevel === -1) return ['unknown-room', `imports ${target}, whose room is not in scripts/imports/rules.ts`]
  if (fromLevel < toLevel) return null
  const exception = EXCEPTIONS.find((rule) => covers(rule.from, file) && covers(rule.to, target))
  if (exception !== undefined) {
    return exception.typesOnly === true && !typeOnly
      ? ['upward', `imports ${target} for more than its types: write "import type"`]
      : null
  }
  return fromLevel === toLevel
    ? ['sideways', `imports ${target} of a room beside it: move what both need one level down`]
    : ['upward', `imports ${target}, but ${to} is above ${from}`]
}

function judgeFile(file: string, target: string, typeOnly: boolean): [ViolationKind, string] | null {
  if (target === BARREL) return ['barrel', 'imports the public barrel: import the file that defines it']
  const adapter = ADAPTERS.find(({ path }) => covers(path, target))
  if (adapter !== undefined && !adapter.metBy.some((place) => covers(place, file))) {
    return ['adapter', `imports ${target}, which only ${adapter.metBy.join(', ')} may meet`]
  }
  return judgeOrder(file, target, typeOnly)
}

/** The path below `src/` that a relative import means; null for a package. */
function resolveTarget(file: string, { specifier }: ImportReference): string | null {
  return specifier.startsWith('.') ? join(dirname(file), specifier) : null
}

/** What is not source: `version.json`, `0001.sql`; and the package's own description. */
function isAsset(target: string): boolean {
  if (target.startsWith('../')) return target === '../package.json'
  return !['', '.ts', '.tsx'].includes(extname(target))
}

/**
 * Checks the direction of every import of a source tree.
 *
 * @param files source text by path below `src/`, such as `keys/hash.ts`
 * @returns what breaks the rules, in the order of the files; empty when all is well
 */
export function verifyImports(files: ReadonlyMap<string, string>): Violation[] {
  const violations: Violation[] = []
  const graph = new Map<string, Set<string>>()
  for (const [file, source] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const edges = new Set<string>()
    graph.set(file, edges)
    if (levelOf(roomOf(file)) === -1) {
      const message = `is in no room of scripts/imports/rules.ts: add "${roomOf(file)}" to its level`
      violations.push({ kind: 'unknown-room', file, line: 0, message })
    }
    for (const reference of scanImports(source)) {
      const report = (verdict: [ViolationKind, string] | null): void => {
        if (verdict !== null) violations.push({ kind: verdict[0], file, line: reference.line, message: verdict[1] })
      }
      const target = resolveTarget(file, reference)
      if (target === null) {
        report(judgePackage(file, reference.specifier))
      } else if (files.has(target)) {
        edges.add(target)
        report(judgeFile(file, target, reference.typeOnly))
      } else if (!isAsset(target)) {
        report(['unresolved', `imports "${reference.specifier}", which is no file of src/ (write the extension)`])
      }
    }
  }
  for (const cycle of findCycles(graph)) {
    violations.push({ kind: 'cycle', file: cycle[0] ?? '', line: 0, message: `is in a cycle: ${cycle.join(' → ')}` })
  }
  return violations
}
