/** Puts the plugin of a core together. */
import type { Elysia } from 'elysia'
import { type AnyMachineAuth, internalsOfCore } from './core-internals.ts'
import { createDocs, type DocsSettings } from './docs/plugin.ts'
import { GuardEngine } from './guards/engine.ts'
import { installEngine } from './guards/install.ts'
import { createGuards } from './guards/plugin.ts'
import { PROBES } from './http/health.ts'
import { createIdempotency } from './http/idempotency.ts'
import { createHttp } from './http/plugin.ts'
import { processSignals } from './life/signals.ts'
import type { ResolvedOptions } from './options/resolved.ts'
import { keepsBodies } from './recording/requests/bodies.ts'

export type Guards<U extends object, Roles extends string> = ReturnType<typeof createGuards<U, Roles>>

function exitWith(failure: unknown): never {
  console.error(failure instanceof Error ? failure.message : String(failure))
  process.exit(1)
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

export function createPlugin<U extends object, Roles extends string>(core: AnyMachineAuth): Guards<U, Roles> {
  const { options, engineOptions, services, idempotency, seed, serve, stoppable } = internalsOfCore(core)
  const roots = () => engine.apps.roots()
  const probes = PROBES.map((path) => options.prefix + path)
  const { app: endpoints, mount } = createHttp(
    options,
    { ...services, idempotent: createIdempotency(idempotency) },
    roots,
  )
  serve((route, paths) => mount.isAt(route, paths))
  const engine = new GuardEngine({
    ...engineOptions,
    ownsPath: (path) => mount.isCanonical(path),
    isProbe: (path) => mount.isAt(path, probes),
    keepsAnswers: keepsBodies(options.logging),
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
