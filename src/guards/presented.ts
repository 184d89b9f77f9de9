/** What came of one request and what it presents. One object per request, shared by all its guards. */
import type { ApiKeyPrincipal, Outcome, Principal, Refusal } from '../authentication/principal.ts'
import { isSameOrigin, isUnsafeRequest } from '../credentials/origin.ts'
import { type ErrorCode, type ErrorExtras, MachineAuthError } from '../errors.ts'
import type { MasterKeyThrottle } from '../limits/master-key-throttle.ts'
import { Charges } from './charges.ts'
import type { CredentialEnvironment } from './credential-environment.ts'
import { Credentials, WRONG } from './credentials.ts'
import type { LimitsPort } from './limits-port.ts'
import { givenRequestId } from './request-id.ts'
import type { CollectedAnswer, StatusAnswer } from './status-answers.ts'
import type { AnswerHeaders } from './vary.ts'

/** What a request's credentials, limits and rules need; made once per core. */
export interface RequestEnvironment extends CredentialEnvironment {
  readonly trustedOrigins: readonly string[]
  /** Counts wrong master keys. */
  readonly masterKeys: Pick<MasterKeyThrottle, 'attempt'>
  /** Whether the master key may come from an address; null when from anywhere. */
  readonly masterKeyAllows: ((address: string) => boolean) | null
  readonly nextRequestId: () => string
  readonly limits: LimitsPort<Presented>
  /** Called once for each request, before anything of its answer is made. */
  readonly onMet: (headers: AnswerHeaders) => void
  /** The answer to a refusal that nobody else hears of; null for one that must be thrown. */
  readonly answerRefused: (refused: unknown, presented: Presented, set: CollectedAnswer) => StatusAnswer | null
  /** Holds a request to what its route says, once that is known; throws where it refuses. */
  readonly onRoute: (presented: Presented, route: string, store: object) => void
}

export class Presented extends Credentials<RequestEnvironment> {
  /** ms; undefined until a guard asked for the master key. */
  #masterKeyWait: number | undefined
  #requestId: string | undefined
  #principal: Principal | null = null
  #isWrongNoted = false
  /** Undefined until somebody asks. */
  #speaker: Principal | null | undefined
  #speakingKey: ApiKeyPrincipal | null | undefined
  /** When the API key that was proven expires, if that is soon. RFC 3339. */
  #keyExpires: string | null = null
  /** What limits counted it for; null when none did. */
  charges: Charges | null = null
  /** The pattern of the route it has reached; null until then. */
  route: string | null = null
  /** Set when a guard refused before the body was read; the refusal is thrown where it can be rendered. */
  refused: unknown = null
  /** Set when its address alone was enough to refuse it, before its credentials were read. */
  early: MachineAuthError | null = null
  /** Whether the default limit did not count it, because its URL is that of a route with limits of its own. */
  isExcepted = false
  /** Whether it asks how this is, which is answered at once and to anybody. */
  isProbe = false
  /** Whether a hook of the plugin has seen it: one that stands before it may answer first. */
  isMet = false
  /** What it is to be given to, as long as there is something to learn of where that leads; else null. */
  handler: object | null = null
  /** Whether limits that its route has have counted it, or refused to. */
  isCountedByRoute = false
  /** Whether a guard of its route has looked at it. */
  isGuarded = false
  /** The code of the problem it was answered with last; null for none. */
  code: ErrorCode | null = null

  /**
   * Notes the route that was found, and holds the request to what its URL may not have shown: the router chooses by
   * what the client sent (`/posts/..`), which the URL no longer tells.
   *
   * @param store of the app that serves it
   * @throws MachineAuthError as a `protect` rule, a block or the default limit refuses
   */
  reach(route: string, store: object): void {
    if (this.route === route) return
    this.route = route
    this.environment.onRoute(this, route, store)
  }

  /** Begins its answer, once: every answer that Elysia makes has its id then. */
  meet(headers: AnswerHeaders): void {
    if (this.isMet) return
    this.isMet = true
    headers['x-request-id'] = this.requestId
    this.environment.onMet(headers)
  }

  /** Kept from the caller when well formed, else made; the same in answer, problem body and log. */
  get requestId(): string {
    this.#requestId ??= givenRequestId(this.request.headers) ?? this.environment.nextRequestId()
    return this.#requestId
  }

  /** Who is asking, as far as a guard or dependency has found out; null until then. */
  get principal(): Principal | null {
    return this.#principal
  }

  /** Whom it comes from, as far as that was verified, whether or not he was let in; null for nobody. */
  get caller(): Principal | null {
    return this.#principal ?? this.verified
  }

  get limits(): LimitsPort<Presented> {
    return this.environment.limits
  }

  ensureCharges(): Charges {
    this.charges ??= new Charges()
    return this.charges
  }

  /** Whom the request speaks for, as limits count: null for nobody, and for a credential that may not be used here. */
  get speaker(): Principal | null {
    if (this.#speaker === undefined) {
      // A useless header beside a good key or session is no way to be counted as somebody else.
      this.#speaker =
        this.#unobjectionable(this.foremost) ?? this.#unobjectionable(this.key) ?? this.#unobjectionable(this.session)
    }
    return this.#speaker
  }

  /** Has limits of a handler count who was proven before, whatever else the request presents. */
  speakAsProven(): void {
    if (this.#principal !== null) this.#speaker = this.#principal
  }

  /** Has limits count whom the guards of the route will ask for, whatever else the request presents. */
  speakBy(kind: 'apiKey' | 'session'): void {
    this.#speaker = kind === 'apiKey' ? this.speakingKey : this.#unobjectionable(this.session)
  }

  /** Its API key, whether or not another credential speaks for the request. */
  get speakingKey(): ApiKeyPrincipal | null {
    if (this.#speakingKey === undefined) {
      this.#speakingKey = this.unobjectionableKey(this.key ?? this.authorization)
    }
    return this.#speakingKey
  }

  /** The API key that speaks for the request. */
  get foremostKey(): ApiKeyPrincipal | null {
    return this.speaker?.kind === 'apiKey' ? this.speaker : null
  }

  /** Runs with limits counting as `speakBy` says, and as they did before again afterwards. */
  whileSpokenBy<T>(kind: 'apiKey' | 'session' | undefined, run: () => T): T {
    const before = this.#speaker
    if (kind !== undefined) this.speakBy(kind)
    try {
      return run()
    } finally {
      this.#speaker = before
    }
  }

  /** The API key that a credential is, if it may be used here. */
  unobjectionableKey(outcome: Outcome | undefined): ApiKeyPrincipal | null {
    const principal = this.#unobjectionable(outcome)
    return principal?.kind === 'apiKey' ? principal : null
  }

  #unobjectionable(outcome: Outcome | undefined): Principal | null {
    if (outcome === undefined || outcome.kind === 'refused') return null
    return this.#objectionTo(outcome) === null ? outcome : null
  }

  /**
   * The answer of a hook that refuses the request.
   *
   * @throws what it was refused with, where others hear of that or it is a fault
   */
  answerRefused(refused: unknown, set: CollectedAnswer): StatusAnswer {
    this.refuseWith(refused)
    const answer = this.environment.answerRefused(refused, this, set)
    if (answer === null) throw refused
    return answer
  }

  /** Notes that a guard refused the request: it is thrown where it can be rendered, and uses up no quota. */
  refuseWith(refused: unknown): unknown {
    this.refused = refused
    this.charges?.refund()
    return refused
  }

  /** The error of a refusal, with this request's id. */
  refuse(code: Refusal['code'], extras?: ErrorExtras): MachineAuthError {
    const wait = this.#isWrongNoted || !WRONG.has(code) || !this.isForged(code) ? 0 : this.#noteWrong()
    return this.#refuseAfter(wait, code, extras)
  }

  /** As `refuse`, for a credential that came in the body and is unknown or forged. */
  refuseForged(code: Refusal['code'], extras?: ErrorExtras): MachineAuthError {
    return this.#refuseAfter(this.#isWrongNoted ? 0 : this.#noteWrong(), code, extras)
  }

  /**
   * Counts what it presents as the master key, once for however many guards ask.
   *
   * @returns ms that its address must wait before it may try again
   */
  attemptMasterKey(isRight: boolean): number {
    this.#masterKeyWait ??= this.environment.masterKeys.attempt(isRight, this.address, this.requestId)
    return this.#masterKeyWait
  }

  /** Whether a guard took something that it presents for the master key, or for a guess at it. */
  get isMasterKeyTried(): boolean {
    return this.#masterKeyWait !== undefined
  }

  /** The refusal of a master key whose address must wait. @param wait ms */
  refuseLockedOut(isRight: boolean, wait: number): MachineAuthError {
    const extras = { retryAfter: wait / 1000 }
    return isRight ? this.#refuse('locked_out', extras) : this.refuseForged('locked_out', extras)
  }

  #refuseAfter(wait: number, code: Refusal['code'], extras?: ErrorExtras): MachineAuthError {
    if (wait === 0) return this.#refuse(code, extras)
    return this.#refuse('address_blocked', {
      detail: 'Too many wrong credentials were presented.',
      retryAfter: wait / 1000,
    })
  }

  #noteWrong(): number {
    this.#isWrongNoted = true
    return this.environment.limits.noteWrong(this)
  }

  #refuse(code: Refusal['code'], extras?: ErrorExtras): MachineAuthError {
    // A refusal is an answer, not a fault: nobody reads its stack, and taking one costs more than the whole guard.
    this.code = code
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    const error = new MachineAuthError(code, extras)
    Error.stackTraceLimit = stackTraceLimit
    error.requestId = this.requestId
    return error
  }

  /**
   * Demands that an outcome is a principal that may be used from here, is not blocked, and stays under its limits.
   *
   * @throws MachineAuthError the outcome's refusal; `ip_not_allowed`; `csrf_rejected`; `address_blocked`, `locked_out`;
   * `rate_limited`, `quota_exceeded`
   */
  prove<P extends Principal>(outcome: Outcome<P>): P {
    if (outcome.kind === 'refused') throw this.refuse(outcome.code, outcome.extras)
    const objection = this.#objectionTo(outcome)
    if (objection !== null) throw this.refuse(objection)
    const { limits } = this.environment
    limits.requireUnblocked(this, outcome)
    if (outcome.kind === 'apiKey') {
      this.#keyExpires = outcome.expiryWarning
      limits.chargeKey(this, outcome)
    }
    this.#principal ??= outcome
    return outcome
  }

  /** Why a principal may not be used from here, or null. */
  #objectionTo(principal: Principal): 'ip_not_allowed' | 'csrf_rejected' | null {
    switch (principal.kind) {
      case 'apiKey':
        return this.#isAllowed(principal.allowsAddress) ? null : 'ip_not_allowed'
      case 'session':
        return this.#isOwnPage() ? null : 'csrf_rejected'
      case 'master':
        if (!this.#isAllowed(this.environment.masterKeyAllows)) return 'ip_not_allowed'
        return this.#isOwnPage() ? null : 'csrf_rejected'
      default:
        return null
    }
  }

  #isAllowed(allows: ((address: string) => boolean) | null): boolean {
    return allows === null || (this.address !== null && allows(this.address))
  }

  #isOwnPage(): boolean {
    if (!isUnsafeRequest(this.request)) return true
    return isSameOrigin(this.request.headers, this.environment.trustedOrigins)
  }

  /** Says in an answer how its limits stand, and that its API key expires soon. */
  writeHeaders(headers: AnswerHeaders): void {
    if (this.#keyExpires !== null) headers['x-api-key-expires'] = this.#keyExpires
    if (this.charges !== null) this.environment.limits.writeHeaders(this, headers)
  }

  /** Whether a text is the master key; compared in constant time. */
  isMasterKey(text: string): boolean {
    return this.environment.isMasterKey(text)
  }
}
