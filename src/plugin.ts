/** `machineAuth()`: the Elysia plugin. */
import { Elysia } from 'elysia'
import { createMachineAuth } from './core.ts'
import { type AnyMachineAuth, isMachineAuth, type MachineAuth } from './core-internals.ts'
import type { Guards } from './create-plugin.ts'
import { refuseLostGuards } from './guards/declarations.ts'
import type { MachineAuthOptions } from './options/types.ts'

// Not when the plugin is made: routes may have been declared by then.
refuseLostGuards(Elysia.prototype)

/** As in `core.ts`. */
const load = () => require('./create-plugin.ts') as typeof import('./create-plugin.ts')

/** Tells options from a core, so that functions among the options get their parameters' types from the options alone. */
interface NoCore {
  readonly ready?: undefined
}

/** One plugin per core, so that `.use`ing it everywhere runs it once. */
const plugins = new WeakMap<AnyMachineAuth, unknown>()

/**
 * Guards, endpoints and documentation for an Elysia app.
 *
 * Use it in the root app, before the routes it guards, and again in every feature module that needs its types: it
 * runs once. Needs no configuration to start with: a SQLite file, endpoints under `/auth`, docs at `/swagger`.
 *
 * @param options options, or a core made by `createMachineAuth`
 * @throws OptionsError with one line per mistake; Error when a core that is ready cannot serve, since its journal of
 * usage cannot be written
 * @example
 * new Elysia()
 *   .use(machineAuth())
 *   .get('/report', ({ apiKey }) => `for ${apiKey.name}`, { apiKey: true })
 *   .listen(3000)
 */
export function machineAuth<const Roles extends string = 'admin', U extends object = object>(
  options: (MachineAuthOptions<Roles, U> & NoCore) | MachineAuth<Roles, U>,
): Guards<U, Roles>
/** With the options of the config file, the environment and the defaults. */
// Apart from the other: with `undefined` among its types, NoCore would tell nothing.
export function machineAuth<const Roles extends string = 'admin', U extends object = object>(): Guards<U, Roles>
export function machineAuth<const Roles extends string = 'admin', U extends object = object>(
  options?: MachineAuthOptions<Roles, U> | MachineAuth<Roles, U>,
): Guards<U, Roles> {
  const core: AnyMachineAuth = isMachineAuth(options) ? options : createMachineAuth(options)
  const known = plugins.get(core)
  // Each core has one type of users and roles, given where it was made; the map cannot say so.
  if (known !== undefined) return known as Guards<U, Roles>
  const plugin = load().createPlugin<U, Roles>(core)
  plugins.set(core, plugin)
  return plugin
}
