/** `/login`, `/refresh`, `/logout`: token pairs for people. */

import { t } from 'elysia'
import type { LoginService } from '../accounts/login.ts'
import { isSameOrigin } from '../credentials/origin.ts'
import { MachineAuthError } from '../errors.ts'
import { presentedBy } from '../guards/state.ts'
import type { TokenService } from '../tokens/service.ts'
import type { TokenResponse } from '../tokens/token-response.ts'
import { UnverifiableTokenError } from '../tokens/unverifiable-token.ts'
import { createEndpoints, refusing } from './base.ts'
import { Login, RefreshBody, TokenResponse as TokenResponseModel } from './models/tokens.ts'
import type { MountPoint } from './mount-point.ts'

const tags = ['Tokens']

/** Another site must not log its visitor in as somebody else (login CSRF). */
export function requireOwnPage(headers: Headers, trustedOrigins: readonly string[]): void {
  if (!isSameOrigin(headers, trustedOrigins)) throw new MachineAuthError('csrf_rejected')
}

/** A refresh token that is unknown or forged counts as any other wrong credential. */
export async function refresh(tokens: TokenService, text: string, request: Request): Promise<TokenResponse> {
  try {
    return await tokens.refresh(text)
  } catch (error) {
    const isWrong = error instanceof MachineAuthError && error.code === 'token_invalid'
    throw isWrong && !(error instanceof UnverifiableTokenError) ? presentedBy(request).refuseForged(error.code) : error
  }
}

export function createLoginEndpoints(
  prefix: string,
  mount: MountPoint,
  services: { readonly login: LoginService; readonly tokens: TokenService },
  trustedOrigins: readonly string[],
) {
  const { login, tokens } = services
  return createEndpoints('login', mount)
    .post(
      `${prefix}/login`,
      async ({ body, request }) => {
        requireOwnPage(request.headers, trustedOrigins)
        const { address } = presentedBy(request)
        return tokens.issueForUser(await login.verify(body.email, body.password, { address }))
      },
      {
        machineAuthPublic: true,
        body: Login,
        response: { 200: TokenResponseModel },
        detail: {
          ...refusing(400, 401, 403, 413, 422, 429, 503),
          tags,
          summary: 'Log in',
          description: 'Answers an access token and a refresh token.',
        },
      },
    )
    .post(`${prefix}/refresh`, ({ body, request }) => refresh(tokens, body.refresh_token, request), {
      machineAuthPublic: true,
      body: RefreshBody,
      response: { 200: TokenResponseModel },
      detail: {
        ...refusing(400, 401, 413, 422, 503),
        tags,
        summary: 'Refresh a token pair',
        description: 'The old refresh token is spent; using it again later ends the whole family.',
      },
    })
    .post(
      `${prefix}/logout`,
      async ({ body, set }) => {
        await tokens.logout(body.refresh_token)
        set.status = 204
      },
      {
        machineAuthPublic: true,
        body: RefreshBody,
        response: { 204: t.Void() },
        detail: {
          ...refusing(400, 413, 422, 503),
          tags,
          summary: 'Log out',
          description: 'Always 204. The pair and its access tokens are refused from then on.',
        },
      },
    )
}
