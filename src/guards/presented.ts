/** What one request presents, and what came of it. One object per request, shared by all its guards. */
import { MASTER, MASTER_KEY_HEADER } from '../authentication/master-key.ts'
import {
  type ApiKeyPrincipal,
  type MasterPrincipal,
  type Outcome,
  type Principal,
  type Refusal,
  refusal,
  type SessionPrincipal,
  type TokenPrincipal,
} from '../authentication/principal.ts'
import { type AuthorizationCredential, glanceAtJwt, parseAuthorization } from '../credentials/authorization.ts'
import { findCookie } from '../credentials/cookie.ts'
import { isSameOrigin, isUnsafeRequest } from '../credentials/origin.ts'
import { type ErrorCode, type ErrorExtras, MachineAuthError, statusOf } from '../errors.ts'
import { addressSubject } from '../limits/subjects.ts'
import { Charges } from './charges.ts'
import type { LimitsPort } from './limits-port.ts'
import type { RequestEnvironment } from './request-environment.ts'
import type { AnswerHeaders } from './vary.ts'

/** undefined: not presented. null: being verified. */
type Slot<P extends Principal> = Outcome<P> | null | undefined
type AuthorizationPrincipal = ApiKeyPrincipal | TokenPrincipal | MasterPrincipal

const TWO_KEYS = refusal('request_malformed', { detail: 'Present one API key, not several.' })
const TWO_TOKENS = refusal('request_malformed', { detail: 'Present one Authorization credential, not several.' })
const TWO_SESSIONS = refusal('request_malformed', { detail: 'Present one session cookie, not several.' })
const UNUSABLE = refusal('token_invalid')

/**
 * Of a credential that is unknown or forged. Not of sessions: browsers go on sending the cookie of one that has ended,
 * and everybody behind their address would be blocked for it.
 */
const WRONG: ReadonlySet<ErrorCode> = new Set(['api_key_invalid', 'token_invalid', 'master_key_invalid'])

const REQUEST_ID = /^[A-Za-z0-9._-]{8,128}$/

export class Presented {
  readonly request: Request
  readonly #environment: RequestEnvironment
  #key: Slot<ApiKeyPrincipal>
  #authorization: Slot<AuthorizationPrincipal>
  #authorizationKind: AuthorizationCredential['kind'] | undefined
  #bearerText: string | null = null
  /** Undefined until somebody asks. */
  #adminKey: string | null | undefined
  /** ms; undefined until a guard asked for the master key. */
  #masterKeyWait: number | undefined
  #session: Slot<SessionPrincipal>
  #requestId: string | undefined
  #address: string | null | undefined
  #principal: Principal | null = null
  #waiting: Promise<void>[] | undefined
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
  /** Whether the plugin's own hook has seen it: one that stands before it may answer first. */
  isMet = false
  /** Whether limits that its route has have counted it, or refused to. */
  isCountedByRoute = false

  constructor(environment: RequestEnvironment, request: Request) {
    this.#environment = environment
    this.request = request
  }

  /** Reads the credentials, and begins to look up those that are not known yet. */
  readCredentials(): void {
    const environment = this.#environment
    const { headers } = this.request
    for (const name of environment.keyHeaders) {
      const key = headers.get(name)
      if (key !== null) this.#takeKey(key)
    }
    const authorization = headers.get('authorization')
    if (authorization !== null) this.#takeAuthorization(authorization)
    const cookies = headers.get('cookie')
    if (cookies !== null) this.#takeCookie(cookies)
  }

  #takeKey(text: string): void {
    if (this.#key !== undefined || text.includes(',')) {
      this.#key = TWO_KEYS
      return
    }
    const known = this.#environment.apiKeys.peek(text)
    this.#key = known ?? null
    // A second key that was found meanwhile stands: it refuses both.
    if (known === undefined) {
      this.#wait(this.#environment.apiKeys.resolve(text, this.#presenter), (outcome) => (this.#key ??= outcome))
    }
  }

  #takeAuthorization(header: string): void {
    const environment = this.#environment
    const glance = glanceAtJwt(header)
    const known = glance === null ? undefined : environment.jwts.peek(glance)
    if (known !== undefined && known.kind !== 'refused') {
      // A token that was verified before need not be taken apart again.
      this.#authorizationKind = 'jwt'
      this.#authorization = known
      return
    }
    const credential = parseAuthorization(header, environment.schemes, environment.keyPrefix)
    this.#authorizationKind = credential.kind
    switch (credential.kind) {
      case 'unusable':
        this.#authorization = UNUSABLE
        return
      case 'ambiguous':
        this.#authorization = TWO_TOKENS
        return
      case 'bearer':
        this.#bearerText = credential.text
        // Looked at first, so that the master key never reaches an app's own verifier.
        if (environment.isMasterKey(credential.text)) this.#authorization = MASTER
        else this.#verifyBearer(environment, credential.text)
        return
      case 'jwt':
        this.#authorization = null
        this.#wait(environment.jwts.resolve(credential.text), (outcome) => (this.#authorization = outcome))
        return
      case 'apiKey':
        this.#verifyKey(environment.apiKeys, credential.text, (outcome) => (this.#authorization = outcome))
    }
  }

  /** Whom unknown texts count against. */
  get #presenter(): string {
    return addressSubject(this.address)
  }

  #verifyKey(
    apiKeys: RequestEnvironment['apiKeys'],
    text: string,
    settle: (outcome: Outcome<ApiKeyPrincipal>) => void,
  ): void {
    this.#authorization = null
    const known = apiKeys.peek(text)
    if (known === undefined) this.#wait(apiKeys.resolve(text, this.#presenter), settle)
    else settle(known)
  }

  #verifyBearer({ apiKeys, bearers, schemes }: RequestEnvironment, text: string): void {
    const known = bearers.peek(text)
    this.#authorization = known ?? null
    if (known === undefined) this.#wait(bearers.resolve(text), (outcome) => (this.#authorization = outcome))
    // It has not the form of a token, and no verifier of the app's is to be asked: it may be a key made elsewhere.
    else if (known.kind === 'refused' && schemes.has('bearer') && apiKeys.claims(text)) {
      this.#verifyKey(apiKeys, text, (outcome) => this.#takeForeignBearer(outcome, known))
    }
  }

  /** @param asToken what the text is refused with where it is no key either */
  #takeForeignBearer(outcome: Outcome<ApiKeyPrincipal>, asToken: Refusal): void {
    const isUnknown = outcome.kind === 'refused' && outcome.code === 'api_key_invalid'
    this.#authorization = isUnknown ? asToken : outcome
    if (!isUnknown) this.#authorizationKind = 'apiKey'
    // What was found out to be a key is no guess at the master key.
    if (outcome.kind !== 'refused' || (!isUnknown && statusOf(outcome.code) < 429)) this.#bearerText = null
  }

  #takeCookie(header: string): void {
    const cookie = findCookie(header, this.#environment.cookieName)
    if (cookie.kind === 'absent') return
    if (cookie.kind === 'ambiguous') {
      this.#session = TWO_SESSIONS
      return
    }
    const known = this.#environment.sessions.peek(cookie.value)
    this.#session = known ?? null
    if (known === undefined) {
      this.#wait(this.#environment.sessions.resolve(cookie.value), (outcome) => (this.#session = outcome))
    }
  }

  #wait<P extends Principal>(verification: Promise<Outcome<P>>, settle: (outcome: Outcome<P>) => void): void {
    this.#waiting ??= []
    this.#waiting.push(verification.then(settle))
  }

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
    this.#environment.onRoute(this, route, store)
  }

  /** Whether it was read and verified as an environment says. */
  isReadBy(environment: RequestEnvironment): boolean {
    return this.#environment === environment
  }

  /** What must be waited for before any guard can decide; null when all is known. */
  takePending(): Promise<unknown> | null {
    const waiting = this.#waiting
    if (waiting === undefined) return null
    this.#waiting = undefined
    return waiting.length === 1 ? (waiting[0] ?? null) : Promise.all(waiting)
  }

  /** Kept from the caller when well formed, else made; the same in answer, problem body and log. */
  get requestId(): string {
    if (this.#requestId === undefined) {
      const given = this.request.headers.get('x-request-id')
      this.#requestId = given !== null && REQUEST_ID.test(given) ? given : this.#environment.nextRequestId()
    }
    return this.#requestId
  }

  /** The client's address, normalized; null where nobody can tell. */
  get address(): string | null {
    if (this.#address === undefined) this.#address = this.#environment.addressOf(this.request)
    return this.#address
  }

  /** Who is asking, as far as a guard or dependency has found out; null until then. */
  get principal(): Principal | null {
    return this.#principal
  }

  /** What the `Authorization` header holds, if there is one. */
  get authorizationKind(): AuthorizationCredential['kind'] | undefined {
    return this.#authorizationKind
  }

  /** The bearer token that is neither an API key nor a JWT; null without one. */
  get bearerText(): string | null {
    return this.#bearerText
  }

  /** What `X-Admin-Key` holds; null without it. */
  get adminKey(): string | null {
    if (this.#adminKey === undefined) this.#adminKey = this.request.headers.get(MASTER_KEY_HEADER)
    return this.#adminKey
  }

  get key(): Outcome<ApiKeyPrincipal> | undefined {
    return settled(this.#key)
  }

  get authorization(): Outcome<AuthorizationPrincipal> | undefined {
    return settled(this.#authorization)
  }

  get session(): Outcome<SessionPrincipal> | undefined {
    return settled(this.#session)
  }

  /** The credential that speaks for the caller: Authorization, then the key header, then the cookie. */
  get foremost(): Outcome | undefined {
    if (this.#key !== undefined && this.#authorizationKind === 'apiKey') return TWO_KEYS
    return this.authorization ?? this.key ?? this.session
  }

  get limits(): LimitsPort<Presented> {
    return this.#environment.limits
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
      const outcome = this.#key === undefined ? this.authorization : this.key
      const principal = this.#unobjectionable(outcome)
      this.#speakingKey = principal?.kind === 'apiKey' ? principal : null
    }
    return this.#speakingKey
  }

  /** The API key that speaks for the request. */
  get foremostKey(): ApiKeyPrincipal | null {
    return this.speaker?.kind === 'apiKey' ? this.speaker : null
  }

  #unobjectionable(outcome: Outcome | undefined): Principal | null {
    if (outcome === undefined || outcome.kind === 'refused') return null
    return this.#objectionTo(outcome) === null ? outcome : null
  }

  /** Notes that a guard refused the request: it is thrown where it can be rendered, and uses up no quota. */
  refuseWith(refused: unknown): unknown {
    this.refused = refused
    this.charges?.refund()
    return refused
  }

  /** The error of a refusal, with this request's id. */
  refuse(code: Refusal['code'], extras?: ErrorExtras): MachineAuthError {
    const wait = this.#isWrongNoted || !WRONG.has(code) || !this.#isForged(code) ? 0 : this.#noteWrong()
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
    this.#masterKeyWait ??= this.#environment.masterKeys.attempt(isRight, this.address, this.requestId)
    return this.#masterKeyWait
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

  /** Whether one of its credentials is unknown or forged, and not only of another kind than was asked for. */
  #isForged(code: ErrorCode): boolean {
    if (code === 'master_key_invalid' && this.adminKey !== null) return true
    if (this.#key?.kind === 'refused' && WRONG.has(this.#key.code)) return true
    // What nothing here can verify (`Basic`) may be meant for somebody else.
    if (this.#authorization === UNUSABLE) return false
    return this.#authorization?.kind === 'refused' && WRONG.has(this.#authorization.code)
  }

  #noteWrong(): number {
    this.#isWrongNoted = true
    return this.#environment.limits.noteWrong(this.address)
  }

  #refuse(code: Refusal['code'], extras?: ErrorExtras): MachineAuthError {
    // A refusal is an answer, not a fault: nobody reads its stack, and taking one costs more than the whole guard.
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
    const { limits } = this.#environment
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
        if (!this.#isAllowed(this.#environment.masterKeyAllows)) return 'ip_not_allowed'
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
    return isSameOrigin(this.request.headers, this.#environment.trustedOrigins)
  }

  /** Says in an answer how its limits stand, and that its API key expires soon. */
  writeHeaders(headers: AnswerHeaders): void {
    if (this.#keyExpires !== null) headers['x-api-key-expires'] = this.#keyExpires
    if (this.charges !== null) this.#environment.limits.writeHeaders(this, headers)
  }

  /** Whether a text is the master key; compared in constant time. */
  isMasterKey(text: string): boolean {
    return this.#environment.isMasterKey(text)
  }
}

/** A guard that runs before verification is done must refuse, never let through. */
function settled<P extends Principal>(slot: Slot<P>): Outcome<P> | undefined {
  if (slot === null)
    throw new MachineAuthError('internal_error', { detail: 'A guard ran before its credential was verified.' })
  return slot
}
