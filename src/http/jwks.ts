/** `/.well-known/jwks.json`: the public halves of the signing keys. */
import { t } from 'elysia'
import type { SigningKeys } from '../tokens/signing-keys.ts'
import { createEndpoints } from './base.ts'
import type { MountPoint } from './mount-point.ts'

// Typed as the service types it, whose lists are read-only.
const JwkSet = t.Unsafe<Awaited<ReturnType<SigningKeys['jwks']>>>(
  t.Object(
    { keys: t.Array(t.Record(t.String(), t.String()), { description: 'JWKs (RFC 7517), each with its `kid`.' }) },
    { description: 'The public halves of the signing keys.' },
  ),
)

export function createJwksEndpoint(mount: MountPoint, signingKeys: SigningKeys) {
  return createEndpoints('jwks', mount).get(
    '/.well-known/jwks.json',
    async ({ set }) => {
      set.headers['cache-control'] = 'public, max-age=300'
      return signingKeys.jwks()
    },
    {
      machineAuthPublic: true,
      response: { 200: JwkSet },
      detail: {
        tags: ['Tokens'],
        summary: 'Public signing keys',
        description: 'A JWK set (RFC 7517) by which other services verify access tokens themselves.',
      },
    },
  )
}
