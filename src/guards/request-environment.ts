/** What reading and verifying a request's credentials needs; made once per core. */
import type { Authenticator } from '../authentication/authenticator.ts'
import type {
  ApiKeyPrincipal,
  Outcome,
  Principal,
  SessionPrincipal,
  TokenPrincipal,
} from '../authentication/principal.ts'
import type { MasterKeyThrottle } from '../limits/master-key-throttle.ts'
import type { LimitsPort } from './limits-port.ts'
import type { Presented } from './presented.ts'

export type Verifier<P extends Principal> = Pick<Authenticator<unknown, P>, 'peek' | 'resolve'>

export interface RequestEnvironment {
  readonly keyHeaders: readonly string[]
  readonly schemes: ReadonlySet<string>
  readonly keyPrefix: string
  readonly cookieName: string
  readonly trustedOrigins: readonly string[]
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
  /** Counts wrong master keys. */
  readonly masterKeys: Pick<MasterKeyThrottle, 'attempt'>
  /** Whether the master key may come from an address; null when from anywhere. */
  readonly masterKeyAllows: ((address: string) => boolean) | null
  /** The client's address, or null where nobody can tell. */
  readonly addressOf: (request: Request) => string | null
  readonly nextRequestId: () => string
  readonly limits: LimitsPort<Presented>
  /** Holds a request to what its route says, once that is known; throws where it refuses. */
  readonly onRoute: (presented: Presented, route: string, store: object) => void
}
