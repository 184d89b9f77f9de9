/** Puts together what is recorded of requests, off their path: usage, metrics, request log. */
import type { Observers } from './guards/observation.ts'
import type { Clock } from './lib/clock.ts'
import type { ResolvedOptions } from './options/resolved.ts'
import type { Storage } from './storage/ports.ts'

export interface RecorderOptions {
  readonly options: ResolvedOptions
  readonly storage: Storage
  readonly clock: Clock
  readonly warn: (message: string) => void
}

export interface Recorders {
  readonly observers: Observers
  /** Begins to write what is recorded; what was left by a process that was killed is written first. */
  start(): Promise<void>
  /** Writes what has not been written yet, and ends. */
  stop(): Promise<void>
}

export function composeRecorders(_: RecorderOptions): Recorders {
  return {
    observers: { usage: null, meter: null, log: null },
    start: async () => undefined,
    stop: async () => undefined,
  }
}
