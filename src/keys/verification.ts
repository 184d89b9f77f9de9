/** Verification for services that are not Elysia apps: they ask with the key somebody presented to them. */
import { withinLifetime } from '../authentication/api-key.ts'
import { type ApiKeyPrincipal, isWrong, type Outcome } from '../authentication/principal.ts'
import { type ApiKeyView, toApiKeyView } from '../authentication/views.ts'
import { type Actor, isWithinReach, reachOf } from '../authorization/actor.ts'
import { resolveGrants } from '../authorization/grants.ts'
import type { PermissionSet } from '../authorization/permission-set.ts'
import type { PermissionRegistry } from '../authorization/registry.ts'
import { apiKeyIdAt } from '../credentials/api-key-format.ts'
import { MAX_CREDENTIAL_LENGTH } from '../credentials/authorization.ts'
import type { ErrorCode } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { FieldErrors } from '../lib/field-errors.ts'
import { parseAddress } from '../lib/ip.ts'
import { addressSubject, subjectOf } from '../limits/subjects.ts'
import type { UsageCounter } from '../recording/usage/counter.ts'
import type { KeyStore } from '../storage/ports/keys.ts'
import type { Environment } from '../storage/records.ts'

export interface KeyVerificationInput {
  /** The key as it was presented. */
  readonly key: string
  /** All of them must be granted. */
  readonly permissions?: readonly string[] | undefined
  readonly environment?: Environment | undefined
  /**
   * Where the key was presented from: a key with an allow-list is refused without it. With platform reach, wrong keys
   * count against it.
   */
  readonly ip?: string | undefined
  /** Counts one use: for the key's rate, its quotas and credits. */
  readonly consume?: boolean | undefined
}

/** `code` says `valid`, or why not. `key` is there whenever the key's secret was right. */
export interface KeyVerification {
  readonly valid: boolean
  readonly code: 'valid' | ErrorCode
  readonly key?: ApiKeyView
  /** How many more would be let through now, by the key's own limit and its credits; only where one was consumed. */
  readonly remaining?: number
}

/** What using a key came to; `credits` are those left after it, null where nobody has counted them. */
export type KeyUseOutcome =
  | { readonly code: 'valid'; readonly remaining: number | null; readonly credits: number | null }
  | {
      readonly code: 'rate_limited' | 'quota_exceeded'
      readonly remaining: number
      readonly credits: number | null
    }

/** Blocks, and the limits of a key, for those who ask from elsewhere. */
export interface KeyUsePort {
  /** Whether an address is blocked. */
  isBlocked(address: string): boolean
  /** Whether the key or whom it belongs to is blocked. */
  isSubjectBlocked(principal: ApiKeyPrincipal): boolean
  noteWrong(address: string): void
  consume(principal: ApiKeyPrincipal): Promise<KeyUseOutcome>
}

export interface KeyVerifierOptions {
  readonly use: KeyUsePort
  readonly keys: KeyStore
  readonly permissions: PermissionRegistry
  /** The authenticator's. Never rejects. */
  readonly resolveApiKey: (text: string, presenter: string) => Promise<Outcome<ApiKeyPrincipal>>
  /** What a key is found by that was made elsewhere; empty for a text of ours. */
  readonly foreignLookups: (text: string) => readonly string[]
  readonly clock: Clock
  /** Hears that a key was used; null where nobody notes it. */
  readonly uses: Pick<UsageCounter, 'touch'> | null
}

const INVALID: KeyVerification = Object.freeze({ valid: false, code: 'api_key_invalid' })
const BLOCKED: KeyVerification = Object.freeze({ valid: false, code: 'address_blocked' })

/** What is said only to someone who holds the right secret. */
const SECRET_WAS_RIGHT: ReadonlySet<ErrorCode> = new Set([
  'api_key_expired',
  'api_key_revoked',
  'api_key_disabled',
  'organization_suspended',
  'user_disabled',
])

function decide(
  { apiKey, allowsAddress, granted }: ApiKeyPrincipal,
  { environment, ip, permissions = [] }: KeyVerificationInput,
  registry: PermissionRegistry,
): KeyVerification['code'] {
  if (environment !== undefined && environment !== apiKey.environment) return 'environment_mismatch'
  if (allowsAddress !== null && (ip === undefined || !allowsAddress(ip))) return 'ip_not_allowed'
  return hasAll(granted, permissions, registry) ? 'valid' : 'permission_required'
}

/** Whether a key has them all. What nothing declares is nobody's, also for a key of `*`. */
function hasAll(granted: PermissionSet, wanted: readonly string[], registry: PermissionRegistry): boolean {
  const mistakes = new FieldErrors()
  const names = resolveGrants(registry, wanted, mistakes)
  return mistakes.isEmpty && granted.missing(names).length === 0
}

/** Answers whatever is asked: a permission that is malformed or undeclared is one that no key has. */
export async function verifyKey(
  options: KeyVerifierOptions,
  input: KeyVerificationInput,
  actor: Actor,
): Promise<KeyVerification> {
  if (typeof input.key !== 'string' || input.key.length > MAX_CREDENTIAL_LENGTH) return INVALID
  const { use } = options
  const address = input.ip === undefined ? null : parseAddress(input.ip)
  if (address !== null && use.isBlocked(address)) return BLOCKED
  // A block holds for everybody: who does not reach the platform has nobody blocked by naming an address.
  const mayBlock = reachOf(actor).kind === 'platform'
  const outcome = await options.resolveApiKey(input.key, presenterOf(actor, address, mayBlock))
  if (outcome.kind === 'refused') {
    if (isWrong(outcome, 'api_key_invalid') && address !== null && mayBlock) use.noteWrong(address)
    return refusedVerification(options, input.key, outcome.code, actor)
  }
  // Another's key is nobody's: not even that it exists is told.
  if (!isWithinReach(reachOf(actor), outcome.apiKey)) return INVALID
  if (use.isSubjectBlocked(outcome)) return { ...BLOCKED, key: outcome.apiKey }
  const code = decide(outcome, input, options.permissions)
  if (code !== 'valid') return { valid: false, code, key: outcome.apiKey }
  if (input.consume !== true) {
    options.uses?.touch(outcome.id)
    return { valid: true, code, key: outcome.apiKey }
  }
  const { code: used, remaining, credits } = await use.consume(outcome)
  if (used === 'valid') options.uses?.touch(outcome.id)
  const left = remaining === null ? {} : { remaining }
  return { valid: used === 'valid', code: used, key: withCreditsLeft(outcome.apiKey, credits), ...left }
}

/** A key is remembered for a while, its credits as they were then. */
function withCreditsLeft(key: ApiKeyView, remaining: number | null): ApiKeyView {
  if (key.credits === null || remaining === null) return key
  return Object.freeze({ ...key, credits: { ...key.credits, remaining } })
}

/**
 * Whom a wrong foreign key counts against: an address only by the word of the platform, else the organization that
 * asks, by whatever credential and for whatever address, since it could name another each time.
 */
function presenterOf(actor: Actor, address: string | null, isTrusted: boolean): string {
  if (isTrusted && address !== null) return addressSubject(address)
  return subjectOf('custom', `verify ${actor.organizationId ?? actor.user?.id ?? actor.id}`)
}

async function refusedVerification(
  { keys, clock, foreignLookups }: KeyVerifierOptions,
  text: string,
  code: ErrorCode,
  actor: Actor,
): Promise<KeyVerification> {
  if (!SECRET_WAS_RIGHT.has(code)) return { valid: false, code }
  const lookups = foreignLookups(text)
  const found =
    lookups.length === 0 ? await keys.findWithOwner(`key_${apiKeyIdAt(text)}`) : await keys.findByLookup(lookups)
  if (found === null || !isWithinReach(reachOf(actor), found.key)) return INVALID
  return { valid: false, code, key: toApiKeyView(withinLifetime(found).key, clock()) }
}
