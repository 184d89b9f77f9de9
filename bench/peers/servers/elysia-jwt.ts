/** `@elysiajs/jwt` and `@elysiajs/bearer`, as their pages say: `bun bench/peers/servers/elysia-jwt.ts VARIANT`. */
import { bearer } from '@elysiajs/bearer'
import { jwt } from '@elysiajs/jwt'
import { Elysia } from 'elysia'
import { announce } from '../announce.ts'
import { createClaims } from '../claims.ts'
import { bearerOf, forge, LISTENING, TOKENS } from '../figures.ts'

const isFirstSeen = process.argv[2] === 'first-seen'

const app = new Elysia()
  .use(jwt({ name: 'jwt', secret: 'a-secret-of-the-bench-0123456789-abcdefghij' }))
  .use(bearer())
  .get('/', async ({ jwt, bearer, status }) => {
    const claims = await jwt.verify(bearer)
    if (!claims) return status(401, 'Unauthorized')
    return claims.sub
  })
  .listen(LISTENING)

const token = await app.decorator.jwt.sign(createClaims())
const values: string[] = []
while (isFirstSeen && values.length < TOKENS) {
  values.push(bearerOf(await app.decorator.jwt.sign(createClaims())).authorization)
}
await announce({
  port: app.server?.port ?? 0,
  headers: bearerOf(token),
  ...(isFirstSeen && { inTurn: { name: 'authorization', values } }),
  refusals: [
    { headers: {}, status: 401 },
    { headers: bearerOf(forge(token)), status: 401 },
  ],
})
