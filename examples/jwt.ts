/**
 * Token pairs for an app or a single-page front end, and another service that verifies them without this server.
 * Run `bun examples/jwt.ts`, then POST /auth/login, /auth/refresh and /auth/logout. Everything is kept in memory.
 */
import { Elysia } from 'elysia'
import { createMachineAuth, machineAuth } from 'elysia-machine-auth'
import { createRemoteJWKSet, jwtVerify } from 'jose'

const ISSUER = 'https://accounts.example.com'
const AUDIENCE = 'https://api.example.com'

export async function createApp(password = process.env.DEMO_PASSWORD || crypto.randomUUID()) {
  const core = createMachineAuth({
    database: 'sqlite::memory:',
    roles: { admin: ['*'], customer: [] },
    jwt: { issuer: ISSUER, audience: AUDIENCE, accessTtl: '5m', refreshTtl: '14d' },
    // Put into every access token. Names that decide something (sub, roles, exp …) cannot be set here.
    claims: ({ roles }) => ({ plan: roles.includes('admin') ? 'unlimited' : 'basic' }),
  })
  const { id } = await core.users.create({ email: 'alice@example.com', password, roles: ['customer'] })
  console.log(`POST /auth/login { "email": "alice@example.com", "password": "${password}" }`)

  return (
    new Elysia()
      .use(machineAuth(core))
      // Any token will do here, also a client's from /auth/token/new, which has no user.
      .get('/token', ({ bearerToken }) => ({ expiresAt: bearerToken.expiresAt, plan: bearerToken.claims.plan }), {
        bearerToken: true,
      })
      // Here a user is wanted, and only by token: not by API key, not by cookie.
      .get('/profile', ({ currentUser }) => ({ id: currentUser.id, isAlice: currentUser.id === id }), {
        currentUser: { via: ['jwt'] },
      })
  )
}

/**
 * What a service elsewhere does, in any language: it needs the address of the public keys, no secret and no database.
 * It does not hear of a logout: there the token lives until `exp`, five minutes at most.
 *
 * @param origin of the app above
 */
export function createVerifier(origin: string) {
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', origin))
  return async (token: string) => {
    const { payload } = await jwtVerify(token, keys, {
      algorithms: ['EdDSA'],
      typ: 'at+jwt',
      issuer: ISSUER,
      audience: AUDIENCE,
    })
    return payload
  }
}

if (import.meta.main) (await createApp()).listen(process.env.PORT ?? 3000)
