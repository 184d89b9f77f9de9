/** What a core is, and how its parts find the rest of it. */
import type { EngineOptions } from './guards/engine.ts'
import type { IdempotencyOptions } from './http/idempotency.ts'
import type { HttpServices } from './http/plugin.ts'
import type { Clock } from './lib/clock.ts'
import type { Stoppable } from './life/stopping.ts'
import type { SharedLimits } from './limits/shared-limits.ts'
import type { ResolvedOptions } from './options/resolved.ts'
import type { Metrics } from './recording/metrics/metrics.ts'
import type { IsMountedAt } from './recording/requests/recorder.ts'
import type { Services } from './services.ts'

/** Carries what a core's users and roles are typed as; exists in types only. */
declare const TYPES: unique symbol

/** A core: the services, without HTTP. */
export interface MachineAuth<Roles extends string = string, U extends object = object> extends Services {
  /** What is measured; null where `metrics` is false. */
  readonly metrics: Metrics | null
  readonly [TYPES]?: { readonly roles: Roles; readonly user: U }
  /** Resolves when the database is migrated and read; rejects when it cannot be used. */
  readonly ready: Promise<void>
  /**
   * Stops what runs in the background, writes what was recorded, and closes the database it opened. Readiness is
   * refused from then on. Waits at most ten seconds, also for a database that does not answer.
   */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export type AnyMachineAuth = MachineAuth

/** For tests and embedding: the clock (ms), the environment variables and where files are looked for. */
export interface Runtime {
  readonly clock?: Clock
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  /** Hears of things that work but deserve a look. */
  readonly warn?: (message: string) => void
}

/** What only this project's tests set. */
export interface CoreRuntime extends Runtime {
  /** Counts limits in place of Redis. */
  readonly sharedLimits?: SharedLimits
}

export interface CoreInternals {
  readonly options: ResolvedOptions
  readonly engineOptions: EngineOptions
  readonly services: Omit<HttpServices, 'idempotent'>
  /** What the endpoints repeat creates by; made by the plugin, so that a core loads nothing of Elysia. */
  readonly idempotency: IdempotencyOptions
  /** Names the core among others of the process. */
  readonly seed: string
  /** Says that an app is served: the start refuses what only a command can do without. Throws when it is over. */
  readonly serve: (isMountedAt: IsMountedAt) => void
  readonly stoppable: Stoppable
}

const internals = new WeakMap<object, CoreInternals>()

/** Keeps the side of a core that only this project's own parts may see. */
export function setInternals(core: AnyMachineAuth, side: CoreInternals): void {
  internals.set(core, side)
}

/** The side of a core that the plugin sees. */
export function internalsOfCore(core: AnyMachineAuth): CoreInternals {
  const found = internals.get(core)
  if (found === undefined) throw new TypeError('machineAuth(core): the core must come from createMachineAuth()')
  return found
}

export function isMachineAuth(value: unknown): value is AnyMachineAuth {
  return typeof value === 'object' && value !== null && internals.has(value)
}
