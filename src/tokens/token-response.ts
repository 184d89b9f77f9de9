import type { TokenSubject } from './access-tokens.ts'

/** RFC 6749 section 5.1. `expires_in` is seconds. */
export interface TokenResponse {
  readonly access_token: string
  readonly refresh_token: string
  readonly token_type: 'Bearer'
  readonly expires_in: number
  readonly client_id?: string
}

/** What both issuing and refreshing answer. */
export function createTokenResponse(
  subject: TokenSubject,
  tokens: { readonly accessToken: string; readonly refreshToken: string },
  accessTtl: number,
): TokenResponse {
  return {
    access_token: tokens.accessToken,
    refresh_token: tokens.refreshToken,
    token_type: 'Bearer',
    expires_in: Math.floor(accessTtl / 1000),
    ...(subject.kind === 'client' ? { client_id: subject.clientId } : {}),
  }
}
