/** `/me`: who the request is taken for. */
import type { Principal } from '../authentication/principal.ts'
import { createEndpoints } from './base.ts'
import { Me } from './models/me.ts'
import type { MountPoint } from './mount-point.ts'

function describe(principal: Principal) {
  const { kind, id, organizationId, user, granted } = principal
  return {
    principal: { kind, id, organizationId },
    ...(user === null
      ? {}
      : {
          // An app's own user may hold members that are nobody's business here.
          user: {
            id: user.id,
            email: user.email,
            roles: [...user.roles],
            permissions: [...user.permissions],
            organizationId: user.organizationId,
          },
        }),
    ...(principal.kind === 'apiKey' ? { apiKey: principal.apiKey } : {}),
    permissions: [...granted.names],
  }
}

export function createMeEndpoint(prefix: string, mount: MountPoint) {
  return createEndpoints('me', mount).get(`${prefix}/me`, ({ actor }) => describe(actor), {
    machineAuthAny: true,
    response: { 200: Me },
    detail: { tags: ['Me'], summary: 'Who am I?' },
  })
}
