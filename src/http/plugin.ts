/** All endpoints of ours, as the options enable them. */
import { Elysia } from 'elysia'
import type { LoginService } from '../accounts/login.ts'
import type { OrganizationService } from '../accounts/organizations.ts'
import type { PermissionService } from '../accounts/permissions.ts'
import type { RoleService } from '../accounts/roles.ts'
import type { UserService } from '../accounts/users.ts'
import type { BlockService } from '../blocks/service.ts'
import { type AppInternals, internalsOf } from '../guards/elysia-internals.ts'
import type { Health } from '../health/readiness.ts'
import type { KeyService } from '../keys/service.ts'
import type { ResolvedOptions } from '../options/resolved.ts'
import type { AuditLog } from '../recording/audit/audit.ts'
import type { Metrics } from '../recording/metrics/metrics.ts'
import type { RequestLog } from '../recording/requests/service.ts'
import type { UsageService } from '../recording/usage/service.ts'
import type { SessionService } from '../sessions/service.ts'
import type { TokenService } from '../tokens/service.ts'
import type { SigningKeys } from '../tokens/signing-keys.ts'
import { createAuditEndpoints } from './audit.ts'
import { createBlockEndpoints } from './blocks.ts'
import { createClientTokenEndpoints } from './client-tokens.ts'
import { createHealthEndpoints } from './health.ts'
import type { Idempotent } from './idempotency.ts'
import { createJwksEndpoint } from './jwks.ts'
import { createKeyEndpoints } from './keys.ts'
import { createLoginEndpoints } from './login.ts'
import { createLogEndpoints } from './logs.ts'
import { createMeEndpoint } from './me.ts'
import { createMetricsEndpoint } from './metrics.ts'
import { createMountPoint } from './mount-point.ts'
import { createOrganizationEndpoints } from './organizations.ts'
import { createPermissionEndpoints, createRoleEndpoints } from './roles.ts'
import { createSessionEndpoints } from './sessions.ts'
import { createStatsEndpoint } from './stats.ts'
import { createUsageEndpoints } from './usage.ts'
import { createUserEndpoints } from './users.ts'

export interface HttpServices {
  readonly keys: KeyService
  readonly organizations: OrganizationService
  readonly users: UserService
  readonly roles: RoleService
  readonly permissions: PermissionService
  readonly blocks: BlockService
  readonly login: LoginService
  readonly tokens: TokenService
  readonly sessions: SessionService
  readonly signingKeys: SigningKeys
  readonly audit: AuditLog
  readonly usage: UsageService
  readonly logs: RequestLog
  /** Null when nothing is measured. */
  readonly metrics: Metrics | null
  readonly health: Health
  readonly idempotent: Idempotent
}

const JWKS_PATH = '/.well-known/jwks.json'

/**
 * @param roots the apps that serve, known once the plugin is used
 */
export function createHttp(options: ResolvedOptions, services: HttpServices, roots: () => readonly AppInternals[]) {
  const { prefix } = options
  const landmark = () => ({ path: `${prefix}/me`, handler: internalsOf(me).router.history[0]?.handler })
  const mount = createMountPoint(roots, landmark, [`${prefix}/`, JWKS_PATH])
  const me = createMeEndpoint(prefix, mount)
  const app = new Elysia({ name: 'machine-auth/http', seed: crypto.randomUUID() })
  app.use(me)
  app.use(createSessionEndpoints(prefix, mount, services, options.sessions))
  app.use(createHealthEndpoints(prefix, mount, services.health))
  if (options.management) {
    app.use(createKeyEndpoints(prefix, mount, services))
    app.use(createOrganizationEndpoints(prefix, mount, services))
    app.use(createUserEndpoints(prefix, mount, services))
    app.use(createRoleEndpoints(prefix, mount, services.roles))
    app.use(createPermissionEndpoints(prefix, mount, services.permissions))
    app.use(createBlockEndpoints(prefix, mount, services))
    app.use(createAuditEndpoints(prefix, mount, services.audit))
    app.use(createUsageEndpoints(prefix, mount, services.usage))
    app.use(createStatsEndpoint(prefix, mount, services.usage))
    app.use(createLogEndpoints(prefix, mount, services.logs))
  }
  const isOpen = options.metrics !== false && options.metrics.open
  // Where management is off nobody has the permission to see them.
  if (services.metrics !== null && (isOpen || options.management)) {
    app.use(createMetricsEndpoint(prefix, mount, services.metrics, isOpen))
  }
  if (options.tokens) {
    app.use(createLoginEndpoints(prefix, mount, services, options.sessions.trustedOrigins))
    app.use(createClientTokenEndpoints(prefix, mount, services.tokens))
    app.use(createJwksEndpoint(mount, services.signingKeys))
  }
  return { app, mount }
}
