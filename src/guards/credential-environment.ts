/** What reading and verifying a request's credentials needs; made once per core. */
import type { Authenticator } from '../authentication/authenticator.ts'
import type {
  ApiKeyPrincipal,
  Outcome,
  Principal,
  SessionPrincipal,
  TokenPrincipal,
} from '../authentication/principal.ts'

type Verifier<P extends Principal> = Pick<Authenticator<unknown, P>, 'peek' | 'resolve'>

export interface CredentialEnvironment {
  readonly keyHeaders: readonly string[]
  readonly schemes: ReadonlySet<string>
  readonly keyPrefix: string
  readonly cookieName: string
  readonly apiKeys: {
    peek(text: string): Outcome<ApiKeyPrincipal> | undefined
    /** @param presenter whom an unknown text counts against */
    resolve(text: string, presenter: string): Promise<Outcome<ApiKeyPrincipal>>
    /** Whether a text may be a key made elsewhere. */
    claims(text: string): boolean
  }
  readonly jwts: Verifier<TokenPrincipal>
  readonly bearers: Verifier<TokenPrincipal>
  readonly sessions: Verifier<SessionPrincipal>
  readonly isMasterKey: (text: string) => boolean
  /** The client's address, or null where nobody can tell. */
  readonly addressOf: (request: Request) => string | null
}
