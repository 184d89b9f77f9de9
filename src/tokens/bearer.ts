/** Opaque bearer tokens of ours: made, listed, revoked. `authentication/token.ts` verifies them. */
import type { CredentialOwner, CredentialOwners, WantedOwner } from '../authentication/credential-owner.ts'
import type { SecretHasher } from '../authentication/hasher.ts'
import { boundExpiry, requireWithinPermissions } from '../authentication/organization-bounds.ts'
import {
  type Actor,
  isWithinReach,
  reachOf,
  requireGrantable,
  requirePlatform,
  requireUnlimitedKey,
  SYSTEM,
} from '../authorization/actor.ts'
import { resolveGrants } from '../authorization/grants.ts'
import type { PermissionRegistry } from '../authorization/registry.ts'
import { generateBearerToken } from '../credentials/secret-text.ts'
import { MachineAuthError } from '../errors.ts'
import { afterwards } from '../lib/afterwards.ts'
import type { Clock } from '../lib/clock.ts'
import { type ExpiryInput, resolveExpiry } from '../lib/expiry.ts'
import { FieldErrors } from '../lib/field-errors.ts'
import { type PageInput, resolvePage } from '../lib/page.ts'
import { nameMistake, remarkMistake } from '../lib/text.ts'
import { toTimestamp, toTimestampOrNull } from '../lib/timestamp.ts'
import type { AuditLog } from '../recording/audit/audit.ts'
import type { Page } from '../storage/ports/page.ts'
import type { BearerTokenStore } from '../storage/ports/tokens.ts'
import type { BearerTokenRecord, ChangeKind } from '../storage/records.ts'

export interface NewBearerToken extends WantedOwner, Pick<ExpiryInput, 'expiresAt'> {
  readonly name: string
  readonly permissions?: readonly string[] | undefined
}

/** An opaque bearer token without its secret. Times are RFC 3339 UTC. */
export interface BearerTokenView {
  readonly id: string
  readonly name: string
  readonly userId: string | null
  readonly organizationId: string | null
  readonly permissions: readonly string[]
  readonly expiresAt: string | null
  readonly createdAt: string
  readonly revokedAt: string | null
  readonly revokedReason: string | null
}

export interface BearerTokenServiceOptions {
  readonly tokens: BearerTokenStore
  readonly owners: CredentialOwners
  readonly permissions: PermissionRegistry
  readonly hasher: SecretHasher
  readonly clock: Clock
  readonly invalidate: (kind: ChangeKind, subject: string) => void
  readonly audit: Pick<AuditLog, 'record' | 'refuseOutOfReach'>
}

const MAX_REASON = 500

function toBearerTokenView(token: BearerTokenRecord): BearerTokenView {
  return Object.freeze({
    id: token.id,
    name: token.name,
    userId: token.userId,
    organizationId: token.organizationId,
    permissions: token.permissions,
    expiresAt: toTimestampOrNull(token.expiresAt),
    createdAt: toTimestamp(token.createdAt),
    revokedAt: toTimestampOrNull(token.revokedAt),
    revokedReason: token.revokedReason,
  })
}

export class BearerTokenService {
  readonly #options: BearerTokenServiceOptions

  constructor(options: BearerTokenServiceOptions) {
    this.#options = options
  }

  /**
   * Makes a token. `rawToken` is answered this once and stored nowhere.
   *
   * @throws MachineAuthError `validation_failed`, `permission_required`, `not_found`
   * @example const { rawToken } = await core.tokens.bearer.create({ name: 'importer', permissions: ['users.view'] })
   */
  async create(
    input: NewBearerToken,
    actor: Actor = SYSTEM,
  ): Promise<{ readonly token: BearerTokenView; readonly rawToken: string }> {
    const { clock, tokens, owners, permissions: registry, hasher, audit } = this.#options
    const now = clock()
    const errors = new FieldErrors()
    const mistake = nameMistake(input.name)
    if (mistake !== null) errors.add('name', mistake)
    const permissions = resolveGrants(registry, input.permissions ?? [], errors)
    const expiresAt = resolveExpiry({ expiresAt: input.expiresAt }, now, errors)
    errors.throwIfAny()
    requireGrantable(actor, permissions)
    requireUnlimitedKey(actor)
    const owner: CredentialOwner = await owners.resolve(input, actor)
    const bounds = await owners.boundsOf(owner.organizationId)
    requireWithinPermissions(bounds, permissions)
    const { id, raw } = generateBearerToken()
    const token: BearerTokenRecord = {
      id,
      name: input.name,
      ...hasher.hash(raw),
      ...owner,
      permissions,
      expiresAt: boundExpiry(bounds, expiresAt, now),
      createdAt: now,
      revokedAt: null,
      revokedReason: null,
    }
    await tokens.insert(token)
    const { organizationId } = owner
    await audit.record({
      action: 'token.created',
      actor,
      subject: id,
      organizationId,
      details: { ...owner, permissions },
    })
    return { token: toBearerTokenView(token), rawToken: raw }
  }

  /**
   * Newest first.
   *
   * @throws MachineAuthError `permission_required` without platform reach
   */
  async list(page: PageInput = {}, actor: Actor = SYSTEM): Promise<Page<BearerTokenView>> {
    requirePlatform(actor)
    const { items, nextCursor } = await this.#options.tokens.list(resolvePage(page))
    return { items: items.map(toBearerTokenView), nextCursor }
  }

  /**
   * Revokes a token; revoking it again changes nothing.
   *
   * @throws MachineAuthError `not_found`
   */
  async revoke(
    id: string,
    { reason }: { reason?: string | undefined } = {},
    actor: Actor = SYSTEM,
  ): Promise<BearerTokenView> {
    const { tokens, audit, clock, invalidate } = this.#options
    const errors = new FieldErrors()
    const mistake = reason === undefined ? null : remarkMistake(reason, MAX_REASON)
    if (mistake !== null) errors.add('reason', mistake)
    errors.throwIfAny()
    const found = await tokens.findWithOwner(id)
    if (found === null) throw new MachineAuthError('not_found')
    if (!isWithinReach(reachOf(actor), found.token)) return audit.refuseOutOfReach(actor, id)
    const revoking = tokens.revoke(id, reason ?? null, clock())
    const revoked = await afterwards(revoking, () => invalidate('token', id))
    if (revoked === null) return toBearerTokenView((await tokens.findWithOwner(id))?.token ?? found.token)
    const { organizationId } = revoked
    const details = { reason: reason ?? null }
    await audit.record({ action: 'token.revoked', actor, subject: id, organizationId, details })
    return toBearerTokenView(revoked)
  }
}
