/** Verifies bearer tokens: JWTs of ours, opaque tokens of ours, and opaque tokens of the app's own. */
import { PermissionSet } from '../authorization/permission-set.ts'
import { BEARER_ID_OFFSET, hasBearerForm, parseBearerToken } from '../credentials/secret-text.ts'
import { Shared } from '../lib/shared.ts'
import { toTimestampOrNull } from '../lib/timestamp.ts'
import type { BearerVerification, MachineAuthOptions } from '../options/types.ts'
import type { BearerTokenStore, RefreshFamilyStore } from '../storage/ports/tokens.ts'
import type { OrganizationRecord, UserRecord } from '../storage/records.ts'
import type { CredentialKind, Found } from './authenticator.ts'
import type { SecretHasher } from './hasher.ts'
import { endWithinBounds, withinBounds } from './organization-bounds.ts'
import {
  type BearerToken,
  type Outcome,
  type Refusal,
  refusal,
  type TokenPrincipal,
  unverifiable,
} from './principal.ts'
import { slotAt, slotOfDigest } from './slots.ts'
import type { UserDirectory, UserOutcome } from './user-directory.ts'

/** A token that was verified, before its user is looked at. */
export interface TokenBase {
  readonly kind: 'jwt' | 'bearer'
  readonly token: Omit<BearerToken, 'permissions' | 'organizationId'>
  /** What the token itself grants; null for a user's JWT, which grants what its user may do. */
  readonly permissions: readonly string[] | null
  readonly organizationId: string | null
  readonly user: UserRecord | null
  readonly organization: OrganizationRecord | null
}

const INVALID = refusal('token_invalid')
/** Of a token that is stored under another secret. */
const UNVERIFIABLE = unverifiable(INVALID)
const LEFT = refusal('token_revoked')
const shared = new Shared()

const USER_REFUSALS = {
  unknown: INVALID,
  disabled: INVALID,
  suspended: refusal('organization_suspended'),
} as const

/** How a verified token becomes a principal; the same for every kind of token. */
function createPrincipalOf(users: UserDirectory) {
  function compose(base: TokenBase, outcome: UserOutcome | null): Outcome<TokenPrincipal> {
    if (outcome !== null && outcome.kind !== 'user') return USER_REFUSALS[outcome.kind]
    const own = base.permissions === null ? null : new PermissionSet(base.permissions)
    // Without permissions of its own it grants what its user may do; a set of them is made once for each user.
    const whole = outcome === null ? (own ?? PermissionSet.ALL) : (own?.intersect(outcome.granted) ?? outcome.granted)
    // As with keys: a token of ours acts for its user inside the one organization it was made in, if any; it follows
    // him neither out of it nor into another.
    const isBound = base.kind === 'bearer' && base.token.id !== null
    const granted = isBound ? withinBounds(whole, base.organization) : whole
    const organizationId = base.organizationId ?? (isBound ? null : (outcome?.user.organizationId ?? null))
    if ((outcome?.user.organizationId ?? organizationId) !== organizationId) return LEFT
    return {
      kind: base.kind,
      id: base.token.userId ?? base.token.clientId ?? base.token.id ?? 'token',
      organizationId,
      user: outcome?.user ?? null,
      granted,
      bearerToken: Object.freeze({ ...base.token, organizationId, permissions: granted.names }),
    }
  }

  return function principalOf(base: TokenBase): Outcome<TokenPrincipal> | Promise<Outcome<TokenPrincipal>> {
    const { userId } = base.token
    // Without a user, only what the token itself was given: never everything.
    if (userId === null) return compose({ ...base, permissions: base.permissions ?? [] }, null)
    const outcome = users.find({ id: userId, user: base.user, organization: base.organization })
    if (!(outcome instanceof Promise)) return compose(base, outcome)
    return outcome.then((user) => compose(base, user))
  }
}

/** The claims of an access token whose signature, times, issuer and audience were checked. */
export interface AccessTokenClaims {
  readonly id: string
  readonly subject: string
  readonly clientId: string | null
  readonly familyId: string
  /** ms, the clock tolerance included. */
  readonly validUntil: number
  /** ms */
  readonly expiresAt: number
  readonly all: Readonly<Record<string, unknown>>
}

export type VerifyAccessToken = (text: string, now: number) => Promise<AccessTokenClaims | Refusal>

/** Where the slot of a JWT is, from its end: of its signature, which names it as well as anything. */
const JWT_SLOT = 20

export function createJwtKind(options: {
  readonly verify: VerifyAccessToken
  readonly families: RefreshFamilyStore
  readonly users: UserDirectory
}): CredentialKind<TokenBase, TokenPrincipal> {
  async function lookup(text: string, now: number): Promise<Found<TokenBase> | Refusal> {
    const claims = await options.verify(text, now)
    if ('kind' in claims) return claims
    const found = await options.families.find(claims.familyId)
    if (found === null || found.family.revokedAt !== null) return refusal('token_revoked')
    const { family, user, organization } = found
    // A token speaks for the family it was issued with, whatever its claims say.
    if ((family.userId ?? family.clientId) !== claims.subject) return INVALID
    // A password change ends families one by one: none counts from its first moment on.
    if (user !== null && family.createdAt < user.tokensNotBefore) return refusal('token_revoked')
    // The text that is remembered of the user anyway: of each row an equal one comes anew.
    const userId = user?.id ?? family.userId
    return {
      base: {
        kind: 'jwt',
        token: {
          kind: 'jwt',
          id: claims.id,
          userId,
          clientId: family.clientId,
          expiresAt: toTimestampOrNull(claims.expiresAt),
          claims: claims.all,
        },
        permissions: family.userId === null ? family.permissions : null,
        organizationId: null,
        user,
        organization,
      },
      validUntil: claims.validUntil,
      dependencies: { family: family.id, user: userId, organization: shared.text(organization?.id ?? null) },
    }
  }

  return {
    slotOf: (text) => slotAt(text, text.length - JWT_SLOT),
    proofOf: (text) => text,
    refuseMalformed: () => undefined,
    lookup,
    principalOf: createPrincipalOf(options.users),
  }
}

type VerifyOwn = NonNullable<MachineAuthOptions['bearer']>['verify']

/** JavaScript answers anything: `false` is nobody, and a text of permissions would be taken letter by letter. */
function isVerification(answer: unknown): answer is BearerVerification {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) return false
  const { permissions, expiresAt } = answer as BearerVerification
  return Array.isArray(permissions ?? []) && Number.isFinite(expiresAt ?? 0)
}

/** @param owner the user it names and that user's organization, as far as they are stored */
function fromApp(verified: BearerVerification, owner: Pick<TokenBase, 'user' | 'organization'>): Found<TokenBase> {
  const userId = verified.userId ?? null
  return {
    base: {
      kind: 'bearer',
      token: {
        kind: 'opaque',
        id: null,
        userId,
        clientId: null,
        expiresAt: toTimestampOrNull(verified.expiresAt ?? null),
        claims: {},
      },
      permissions: verified.permissions ?? (userId === null ? [] : null),
      organizationId: verified.organizationId ?? null,
      user: owner.user,
      organization: owner.organization,
    },
    // Only the app knows when its token is taken back: without its word it is asked every time.
    validUntil: verified.expiresAt ?? 0,
    dependencies: { user: userId, organization: verified.organizationId ?? owner.organization?.id ?? null },
  }
}

export function createBearerKind(options: {
  readonly tokens: BearerTokenStore
  readonly hasher: SecretHasher
  readonly users: UserDirectory
  readonly findUser: (id: string) => Promise<{ user: UserRecord; organization: OrganizationRecord | null } | null>
  readonly findOrganization: (id: string) => Promise<OrganizationRecord | null>
  readonly verifyOwn: VerifyOwn | undefined
}): CredentialKind<TokenBase, TokenPrincipal> {
  const { tokens, hasher, verifyOwn } = options

  async function lookupOurs(id: string, text: string, now: number): Promise<Found<TokenBase> | Refusal> {
    const found = await tokens.findWithOwner(id)
    const isRight = hasher.matches(text, found?.token ?? null)
    if (found === null) return INVALID
    if (!isRight) return hasher.isKnown(found.token) ? INVALID : UNVERIFIABLE
    const { token, user, organization } = found
    const userId = user?.id ?? token.userId
    if (token.revokedAt !== null) return refusal('token_revoked')
    const expiresAt = endWithinBounds(token, organization)
    if (expiresAt !== null && expiresAt <= now) return refusal('token_expired')
    if (organization?.status === 'suspended') return refusal('organization_suspended')
    if (token.organizationId !== null && organization === null) return refusal('organization_suspended')
    if (!hasher.isCurrent(token)) {
      const renewed = hasher.hash(text)
      await tokens.rehash(token.id, token.pepper, renewed.hash, renewed.pepper)
    }
    return {
      base: {
        kind: 'bearer',
        token: {
          kind: 'opaque',
          id: token.id,
          userId,
          clientId: null,
          expiresAt: toTimestampOrNull(expiresAt),
          claims: {},
        },
        permissions: token.permissions,
        organizationId: token.organizationId,
        user,
        organization,
      },
      validUntil: expiresAt ?? Number.POSITIVE_INFINITY,
      dependencies: { token: token.id, user: userId, organization: shared.text(organization?.id ?? null) },
    }
  }

  async function lookup(text: string, now: number): Promise<Found<TokenBase> | Refusal> {
    const id = parseBearerToken(text)
    if (id !== null) return lookupOurs(id, text, now)
    const verified = await verifyOwn?.(text)
    if (!isVerification(verified)) return INVALID
    const { userId = null, organizationId = null } = verified
    const owner = userId === null ? null : await options.findUser(userId)
    if (organizationId !== null && organizationId !== owner?.organization?.id) {
      // One that is not stored is the app's own affair.
      const organization = await options.findOrganization(organizationId)
      if (organization?.status === 'suspended') return refusal('organization_suspended')
    }
    return fromApp(verified, owner ?? { user: null, organization: null })
  }

  return {
    // An app's own token has no public part: its digest names it.
    refuseMalformed: (text) => (verifyOwn === undefined && parseBearerToken(text) === null ? INVALID : undefined),
    isLasting: (refused) => refused === INVALID,
    // Where keys were imported it may be one of them.
    isAmbiguous: true,
    asksApp: (text) => parseBearerToken(text) === null,
    slotOf: (text) => (hasBearerForm(text) ? slotAt(text, BEARER_ID_OFFSET) : slotOfDigest(text)),
    own: { kind: 'token', slotOf: (id) => slotAt(id, 'tok_'.length) },
    lookup,
    principalOf: createPrincipalOf(options.users),
  }
}
