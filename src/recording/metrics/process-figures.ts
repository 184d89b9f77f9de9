/**
 * What the process uses. prom-client's own `collectDefaultMetrics` is not taken: on Bun its heap and handle figures are
 * wrong or always zero, and it leaves an observer behind for every registry.
 */
import { readdirSync, readFileSync } from 'node:fs'

function ask<T>(question: () => T): T | null {
  try {
    return question()
  } catch {
    return null
  }
}

/** Seconds of user and system time since the start. */
export function readCpu(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Bytes. */
export function readResident(): number {
  return process.memoryUsage.rss()
}

/** Epoch seconds. */
export function readStart(): number {
  return performance.timeOrigin / 1000
}

/** Null where the system does not tell. */
export function countOpenFiles(): number | null {
  // Without the descriptor by which the directory itself is read.
  return ask(() => readdirSync('/proc/self/fd').length - 1)
}

/** How many files may be open; null where the system does not tell. */
export function readMostFiles(): number | null {
  const limits = ask(() => readFileSync('/proc/self/limits', 'utf8')) ?? ''
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1]
  return soft === undefined ? null : Number(soft)
}
