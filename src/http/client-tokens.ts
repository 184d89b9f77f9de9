/** `/token/new`, `/token/refresh`: token pairs for clients. */
import { createGate } from '../guards/gate.ts'
import { requireMasterKey } from '../guards/master-key.ts'
import type { TokenService } from '../tokens/service.ts'
import { createEndpoints, refusing } from './base.ts'
import { refresh } from './login.ts'
import { NewClientToken, RefreshBody, TokenResponse } from './models/tokens.ts'
import type { MountPoint } from './mount-point.ts'

const tags = ['Client tokens']

export function createClientTokenEndpoints(prefix: string, mount: MountPoint, tokens: TokenService) {
  return createEndpoints('client-tokens', mount)
    .macro('machineAuthMaster', (_: true) =>
      createGate({ name: 'masterKey', value: true }, (presented) => ({ actor: requireMasterKey(presented) })),
    )
    .post(
      `${prefix}/token/new`,
      ({ body, actor }) => tokens.issueForClient({ clientId: body?.client_id, permissions: body?.permissions }, actor),
      {
        machineAuthMaster: true,
        body: NewClientToken,
        response: { 200: TokenResponse },
        detail: {
          ...refusing(400, 413, 422),
          tags,
          summary: 'Issue a token pair to a client',
          description: 'A random `client_id` when none is given.',
        },
      },
    )
    .post(`${prefix}/token/refresh`, ({ body, request }) => refresh(tokens, body.refresh_token, request), {
      machineAuthPublic: true,
      body: RefreshBody,
      response: { 200: TokenResponse },
      detail: {
        ...refusing(400, 401, 413, 422, 503),
        tags,
        summary: 'Refresh a client’s token pair',
        description: 'Keeps the `client_id`.',
      },
    })
}
