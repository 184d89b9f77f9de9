/** hono on Bun, as its pages say: `bun bench/peers/servers/hono.ts VARIANT`. */
import { Hono } from 'hono'
import { bearerAuth } from 'hono/bearer-auth'
import { jwt, sign } from 'hono/jwt'
import { announce } from '../announce.ts'
import { createClaims } from '../claims.ts'
import { bearerOf, forge, LISTENING } from '../figures.ts'

const SECRET = 'a-secret-of-the-bench-0123456789-abcdefghij'

interface Guarded {
  readonly app: Hono
  /** None for what guards nothing. */
  readonly token: string | null
}

const VARIANTS: Readonly<Record<string, () => Guarded | Promise<Guarded>>> = {
  bare: () => ({ app: new Hono(), token: null }),
  bearer: () => {
    const token = 'bench_0123456789abcdefghijklmnopqrstuvwxyz'
    const app = new Hono()
    app.use('/', bearerAuth({ token }))
    return { app, token }
  },
  jwt: async () => {
    const app = new Hono()
    app.use('/', jwt({ secret: SECRET, alg: 'HS256' }))
    return { app, token: await sign({ ...createClaims(), iat: Math.floor(Date.now() / 1000) }, SECRET, 'HS256') }
  },
}

const variant = VARIANTS[process.argv[2] ?? '']
if (variant === undefined) throw new Error(`Name one of: ${Object.keys(VARIANTS).join(', ')}`)
const { app, token } = await variant()
app.get('/', (context) => context.text('bench'))
const { port } = Bun.serve({ ...LISTENING, fetch: app.fetch })
await announce({
  port: port ?? 0,
  headers: token === null ? {} : bearerOf(token),
  refusals:
    token === null
      ? []
      : [
          { headers: {}, status: 401 },
          { headers: bearerOf(forge(token)), status: 401 },
        ],
})
