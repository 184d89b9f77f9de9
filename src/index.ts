/** The only barrel. What is not named here is nobody's to import. */
export type { NewOrganization, OrganizationChange } from './accounts/organization-input.ts'
export type { PermissionSync } from './accounts/permissions.ts'
export type { NewRole } from './accounts/roles.ts'
export type { NewUser, UserChange } from './accounts/user-input.ts'
export type { OrganizationView, RoleView, UserView } from './accounts/views.ts'
export { djangoPbkdf2 } from './authentication/imported-keys/django-pbkdf2.ts'
export { sha256, sha256Pepper } from './authentication/imported-keys/sha256.ts'
export type { BearerToken, Principal, Session, User } from './authentication/principal.ts'
export type { ApiKeyView } from './authentication/views.ts'
export type { Actor } from './authorization/actor.ts'
export type { PermissionEntry } from './authorization/registry.ts'
export type { NewBlock } from './blocks/new-block.ts'
export type { BlockView } from './blocks/views.ts'
export { createMachineAuth, type MachineAuth, type Runtime } from './core.ts'
export { ERROR_CODES, type ErrorCode, kindOf, MachineAuthError } from './errors.ts'
export { RouteAuditError } from './guards/audit.ts'
export type { Auth, BlockRequest, LimitStatus } from './guards/auth.ts'
export { type AuthorizedResourceOptions, authorizedResource } from './guards/authorized-resource.ts'
export { formatRoutes, listRoutes, requireGuardedRoutes } from './guards/listing.ts'
export type { RouteDescription } from './guards/routes.ts'
export type { ImportedApiKey } from './keys/import.ts'
export type { KeyChange } from './keys/key-change.ts'
export type { Lockdown, LockdownInput } from './keys/lockdown.ts'
export type { NewApiKey } from './keys/new-key.ts'
export type { RotationInput } from './keys/rotation.ts'
export type { ErrorKind } from './lib/error-table.ts'
export type { ClusterOption, PostgresOption } from './options/cluster-types.ts'
export { defineConfig } from './options/define.ts'
export type { HashKind, ParsedHash } from './options/hash-kind.ts'
export type {
  ConcurrencyPolicy,
  LimitContext,
  LimitPolicy,
  LimitStrategy,
  LimitSubject,
  RateLimitInput,
  RatePolicy,
} from './options/limit-types.ts'
export { OptionsError } from './options/mistakes.ts'
export { definePermissions, type PermissionOf } from './options/permissions.ts'
export type {
  LoggingMode,
  LoggingOption,
  RequestLogEntry,
  RequestLogSink,
  ShutdownOption,
  UsageOption,
} from './options/recording-types.ts'
export type {
  AppUser,
  BearerVerification,
  DeniedContext,
  ExpiringKey,
  MachineAuthOptions,
  ModuleDefinition,
  ProtectRule,
  RoleDefinition,
  UsersOption,
} from './options/types.ts'
export { machineAuth } from './plugin.ts'
export type { AuditAdoption } from './recording/audit/adoption.ts'
export type { AuditView } from './recording/audit/reader.ts'
export type { AuditVerification } from './recording/audit/report.ts'
export type { RequestLogQuery } from './recording/requests/reader.ts'
export type { UsageInput } from './recording/usage/periods.ts'
export type { UsageReport } from './recording/usage/report.ts'
export type { ReportedUse } from './recording/usage/reported-use.ts'
export type { KeyUsage, UsageStats } from './recording/usage/views.ts'
export type { SessionView } from './sessions/service.ts'
export type { Storage } from './storage/ports.ts'
export type { TokenResponse } from './tokens/token-response.ts'
