/** `elysia-rate-limit` on an Elysia route, as its README says: by address, in memory, with its headers. */
import { Elysia } from 'elysia'
import { rateLimit } from 'elysia-rate-limit'
import { announce } from '../announce.ts'
import { LIMIT, LISTENING, LOW_LIMIT, WINDOW } from '../figures.ts'

function serve(max: number): number {
  const app = new Elysia()
    .use(rateLimit({ max, duration: WINDOW }))
    .get('/', () => 'bench')
    .listen(LISTENING)
  return app.server?.port ?? 0
}

await announce({
  port: serve(LIMIT),
  headers: {},
  refusals: [{ headers: {}, status: 429, requests: LOW_LIMIT + 1, port: serve(LOW_LIMIT) }],
})
