/**
 * Limits: on routes, for every request, of a key; lockouts, and blocks that a handler makes.
 * Run `bun examples/limits.ts`, use the key it prints, and look at the `RateLimit` headers of the answers.
 */
import { Elysia, t } from 'elysia'
import { createMachineAuth, machineAuth } from 'elysia-machine-auth'

/** Wherever it is asked for, it is one limit. */
const MAILS = { limit: 2, window: '1h', name: 'mails' } as const

export async function createApp() {
  const core = createMachineAuth({
    database: 'sqlite::memory:',
    rateLimit: {
      // Every request, unknown paths included, but for routes with limits of their own.
      default: { limit: 100, window: '1m' },
    },
  })
  const { rawKey } = await core.keys.create({
    name: 'reports',
    rateLimit: { limit: 20, window: '1m' },
    monthlyQuota: 3,
  })
  console.log(`X-API-Key: ${rawKey}`)

  return (
    new Elysia()
      .use(machineAuth(core))
      .get('/', () => 'Counted by the default limit only.', { public: true })
      // A request counts for both limits, or for neither.
      .get('/search', () => [], {
        public: true,
        rateLimit: [
          { limit: 3, window: '1m', name: 'minute' },
          { limit: 1000, window: '1d', name: 'day' },
        ],
      })
      // Some requests cost more than others. What is counted is known before the body is read.
      .get('/export', () => 'rows', {
        public: true,
        rateLimit: { limit: 10, window: '1h', cost: ({ request }) => (request.url.endsWith('?all') ? 8 : 1) },
      })
      // Whoever tries more than three codes waits for an hour, whatever he does meanwhile.
      .post('/codes/:code', () => ({ right: false }), {
        public: true,
        rateLimit: { limit: 3, window: '10m', lockout: '1 hour' },
      })
      // One at a time for each key, however long it takes.
      .get(
        '/render',
        async () => {
          await Bun.sleep(200)
          return 'image'
        },
        { apiKey: true, rateLimit: { concurrent: 1, by: 'apiKey' } },
      )
      // Limited by what the key itself may: its rate and its quota.
      .get('/report', ({ apiKey }) => ({ for: apiKey.name, quota: apiKey.monthlyQuota }), { apiKey: true })
      // What only the body tells is counted in the handler.
      .post(
        '/messages',
        async ({ auth, body }) => {
          if (body.kind === 'spam') {
            await auth.block({ duration: '1h', scope: 'path', reason: 'spam' })
            return { sent: false }
          }
          if (body.kind === 'mail') await auth.rateLimit(MAILS)
          return { sent: true }
        },
        { public: true, body: t.Object({ kind: t.String() }) },
      )
  )
}

if (import.meta.main) (await createApp()).listen(process.env.PORT ?? 3000)
