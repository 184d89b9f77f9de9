/**
 * What the process uses. prom-client's own `collectDefaultMetrics` is not taken: on Bun its heap and handle figures are
 * wrong or always zero, and it leaves an observer behind for every registry.
 */
import { readdirSync, readFileSync } from 'node:fs'

export interface ProcessFigures {
  /** Seconds of user and system time since the start. */
  readonly cpu: number
  /** Bytes. */
  readonly resident: number
  /** Epoch seconds. */
  readonly startedAt: number
  /** Null where the system does not tell. */
  readonly openFiles: number | null
  readonly mostFiles: number | null
}

function ask<T>(question: () => T): T | null {
  try {
    return question()
  } catch {
    return null
  }
}

/** Without the descriptor by which the directory itself is read. */
const countOpenFiles = () => readdirSync('/proc/self/fd').length - 1

function readMostFiles(): number | null {
  const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
  return soft === undefined ? null : Number(soft)
}

export function readProcess(): ProcessFigures {
  const { user, system } = process.cpuUsage()
  return {
    cpu: (user + system) / 1e6,
    resident: process.memoryUsage.rss(),
    startedAt: performance.timeOrigin / 1000,
    openFiles: ask(countOpenFiles),
    mostFiles: ask(readMostFiles),
  }
}
