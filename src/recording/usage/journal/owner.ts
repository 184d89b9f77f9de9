/** Tells whether the process that wrote a file is gone for good. */
import { readFileSync, readlinkSync } from 'node:fs'

/** The field of `/proc/PID/stat` that says when the process started, counted behind its name. */
const STARTED = 19

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return null
  }
}

/** Since when this machine runs, and which processes this one can see. */
function placeOf(): string | null {
  const boot = read('/proc/sys/kernel/random/boot_id')
  try {
    return boot === null ? null : `${boot} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return null
  }
}

/** A process number is used again; with the time of its start it is not. */
function processOf(pid: number): string | null {
  const stat = read(`/proc/${pid}/stat`)
  if (stat === null) return null
  // The name stands in parentheses, and may hold some itself.
  const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[STARTED]
  return `${pid} ${started}`
}

/** Names this process; empty on systems where none can be told from another. */
export function nameOwner(): string {
  const [place, own] = [placeOf(), processOf(process.pid)]
  return place === null || own === null ? '' : `${place} ${own}`
}

/** Whether a process ended, as far as this one can know: of another machine or container it cannot. */
export function isGone(owner: string): boolean {
  const place = placeOf()
  if (place === null || !owner.startsWith(`${place} `)) return false
  const own = owner.slice(place.length + 1)
  const pid = Number.parseInt(own, 10)
  return Number.isSafeInteger(pid) && processOf(pid) !== own
}
