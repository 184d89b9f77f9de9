/** What one request presents: read from its headers, and verified. */
import { MASTER, MASTER_KEY_HEADER } from '../authentication/master-key.ts'
import {
  type ApiKeyPrincipal,
  type MasterPrincipal,
  type Outcome,
  type Principal,
  type Refusal,
  type RefusedKey,
  refusal,
  type SessionPrincipal,
  type TokenPrincipal,
  unverifiable,
} from '../authentication/principal.ts'
import { type AuthorizationCredential, glanceAtJwt, parseAuthorization } from '../credentials/authorization.ts'
import { findCookie } from '../credentials/cookie.ts'
import { type ErrorCode, MachineAuthError } from '../errors.ts'
import { addressSubject } from '../limits/subjects.ts'
import type { CredentialEnvironment } from './credential-environment.ts'

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
export const WRONG: ReadonlySet<ErrorCode> = new Set(['api_key_invalid', 'token_invalid', 'master_key_invalid'])

export class Credentials<E extends CredentialEnvironment = CredentialEnvironment> {
  readonly request: Request
  protected readonly environment: E
  #key: Slot<ApiKeyPrincipal>
  #authorization: Slot<AuthorizationPrincipal>
  #authorizationKind: AuthorizationCredential['kind'] | undefined
  #bearerText: string | null = null
  /** Undefined until somebody asks. */
  #adminKey: string | null | undefined
  #session: Slot<SessionPrincipal>
  #address: string | null | undefined
  #waiting: Promise<void>[] | undefined

  constructor(environment: E, request: Request) {
    this.environment = environment
    this.request = request
  }

  /** Reads the credentials, and begins to look up those that are not known yet. */
  readCredentials(): void {
    const environment = this.environment
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
    const known = this.environment.apiKeys.peek(text)
    this.#key = known ?? null
    // A second key that was found meanwhile stands: it refuses both.
    if (known === undefined) {
      this.#wait(this.environment.apiKeys.resolve(text, this.#presenter), (outcome) => (this.#key ??= outcome))
    }
  }

  #takeAuthorization(header: string): void {
    const environment = this.environment
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
    apiKeys: CredentialEnvironment['apiKeys'],
    text: string,
    settle: (outcome: Outcome<ApiKeyPrincipal>) => void,
  ): void {
    this.#authorization = null
    const known = apiKeys.peek(text)
    if (known === undefined) this.#wait(apiKeys.resolve(text, this.#presenter), settle)
    else settle(known)
  }

  #verifyBearer({ apiKeys, bearers, schemes }: CredentialEnvironment, text: string): void {
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
    if (!isUnknown) this.#authorization = outcome
    else this.#authorization = outcome.isUnverifiable ? unverifiable(asToken) : asToken
    if (!isUnknown) this.#authorizationKind = 'apiKey'
  }

  #takeCookie(header: string): void {
    const cookie = findCookie(header, this.environment.cookieName)
    if (cookie.kind === 'absent') return
    if (cookie.kind === 'ambiguous') {
      this.#session = TWO_SESSIONS
      return
    }
    const known = this.environment.sessions.peek(cookie.value)
    this.#session = known ?? null
    if (known === undefined) {
      this.#wait(this.environment.sessions.resolve(cookie.value), (outcome) => (this.#session = outcome))
    }
  }

  #wait<P extends Principal>(verification: Promise<Outcome<P>>, settle: (outcome: Outcome<P>) => void): void {
    this.#waiting ??= []
    this.#waiting.push(verification.then(settle))
  }

  /** Whether it was read and verified as an environment says. */
  isReadBy(environment: E): boolean {
    return this.environment === environment
  }

  /** What must be waited for before any guard can decide; null when all is known. */
  takePending(): Promise<unknown> | null {
    const waiting = this.#waiting
    if (waiting === undefined) return null
    this.#waiting = undefined
    return waiting.length === 1 ? (waiting[0] ?? null) : Promise.all(waiting)
  }

  /** The client's address, normalized; null where nobody can tell. */
  get address(): string | null {
    if (this.#address === undefined) this.#address = this.environment.addressOf(this.request)
    return this.#address
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

  /** Whom its credentials were verified to be of, whether or not he is let in; null for nobody. Never throws. */
  protected get verified(): Principal | null {
    return principalIn(this.#authorization) ?? principalIn(this.#key) ?? principalIn(this.#session)
  }

  /** The kind of credential that was presented first of all; `none` without any. */
  get presentedKind(): 'apiKey' | 'jwt' | 'bearer' | 'session' | 'none' {
    if (this.#authorization !== undefined) {
      return this.#authorizationKind === 'jwt' || this.#authorizationKind === 'apiKey'
        ? this.#authorizationKind
        : 'bearer'
    }
    if (this.#key !== undefined) return 'apiKey'
    return this.#session === undefined ? 'none' : 'session'
  }

  /** The key whose text is right and which is refused all the same: it has expired, or was revoked. */
  get refusedKey(): RefusedKey | null {
    return refusedKeyIn(this.#authorization) ?? refusedKeyIn(this.#key)
  }

  /** Whether one of its credentials is unknown or forged, and not only of another kind than was asked for. */
  protected isForged(code: ErrorCode): boolean {
    if (code === 'master_key_invalid' && this.adminKey !== null) return true
    if (isWrong(this.#key)) return true
    // What nothing here can verify (`Basic`) may be meant for somebody else.
    if (this.#authorization === UNUSABLE) return false
    return isWrong(this.#authorization)
  }
}

/** A guard that runs before verification is done must refuse, never let through. */
function settled<P extends Principal>(slot: Slot<P>): Outcome<P> | undefined {
  if (slot === null)
    throw new MachineAuthError('internal_error', { detail: 'A guard ran before its credential was verified.' })
  return slot
}

/** Not of what nobody here can verify, since it is stored under another secret. */
function isWrong(slot: Slot<Principal>): boolean {
  return slot?.kind === 'refused' && WRONG.has(slot.code) && slot.isUnverifiable !== true
}

function principalIn(slot: Slot<Principal>): Principal | null {
  return slot === undefined || slot === null || slot.kind === 'refused' ? null : slot
}

function refusedKeyIn(slot: Slot<Principal>): RefusedKey | null {
  return slot?.kind === 'refused' ? (slot.refusedKey ?? null) : null
}
