/** The only barrel. What is not named here is nobody's to import. */
export type { UserView } from './accounts/views.ts'
export { djangoPbkdf2 } from './authentication/imported-keys/django-pbkdf2.ts'
export { sha256, sha256Pepper } from './authentication/imported-keys/sha256.ts'
export type { BearerToken, Principal, Session, User } from './authentication/principal.ts'
export type { ApiKeyView } from './authentication/views.ts'
export type { Actor } from './authorization/actor.ts'
export type { NewBlock } from './blocks/new-block.ts'
export type { BlockView } from './blocks/views.ts'
export { createMachineAuth, type MachineAuth, type Runtime } from './core.ts'
export { ERROR_CODES, type ErrorCode, MachineAuthError } from './errors.ts'
export { RouteAuditError } from './guards/audit.ts'
export type { Auth, BlockRequest, LimitStatus } from './guards/auth.ts'
export { type AuthorizedResourceOptions, authorizedResource } from './guards/authorized-resource.ts'
export { formatRoutes, listRoutes, requireGuardedRoutes } from './guards/listing.ts'
export type { RouteDescription } from './guards/routes.ts'
export type { ImportedApiKey } from './keys/import.ts'
export type { NewApiKey } from './keys/new-key.ts'
export { defineConfig } from './options/define.ts'
export type { HashKind, ParsedHash } from './options/hash-kind.ts'
export { OptionsError } from './options/mistakes.ts'
export type {
  AppUser,
  BearerVerification,
  ConcurrencyPolicy,
  DeniedContext,
  LimitContext,
  LimitPolicy,
  LimitStrategy,
  LimitSubject,
  MachineAuthOptions,
  ModuleDefinition,
  ProtectRule,
  RateLimitInput,
  RatePolicy,
  UsersOption,
} from './options/types.ts'
export { machineAuth } from './plugin.ts'
export type { TokenResponse } from './tokens/token-response.ts'
