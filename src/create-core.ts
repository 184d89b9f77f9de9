/** Puts a core together. */
import type { ChangeBell } from './cluster/change-bell.ts'
import { type ChangeListener, ChangeWatcher } from './cluster/change-watcher.ts'
import { composeClustering } from './clustering.ts'
import { type CoreRuntime, type MachineAuth, setInternals } from './core-internals.ts'
import { createEngineOptions } from './guards/engine-options.ts'
import { DatabaseProbe } from './health/database-probe.ts'
import { Health } from './health/readiness.ts'
import { warnOfExpiry } from './keys/expiry-warnings.ts'
import type { Clock } from './lib/clock.ts'
import { type ClosingStages, closeInStages } from './life/closing.ts'
import { Life } from './life/life.ts'
import { resolveOptions } from './options/resolve.ts'
import type { ResolvedOptions } from './options/resolved.ts'
import type { MachineAuthOptions } from './options/types.ts'
import { composeRecorders } from './recorders.ts'
import { Meters } from './recording/metrics/meters.ts'
import { Metrics } from './recording/metrics/metrics.ts'
import { type Composition, composeServices } from './services.ts'
import { startUp } from './startup.ts'
import { afterReady } from './storage/after-ready.ts'
import { observed } from './storage/observed.ts'
import { openStorage } from './storage/open.ts'
import type { Storage } from './storage/ports.ts'
import { startUpkeep, type UpkeepTasks } from './upkeep.ts'

/** ms that closing may take, unless the process is about to end. */
const CLOSING_PATIENCE = 10_000

function createWatcher(
  { services, authenticators, roleReader, limits }: Composition,
  storage: Storage,
  clock: Clock,
  bell: ChangeBell | null,
) {
  const listener: ChangeListener = {
    onChange({ kind, subject }) {
      authenticators.invalidate(kind, subject)
      if (kind === 'signing_key') services.signingKeys.hear(subject)
      if (kind === 'role') roleReader.readSoon()
      if (kind === 'block') limits.onBlockChange(subject)
      if (kind === 'key') limits.credits.forget(subject)
    },
    onGap() {
      services.signingKeys.forget()
      limits.credits.forget('*')
      roleReader.readSoon()
      limits.onGap()
    },
  }
  return new ChangeWatcher(storage.changes, clock, listener, bell)
}

function upkeepOf(
  { services: { audit, usage, logs }, limits }: Composition,
  storage: Storage,
  { expiryWarning: ahead, onExpiring }: ResolvedOptions['apiKeys'],
  warn: (message: string) => void,
): UpkeepTasks {
  const { keys, sessions, refreshFamilies, idempotency } = storage
  return {
    'Forgetting ended sessions': (now) => sessions.purge(now),
    'Forgetting ended refresh tokens': (now) => refreshFamilies.purge(now),
    'Forgetting old idempotency keys': (now) => idempotency.purge(now),
    'Forgetting ended limits and blocks': (now) => limits.sweep(now),
    'Telling of keys that expire soon': (now) => warnOfExpiry({ keys, ahead, onExpiring, audit, warn }, now),
    'Shortening the audit log': (now) => audit.sweep(now),
    'Forgetting old counts of requests': () => usage.purge(),
    'Forgetting old entries of the request log': () => logs.purge(),
  }
}

/** As `createMachineAuth`. */
export function createCore<const Roles extends string, U extends object>(
  options: MachineAuthOptions<Roles, U>,
  runtime: CoreRuntime,
): MachineAuth<Roles, U> {
  const clock = runtime.clock ?? Date.now
  const warn = runtime.warn ?? ((message: string) => console.warn(`machine-auth: ${message}`))
  const resolved = resolveOptions(options, { env: runtime.env ?? process.env, cwd: runtime.cwd ?? process.cwd() })
  for (const warning of resolved.warnings) warn(warning)

  const meters = resolved.metrics === false ? null : new Meters()
  const { database, migrate, postgres } = resolved
  const opened = openStorage(database, {
    migrate,
    clock,
    postgres,
    // Where there is Redis, it tells others.
    notify: resolved.redis === null,
    onCommitted: (change) => clustering.bell?.ring(change),
    warn,
  })
  const clustering = composeClustering({
    options: resolved,
    listen: opened.listen,
    clock,
    warn,
    meter: meters?.redis ?? null,
  })
  const stored = meters === null ? opened.storage : observed(opened.storage, meters.storage)
  const storage = afterReady(stored, opened.ready)
  const started = Promise.withResolvers<void>()
  // Whoever needs the core awaits `ready` and hears of it there.
  started.promise.catch(() => undefined)

  const recorders = composeRecorders({ options: resolved, storage, clock, warn, meters })
  const composition = composeServices({
    options: resolved,
    storage,
    clock,
    warn,
    ready: started.promise,
    recorder: recorders.usage,
    requestLog: recorders.log,
    meter: meters?.limits ?? null,
    shared: runtime.sharedLimits ?? clustering.shared,
  })
  const { services, authenticators, limits, roles, roleReader, permissions } = composition
  const { redis } = clustering
  const metrics =
    meters && new Metrics({ meters, caches: () => authenticators.figures(), recorders, redis, bell: clustering.bell })
  const watcher = createWatcher(composition, storage, clock, clustering.bell)
  const stopUpkeep = startUpkeep(upkeepOf(composition, storage, resolved.apiKeys, warn), clock, warn)

  const life = new Life()
  const closing: ClosingStages = {
    stages: [
      { 'Starting up': () => started.promise.catch(() => undefined) },
      {
        'Stopping the upkeep': stopUpkeep,
        'Stopping to read roles': () => roleReader.stop(),
        'Stopping to read signing keys': () => services.signingKeys.stop(),
        'Stopping to watch for changes': () => watcher.stop(),
        'Writing limits and quotas': () => limits.stop(),
        'Writing what was recorded of requests': (left) => recorders.stop(left),
      },
      {
        'Writing the audit log': () => services.audit.stop(),
        'Leaving Redis': () => clustering.stop(),
      },
    ],
    last: { 'Closing the database': () => opened.storage.close() },
  }
  let closed: Promise<void> | undefined
  function close(patience = CLOSING_PATIENCE): Promise<void> {
    life.become('draining')
    closed ??= closeInStages(closing, patience, warn).then(() => life.become('closed'))
    return closed
  }

  const core: MachineAuth<Roles, U> = {
    ...services,
    metrics,
    ready: started.promise,
    close: () => close(),
    [Symbol.asyncDispose]: () => close(),
  }
  let isStarted = false
  const { importKinds } = resolved.apiKeys
  opened.ready
    .then(() => startUp({ composition, clustering, recorders, storage, watcher, importKinds, warn }))
    .then(
      () => {
        isStarted = true
        life.become('ready')
        started.resolve()
      },
      (reason: unknown) => {
        life.become('failed')
        started.reject(reason)
      },
    )
  setInternals(core, {
    options: resolved,
    engineOptions: createEngineOptions(resolved, authenticators, {
      limits: limits.requests,
      masterKeys: limits.masterKeys,
      ready: started.promise,
      hasRole: () => (isStarted ? (name) => roles.has(name) : null),
      permissions,
      observers: recorders.observers,
      life,
    }),
    services: {
      ...services,
      metrics,
      health: new Health({
        life,
        database: new DatabaseProbe(() => opened.storage.ping()),
        parts: {
          usage: () => recorders.usage && !recorders.usage.figures.isFailing,
          requestLog: () => recorders.log && !recorders.log.figures.isFailing,
          changes: () => watcher.isCurrent,
          redis: () => redis?.link.isUp ?? null,
        },
      }),
    },
    idempotency: { store: storage.idempotency, clock, secrets: resolved.secrets, warn },
    seed: crypto.randomUUID(),
    serve: (isMountedAt) => recorders.serve(isMountedAt),
    stoppable: { life, close, timing: resolved.shutdown },
  })
  return core
}
