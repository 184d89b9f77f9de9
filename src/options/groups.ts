/** Fills each group of options with its defaults and brings its values into one form. Shapes are checked already. */

import { parseDuration } from '../lib/duration.ts'
import { parseCidr } from '../lib/ip.ts'
import { canonicalGrant, canonicalPermission } from '../lib/names.ts'
import { toList } from '../lib/to-list.ts'
import type { LimitPolicy } from './limit-types.ts'
import { createTable } from './plain.ts'
import type { ResolvedOptions } from './resolved.ts'
import type { MachineAuthOptions, ProtectRule } from './types.ts'

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)]
}

function lowerCase(values: readonly string[]): readonly string[] {
  return unique(values.map((value) => value.toLowerCase()))
}

export function canonicalCidrs(values: readonly string[]): readonly string[] {
  return unique(values.map((value) => parseCidr(value)?.text ?? value))
}

function canonicalGrants(values: readonly string[]): readonly string[] {
  return unique(values.map((value) => canonicalGrant(value) ?? value))
}

export function resolveApiKeys(given: MachineAuthOptions['apiKeys'] = {}): ResolvedOptions['apiKeys'] {
  return {
    prefix: given.prefix ?? 'mac',
    headers: lowerCase(given.headers ?? ['x-api-key']),
    schemes: lowerCase(given.schemes ?? ['Bearer', 'ApiKey', 'machine_auth']),
    cacheTtl: parseDuration(given.cacheTtl ?? '60s'),
    cacheSize: given.cacheSize ?? 100_000,
    defaultPermissions: canonicalGrants(given.defaultPermissions ?? []),
    defaultRateLimit: given.defaultRateLimit ?? { limit: 60, window: '1m' },
    expiryWarning: parseDuration(given.expiryWarning ?? '7d'),
    onExpiring: given.onExpiring,
    importKinds: given.importKinds ?? [],
  }
}

export function resolveJwt(given: MachineAuthOptions['jwt'] = {}): ResolvedOptions['jwt'] {
  const issuer = given.issuer ?? 'machine-auth'
  return {
    algorithm: given.algorithm ?? 'EdDSA',
    issuer,
    audience: given.audience ?? issuer,
    accessTtl: parseDuration(given.accessTtl ?? '15m'),
    refreshTtl: parseDuration(given.refreshTtl ?? '30d'),
    refreshReuseWindow: parseDuration(given.refreshReuseWindow ?? '10s'),
    clockTolerance: parseDuration(given.clockTolerance ?? '30s'),
  }
}

const HOST_PREFIX = '__Host-'

/** Whether browsers accept a cookie of that name only with `Secure`. See RFC 6265bis section 4.1.3. */
export function demandsSecure(cookie: string): boolean {
  return /^__(?:host|secure)-/i.test(cookie)
}

/** @param production decides whether cookies are `Secure` when the options do not say */
export function resolveSessions(
  given: MachineAuthOptions['sessions'] = {},
  production: boolean,
): ResolvedOptions['sessions'] {
  const secure = given.secure ?? production
  const name = given.cookie ?? 'session_id'
  return {
    cookie: secure && !demandsSecure(name) ? HOST_PREFIX + name : name,
    ttl: parseDuration(given.ttl ?? '7d'),
    idleTtl: given.idleTtl === undefined ? null : parseDuration(given.idleTtl),
    sameSite: given.sameSite ?? 'lax',
    secure,
    trustedOrigins: lowerCase(given.trustedOrigins ?? []),
  }
}

export function resolveModules(given: MachineAuthOptions['modules'] = {}): ResolvedOptions['modules'] {
  return createTable(
    Object.entries(given).map(([name, definition]) => {
      const { actions } = definition
      return [
        name,
        actions === undefined ? definition : { ...definition, actions: createTable(Object.entries(actions)) },
      ]
    }),
  )
}

export function canonicalPermissions(values: readonly string[]): readonly string[] {
  return unique(values.map((value) => canonicalPermission(value) ?? value))
}

type Demand = ProtectRule['require']['requirePermission']

function canonicalDemand(demand: NonNullable<Demand>): NonNullable<Demand> {
  if (typeof demand === 'string') return canonicalPermission(demand) ?? demand
  return 'any' in demand ? { any: canonicalPermissions(demand.any) } : canonicalPermissions(demand)
}

export function resolveProtect(given: MachineAuthOptions['protect'] = []): ResolvedOptions['protect'] {
  return given.map(({ path, require }) => {
    const { requirePermission } = require
    if (requirePermission === undefined) return { path, require }
    return { path, require: { ...require, requirePermission: canonicalDemand(requirePermission) } }
  })
}

function withDefaultScope(policy: LimitPolicy, _: number, { length }: readonly LimitPolicy[]): LimitPolicy {
  return { ...(length === 1 ? { name: 'default' } : {}), ...policy, scope: 'global' }
}

export function resolveRateLimit(given: MachineAuthOptions['rateLimit'] = {}): ResolvedOptions['rateLimit'] {
  const login = given.login ?? { limit: 5, window: '15m' }
  return {
    strategy: given.strategy ?? 'sliding-window',
    // One count for everything: a limit that starts anew on every path is none against somebody who tries paths.
    default: given.default === undefined ? [] : toList(given.default).map(withDefaultScope),
    headers: given.headers ?? 'both',
    login: { limit: login.limit, window: parseDuration(login.window) },
    maxSubjects: given.maxSubjects ?? 100_000,
  }
}

export function resolveAbuse(given: MachineAuthOptions['abuse'] = {}): ResolvedOptions['abuse'] {
  const { threshold = 100, window = '1h', blockFor = '24h', allow = [] } = given === false ? {} : given
  return {
    threshold: given === false ? null : threshold,
    window: parseDuration(window),
    blockFor,
    allow: canonicalCidrs(allow),
  }
}

export function resolveAudit(given: MachineAuthOptions['audit'] = {}): ResolvedOptions['audit'] {
  return { retention: given.retention === undefined ? null : parseDuration(given.retention) }
}

const KEPT = { retention: '90d', dailyRetention: '730d' }

/** ms that counts of requests are kept, also those that others report where `usage: false` makes none. */
export const USUALLY_KEPT = {
  retention: parseDuration(KEPT.retention),
  dailyRetention: parseDuration(KEPT.dailyRetention),
}

export function resolveUsage(given: MachineAuthOptions['usage'] = {}): ResolvedOptions['usage'] {
  if (given === false) return false
  return {
    flushInterval: parseDuration(given.flushInterval ?? '1s'),
    batchSize: given.batchSize ?? 200,
    durability: given.durability ?? 'buffered',
    journal: given.journal ?? null,
    retention: parseDuration(given.retention ?? KEPT.retention),
    dailyRetention: parseDuration(given.dailyRetention ?? KEPT.dailyRetention),
  }
}

export function resolveLogging(given: MachineAuthOptions['logging'] = {}): ResolvedOptions['logging'] {
  return {
    mode: given.mode ?? 'off',
    retention: parseDuration(given.retention ?? '30d'),
    maxBody: given.maxBody ?? 8192,
    redact: lowerCase(given.redact ?? []),
    unsafeRaw: given.unsafeRaw ?? false,
    sink: given.sink,
  }
}

export function resolveMetrics(given: MachineAuthOptions['metrics'] = {}): ResolvedOptions['metrics'] {
  return given === false ? false : { open: given.open ?? false }
}

export function resolveShutdown(given: MachineAuthOptions['shutdown'] = {}): ResolvedOptions['shutdown'] {
  if (given === false) return false
  return { delay: parseDuration(given.delay ?? '0s'), timeout: parseDuration(given.timeout ?? '3s') }
}

export function resolvePostgres(given: MachineAuthOptions['postgres'] = {}): ResolvedOptions['postgres'] {
  return {
    poolSize: given.poolSize ?? 10,
    timeout: parseDuration(given.timeout ?? '5s'),
    prepare: given.prepare ?? true,
    ca: given.ca ?? null,
  }
}

export function resolveCluster(given: MachineAuthOptions['cluster'] = {}): ResolvedOptions['cluster'] {
  return {
    name: given.name ?? 'machine-auth',
    limits: given.limits ?? 'shared',
    processes: given.processes ?? null,
    withoutRedis: given.withoutRedis ?? 'local',
    redisTimeout: parseDuration(given.redisTimeout ?? '250ms'),
    staleness: parseDuration(given.staleness ?? '5m'),
  }
}

export function resolveTrustProxy(given: MachineAuthOptions['trustProxy'] = false): ResolvedOptions['trustProxy'] {
  if (given === false) return false
  return { from: canonicalCidrs(given.from), header: (given.header ?? 'x-forwarded-for').toLowerCase() }
}
