/** Turns what an app gives into what the library reads: code over config file over environment over defaults. */
import { loadConfigFile } from './config-file.ts'
import { checkConsistency } from './consistency.ts'
import { type DatabaseKind, DEFAULT_DATABASE, kindOfDatabase } from './database.ts'
import { type EnvironmentVariables, isDevelopment, readEnvironment } from './environment.ts'
import * as groups from './groups.ts'
import { type Layer, mergeLayers, sourceIn } from './layers.ts'
import { kindOf, Report } from './mistakes.ts'
import { copyMembers, freezePlain } from './plain.ts'
import type { ResolvedOptions } from './resolved.ts'
import { checkRoles, resolveRoles } from './roles.ts'
import { makeSecret, readOrCreateSecret } from './secret-file.ts'
import { checkSecrets, checkSeparation, listOf, SECRET_ACCEPTED } from './secrets.ts'
import { checkShape } from './shape.ts'
import type { MachineAuthOptions } from './types.ts'

/** The surroundings that options depend on. */
export interface OptionsEnvironment {
  /** Usually `process.env`. */
  readonly env: EnvironmentVariables
  /** The directory of the config file and of `.machine-auth/`. */
  readonly cwd: string
}

function codeLayer(options: unknown, report: Report): Layer {
  const isObject = typeof options === 'object' && options !== null && !Array.isArray(options)
  if (!isObject) report.add(['options'], kindOf(options), 'an object of options')
  return { options: isObject ? copyMembers(options) : {}, sourceOf: () => undefined }
}

function gather(options: unknown, { env, cwd }: OptionsEnvironment) {
  const early = new Report()
  const layers = [codeLayer(options, early), loadConfigFile(cwd, early), readEnvironment(env, early)].filter(
    (layer) => layer !== null,
  )
  const report = new Report((path) => sourceIn(layers, path))
  report.takeFrom(early)
  return { report, merged: mergeLayers(layers) }
}

/** Everything but the secret, which may have to be made once all else is right. */
function fill(given: MachineAuthOptions, production: boolean): Omit<ResolvedOptions, 'warnings'> {
  return {
    secrets: listOf(given.secret),
    masterKeys: listOf(given.masterKey),
    masterKeyAddresses: groups.canonicalCidrs(given.masterKeyAddresses ?? []),
    production,
    management: given.management !== false,
    tokens: given.tokens !== false,
    migrate: given.migrate ?? 'auto',
    permissions: groups.canonicalPermissions(given.permissions ?? []),
    users: given.users ?? {},
    bearer: given.bearer,
    claims: given.claims,
    onDenied: given.onDenied,
    database: given.database ?? DEFAULT_DATABASE,
    postgres: groups.resolvePostgres(given.postgres),
    redis: given.redis ?? null,
    cluster: groups.resolveCluster(given.cluster),
    prefix: given.prefix ?? '/auth',
    docs: given.docs === false ? false : { path: given.docs?.path ?? '/swagger' },
    apiKeys: groups.resolveApiKeys(given.apiKeys),
    jwt: groups.resolveJwt(given.jwt),
    sessions: groups.resolveSessions(given.sessions, production),
    roles: resolveRoles(given.roles),
    modules: groups.resolveModules(given.modules),
    trustProxy: groups.resolveTrustProxy(given.trustProxy),
    rateLimit: groups.resolveRateLimit(given.rateLimit),
    abuse: groups.resolveAbuse(given.abuse),
    audit: groups.resolveAudit(given.audit),
    usage: groups.resolveUsage(given.usage),
    logging: groups.resolveLogging(given.logging),
    metrics: groups.resolveMetrics(given.metrics),
    shutdown: groups.resolveShutdown(given.shutdown),
    protect: groups.resolveProtect(given.protect),
    hideCredentials: given.hideCredentials ?? false,
  }
}

/** Why a secret cannot be made up here; null when it can. */
function needOfSecret(
  { production, redis }: Pick<ResolvedOptions, 'production' | 'redis'>,
  database: DatabaseKind | null,
): string | null {
  if (production) return 'outside development'
  if (redis !== null) return 'with Redis'
  if (database === 'custom') return 'with a store of your own'
  return database === 'postgres' ? 'with PostgreSQL' : null
}

function developmentSecret(database: DatabaseKind | null, cwd: string, report: Report): readonly string[] {
  if (database === 'sqlite-memory') {
    report.warn('No secret was given: one was made for this process only, as long as its database lives in memory.')
    return [makeSecret()]
  }
  const result = readOrCreateSecret(cwd)
  if ('problem' in result) {
    report.add(['secret'], result.problem, `${SECRET_ACCEPTED}, for example in MACHINE_AUTH_SECRET`)
    return []
  }
  report.warn(result.warning)
  return [result.secret]
}

/**
 * Resolves options once, at start. In development on SQLite it may create `.machine-auth/secret`; nothing else is
 * written, and not even that when something is wrong.
 *
 * @param options as the app gives them; never changed
 * @returns frozen, every default filled in, durations in milliseconds
 * @throws OptionsError naming every mistake at once: path, what was given (secrets masked), what is accepted
 * @example resolveOptions({ jwt: { accessTtl: '5m' } }, { env: process.env, cwd: process.cwd() })
 */
export function resolveOptions(options: MachineAuthOptions, environment: OptionsEnvironment): ResolvedOptions {
  const { report, merged } = gather(options, environment)
  // The schema has just proved this shape; what did not fit it is reported and taken away.
  const given = checkShape(merged, report) as MachineAuthOptions
  const production = !isDevelopment(environment.env)
  const filled = { ...fill(given, production), warnings: report.warnings }
  checkSecrets('secret', given.secret, report)
  checkSecrets('masterKey', given.masterKey, report)
  checkRoles(given.roles, report)
  checkConsistency(filled, report)

  const database = kindOfDatabase(filled.database)
  const need = needOfSecret(filled, database)
  if (given.secret === undefined && need !== null) {
    report.add(['secret'], 'nothing', `${SECRET_ACCEPTED}, for example in MACHINE_AUTH_SECRET: required ${need}`)
  }
  checkSeparation(filled.masterKeys, filled.secrets, report)
  report.throwMistakes()

  if (given.secret !== undefined) return freezePlain({ ...filled, warnings: [...report.warnings] })
  const secrets = developmentSecret(database, environment.cwd, report)
  checkSeparation(filled.masterKeys, secrets, report)
  report.throwMistakes()
  return freezePlain({ ...filled, secrets, warnings: [...report.warnings] })
}
