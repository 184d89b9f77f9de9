/** `machineAuth()`: the Elysia plugin. */
import type { Elysia } from 'elysia'
import { type AnyMachineAuth, createMachineAuth, internalsOfCore, isMachineAuth, type MachineAuth } from './core.ts'
import { createDocs, type DocsSettings } from './docs/plugin.ts'
import { GuardEngine } from './guards/engine.ts'
import { installEngine } from './guards/install.ts'
import { createGuards } from './guards/plugin.ts'
import { PROBES } from './http/health.ts'
import { createHttp } from './http/plugin.ts'
import { processSignals } from './life/signals.ts'
import type { ResolvedOptions } from './options/resolved.ts'
import type { MachineAuthOptions } from './options/types.ts'
import { keepsBodies } from './recording/requests/bodies.ts'

/** Tells options from a core, so that functions among the options get their parameters' types from the options alone. */
interface NoCore {
  readonly ready?: undefined
}

type Guards<U extends object, Roles extends string> = ReturnType<typeof createGuards<U, Roles>>

/** One plugin per core, so that `.use`ing it everywhere runs it once. */
const plugins = new WeakMap<AnyMachineAuth, unknown>()

function exitWith(failure: unknown): never {
  console.error(failure instanceof Error ? failure.message : String(failure))
  process.exit(1)
}

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
  const plugin = createPlugin<U, Roles>(core)
  plugins.set(core, plugin)
  return plugin
}

function docsSettings({
  docs,
  apiKeys,
  sessions,
  masterKeys,
  rateLimit,
  protect,
}: ResolvedOptions): DocsSettings | false {
  if (docs === false) return false
  return {
    path: docs.path,
    keyHeaders: apiKeys.headers,
    schemes: apiKeys.schemes,
    cookieName: sessions.cookie,
    masterKeyEnabled: masterKeys.length > 0,
    tellsKeyExpiry: apiKeys.expiryWarning > 0,
    limitHeaders: rateLimit.headers,
    protect,
  }
}

function createPlugin<U extends object, Roles extends string>(core: AnyMachineAuth): Guards<U, Roles> {
  const { options, engineOptions, services, seed, serve, stoppable } = internalsOfCore(core)
  const roots = () => engine.apps.roots()
  const probes = PROBES.map((path) => options.prefix + path)
  const { app: endpoints, mount } = createHttp(options, services, roots)
  serve((route, paths) => mount.isAt(route, paths))
  const engine = new GuardEngine({
    ...engineOptions,
    ownsPath: (path) => mount.isCanonical(path),
    isProbe: (path) => mount.isAt(path, probes),
  })
  const plugin = createGuards<U, Roles>(seed, options.rateLimit.strategy)
  installEngine(plugin as unknown as Elysia, engine, {
    keepsBodies: keepsBodies(options.logging),
    ready: core.ready,
    onFailure(failure, app) {
      // Who is stopped before he was ready has not failed.
      if (stoppable.life.isStopping) return
      void app.server?.stop(true)
      exitWith(failure)
    },
    onServing: (app) => processSignals().add(stoppable, app),
    onStopped: (app) => processSignals().remove(stoppable, app),
  })
  // Not chained: the endpoints' types would weigh on every app that uses the plugin.
  plugin.use(endpoints)
  createDocs(docsSettings(options), roots)(plugin)
  return plugin
}
