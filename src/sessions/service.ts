/** Sessions: opened at login, listed and ended by their users. `authentication/session.ts` verifies them. */
import type { KnownUser, KnownUsers } from '../authentication/known-users.ts'
import { hashSession } from '../authentication/session.ts'
import { type Actor, isWithinReach, reachOf, SYSTEM } from '../authorization/actor.ts'
import { generateSessionText } from '../credentials/secret-text.ts'
import { MachineAuthError } from '../errors.ts'
import { afterwards } from '../lib/afterwards.ts'
import type { Clock } from '../lib/clock.ts'
import { parseAddress } from '../lib/ip.ts'
import { toTimestamp } from '../lib/timestamp.ts'
import type { ResolvedOptions } from '../options/resolved.ts'
import type { AuditLog } from '../recording/audit/audit.ts'
import type { UserStore } from '../storage/ports/accounts.ts'
import type { SessionStore } from '../storage/ports/sessions.ts'
import type { ChangeKind, SessionRecord } from '../storage/records.ts'

/** A session as its user sees it; its id does not open it. Times are RFC 3339 UTC. */
export interface SessionView {
  readonly id: string
  readonly userId: string
  readonly createdAt: string
  readonly lastSeenAt: string
  readonly expiresAt: string
  readonly address: string | null
  readonly userAgent: string | null
}

export interface SessionOrigin {
  readonly address?: string | null | undefined
  readonly userAgent?: string | null | undefined
  /** The user's `tokensNotBefore` (ms) when he began to prove who he is; see `TokenService.issueForUser`. */
  readonly tokensNotBefore?: number | null | undefined
}

export interface SessionServiceOptions {
  readonly sessions: SessionStore
  readonly users: UserStore
  /** Whom the app says that somebody is, where it keeps the users. */
  readonly known: KnownUsers
  readonly options: Pick<ResolvedOptions['sessions'], 'ttl' | 'idleTtl'>
  readonly clock: Clock
  readonly invalidate: (kind: ChangeKind, subject: string) => void
  readonly audit: Pick<AuditLog, 'record' | 'refuseOutOfReach'>
}

const MAX_USER_AGENT = 256
const UNPRINTABLE = /[^\x20-\x7e]/g

function toSessionView(session: SessionRecord): SessionView {
  return Object.freeze({
    id: session.id,
    userId: session.userId,
    createdAt: toTimestamp(session.createdAt),
    lastSeenAt: toTimestamp(session.lastSeenAt),
    expiresAt: toTimestamp(session.expiresAt),
    address: session.address,
    userAgent: session.userAgent,
  })
}

/** What is left of a header that anybody may have written. */
function cleanUserAgent(text: string): string | null {
  const printable = text
    .slice(0, 4 * MAX_USER_AGENT)
    .replaceAll(UNPRINTABLE, '')
    .trim()
  return printable === '' ? null : printable.slice(0, MAX_USER_AGENT)
}

export class SessionService {
  readonly #options: SessionServiceOptions

  constructor(options: SessionServiceOptions) {
    this.#options = options
  }

  /**
   * Opens a new session; an id that the browser brought along is never taken over. Does not check any proof of who
   * the user is. `cookieValue` is answered this once and stored nowhere.
   *
   * @throws MachineAuthError `login_failed` when the user was disabled or changed his password meanwhile
   */
  async create(
    userId: string,
    origin: SessionOrigin = {},
  ): Promise<{ readonly session: SessionView; readonly cookieValue: string }> {
    const { sessions, users, known, options, clock, invalidate } = this.#options
    const notBefore = origin.tokensNotBefore ?? (await users.find(userId))?.tokensNotBefore ?? 0
    const now = Math.max(clock(), notBefore)
    const { id, raw } = generateSessionText()
    const session: SessionRecord = {
      id,
      hash: hashSession(raw),
      userId,
      createdAt: now,
      lastSeenAt: now,
      expiresAt: now + options.ttl,
      address: parseAddress(origin.address ?? ''),
      userAgent: cleanUserAgent(origin.userAgent ?? ''),
    }
    await sessions.insert(session)
    // Whoever ended the user's sessions between proof and insert did not see this one: look once more.
    const after = await users.find(userId)
    const isMissing = after === null && !known.isExternal
    const isChanged = after !== null && (after.status !== 'active' || after.tokensNotBefore !== notBefore)
    if (!isMissing && !isChanged) return { session: toSessionView(session), cookieValue: raw }
    await afterwards(sessions.delete(id), () => invalidate('session', id))
    throw new MachineAuthError('login_failed')
  }

  /** A user's sessions that have not expired, newest first. Does not check who asks. */
  async list(userId: string): Promise<readonly SessionView[]> {
    const { sessions, options, clock } = this.#options
    const now = clock()
    const found = await sessions.listByUser(userId, now)
    const { idleTtl } = options
    return found.filter(({ lastSeenAt }) => idleTtl === null || now - lastSeenAt < idleTtl).map(toSessionView)
  }

  /**
   * As `list`, for those who manage users. Also of a user who may do more than the actor: a session's id opens nothing,
   * and who watches over users must be able to say that a stranger is logged in as the administrator.
   *
   * @throws MachineAuthError `not_found` for a user who is not there, or out of the actor's reach
   * @example const sessions = await core.sessions.listFor(user.id)
   */
  async listFor(userId: string, actor: Actor = SYSTEM): Promise<readonly SessionView[]> {
    await this.#requireReach(userId, actor)
    return this.list(userId)
  }

  /**
   * Ends a session.
   *
   * @param userId restricts it to that user's own
   * @throws MachineAuthError `not_found` when there is none, or it is another's
   */
  async end(id: string, userId?: string, actor: Actor = SYSTEM): Promise<void> {
    const { sessions, invalidate, audit } = this.#options
    const ended = await sessions.delete(id, userId)
    // Guessing at ids must not make the process search its memory.
    if (ended === null) return this.#refuse(id, actor)
    invalidate('session', id)
    const { userId: owner } = ended
    // It has ended, whether or not anybody can tell whose administrators may read of it.
    const organizationId = actor.organizationId ?? (await this.#organizationOf(owner))
    await audit.record({ action: 'session.ended', actor, subject: id, organizationId, details: { userId: owner } })
  }

  /**
   * Ends all sessions of a user; answers how many.
   *
   * @throws MachineAuthError `not_found` for a user who is not there, or out of the actor's reach; `permission_required`
   * for one who may do more than the actor, as for disabling him
   */
  async endAll(userId: string, actor: Actor = SYSTEM): Promise<number> {
    const { sessions, known, clock, invalidate, audit } = this.#options
    const user = await this.#requireReach(userId, actor)
    known.requireCovering(user, actor)
    const organizationId = user?.organizationId ?? null
    const ending = sessions.deleteByUser(userId, clock())
    const count = await afterwards(ending, () => invalidate('user', userId))
    const details = { count }
    await audit.record({ action: 'user.sessions_ended', actor, subject: userId, organizationId, details })
    return count
  }

  /** Another's session is not there either, but that somebody tried is written down. */
  async #refuse(id: string, actor: Actor): Promise<never> {
    const { sessions, audit } = this.#options
    if (await sessions.exists(id)) return audit.refuseOutOfReach(actor, id)
    throw new MachineAuthError('not_found')
  }

  async #organizationOf(userId: string): Promise<string | null> {
    const user = await this.#options.known.find(userId).catch(() => null)
    return user?.organizationId ?? null
  }

  /** Whom the app does not know has no organization that anybody could tell. */
  async #requireReach(userId: string, actor: Actor): Promise<KnownUser | null> {
    const { known, audit } = this.#options
    const user = await known.find(userId, actor)
    if (user === null && !known.isExternal) throw new MachineAuthError('not_found')
    const organizationId = user?.organizationId ?? null
    return isWithinReach(reachOf(actor), { organizationId, userId }) ? user : audit.refuseOutOfReach(actor, userId)
  }
}
