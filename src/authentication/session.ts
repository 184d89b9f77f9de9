/** Verifies session cookies. */
import { isSessionText } from '../credentials/secret-text.ts'
import { Shared } from '../lib/shared.ts'
import { toTimestamp } from '../lib/timestamp.ts'
import type { SessionStore } from '../storage/ports/sessions.ts'
import type { SessionWithUser } from '../storage/records.ts'
import type { CredentialKind, Found } from './authenticator.ts'
import { type Outcome, type Refusal, refusal, type SessionPrincipal } from './principal.ts'
import { slotAt } from './slots.ts'
import type { UserDirectory, UserOutcome } from './user-directory.ts'

/** A session in use, with the memory of when it was last seen. */
export interface SessionBase {
  readonly id: string
  /** What its principal is made from; null once that need not be made again. */
  stored: SessionWithUser | null
  /** ms; moved on every use in this process, written at most once a minute. */
  lastSeenAt: number
  /** ms of the last write. */
  touchedAt: number
}

const INVALID = refusal('session_invalid')
const EXPIRED = refusal('session_expired')
const SUSPENDED = refusal('organization_suspended')
const TOUCH_INTERVAL = 60_000
/** ms after which a write that failed is tried again. */
const TOUCH_RETRY = 1000

const USER_REFUSALS = { unknown: INVALID, disabled: INVALID, suspended: SUSPENDED } as const

const shared = new Shared()

/** SHA-256 of a cookie value: 256 random bits need no pepper. */
export function hashSession(text: string): string {
  return Bun.SHA256.hash(text, 'base64url')
}

export function createSessionKind(options: {
  readonly sessions: SessionStore
  readonly users: UserDirectory
  /** ms without a request after which a session ends, or null for never. */
  readonly idleTtl: number | null
}): CredentialKind<SessionBase, SessionPrincipal> {
  const { sessions, users, idleTtl } = options
  const touchEvery = idleTtl === null ? TOUCH_INTERVAL : Math.min(TOUCH_INTERVAL, Math.floor(idleTtl / 4))

  function isIdle(lastSeenAt: number, now: number): boolean {
    return idleTtl !== null && now - lastSeenAt >= idleTtl
  }

  async function lookup(
    text: string,
    now: number,
    known: SessionBase | undefined,
  ): Promise<Found<SessionBase> | Refusal> {
    const found = await sessions.findByHash(hashSession(text))
    if (found === null) return INVALID
    const { session, user } = found
    // As with tokens: what a password change has not deleted yet does not count.
    if (user !== null && session.createdAt < user.tokensNotBefore) return INVALID
    // While storage was away, nobody could write down that it was in use here.
    const lastSeenAt = Math.max(session.lastSeenAt, known?.lastSeenAt ?? 0)
    if (session.expiresAt <= now || isIdle(lastSeenAt, now)) return EXPIRED
    const base: SessionBase = { id: session.id, stored: found, lastSeenAt: now, touchedAt: session.lastSeenAt }
    noticeUse(base, now)
    return {
      base,
      validUntil: session.expiresAt,
      // As texts that are remembered anyway: of each row equal ones come anew.
      dependencies: {
        session: session.id,
        user: user?.id ?? session.userId,
        organization: shared.text(found.organization?.id ?? null),
      },
    }
  }

  /**
   * Moves the session's clock; the write is off the request's path and may fail without harm.
   *
   * @returns false for a session that was idle as far as this process knows: another one may have seen it since
   */
  function noticeUse(base: SessionBase, now: number): boolean {
    if (isIdle(base.lastSeenAt, now)) return false
    base.lastSeenAt = now
    if (now - base.touchedAt >= touchEvery) {
      base.touchedAt = now
      sessions.touch(base.id, now).catch(() => {
        base.touchedAt = now - touchEvery + TOUCH_RETRY
      })
    }
    return true
  }

  function compose({ session }: SessionWithUser, outcome: UserOutcome): Outcome<SessionPrincipal> {
    if (outcome.kind !== 'user') return USER_REFUSALS[outcome.kind]
    return {
      kind: 'session',
      id: outcome.user.id,
      organizationId: outcome.user.organizationId,
      user: outcome.user,
      granted: outcome.granted,
      session: Object.freeze({
        id: session.id,
        userId: outcome.user.id,
        createdAt: toTimestamp(session.createdAt),
        expiresAt: toTimestamp(session.expiresAt),
      }),
    }
  }

  function principalOf({ stored }: SessionBase): Outcome<SessionPrincipal> | Promise<Outcome<SessionPrincipal>> {
    if (stored === null) return INVALID
    const { session, user, organization } = stored
    const outcome = users.find({ id: session.userId, user, organization })
    if (!(outcome instanceof Promise)) return compose(stored, outcome)
    return outcome.then((known) => compose(stored, known))
  }

  /** When it was seen is needed on; two records and what they hold are not. */
  function forgetStored(base: SessionBase): void {
    base.stored = null
  }

  function refuseMalformed(text: string): Refusal | undefined {
    return isSessionText(text) ? undefined : INVALID
  }

  return {
    slotOf: (text) => slotAt(text, 0),
    own: { kind: 'session', slotOf: (id) => slotAt(id, 'sess_'.length) },
    refuseMalformed,
    isLasting: (refused) => refused === INVALID,
    lookup,
    principalOf,
    onHit: noticeUse,
    onMade: forgetStored,
  }
}
