/** Signals for a process and all that it started, which may be in sessions of their own. */
import { readdirSync, readFileSync } from 'node:fs'

/** The process that started another one; null when that is gone. */
function parentOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name in brackets may hold anything, brackets and blanks too.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return null
  }
}

/** A process and its descendants, parents first. */
function familyOf(pid: number): readonly number[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), parent: parentOf(Number(name)) }))
  const family = [pid]
  for (const member of family) family.push(...all.filter(({ parent }) => parent === member).map((each) => each.pid))
  return family
}

/** Sends a signal to a process and its descendants. Parents hear it first, so that they start no more of them. */
export function signalFamily(pid: number, signal: NodeJS.Signals): void {
  for (const member of familyOf(pid)) {
    try {
      process.kill(member, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}
