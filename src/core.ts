/** `createMachineAuth()`: everything but HTTP. */
import type { MachineAuth, Runtime } from './core-internals.ts'
import type { MachineAuthOptions } from './options/types.ts'

export type { AnyMachineAuth, MachineAuth, Runtime } from './core-internals.ts'

/** Synchronous `require`, so that importing the package loads little, and making a core stays synchronous. */
const load = () => require('./create-core.ts') as typeof import('./create-core.ts')

/**
 * Builds a core: the same as `machineAuth()` without HTTP, for scripts, tests and workers, or to share with apps.
 *
 * @param options as for `machineAuth`
 * @param runtime clock, environment and directory, when not the process's own
 * @throws OptionsError with one line per mistake
 * @example
 * await using core = createMachineAuth()
 * await core.ready
 * const { rawKey } = await core.keys.create({ name: 'CI' })
 */
export function createMachineAuth<const Roles extends string = 'admin', U extends object = object>(
  options: MachineAuthOptions<Roles, U> = {},
  runtime: Runtime = {},
): MachineAuth<Roles, U> {
  return load().createCore(options, runtime)
}
