/** One of several servers of an app: on the database and the Redis of its environment, with the options of `OPTIONS`. */
import { Elysia } from 'elysia'
import { createMachineAuth, machineAuth } from '../../src/index.ts'
import { CONCURRENT, LIMIT, WINDOW_MS } from './cluster-limits.ts'

const core = createMachineAuth({
  docs: false,
  // Each test has addresses of its own.
  trustProxy: { from: ['127.0.0.1'] },
  abuse: { allow: ['0.0.0.0/0'] },
  ...JSON.parse(process.env.OPTIONS ?? '{}'),
  apiKeys: { defaultRateLimit: false, ...JSON.parse(process.env.KEY_OPTIONS ?? '{}') },
})

const app = new Elysia()
  .use(machineAuth(core))
  .get('/key', ({ apiKey }) => apiKey.name, { apiKey: true })
  .get('/whoami', ({ currentUser }) => currentUser.id, { currentUser: true })
  .get('/limited', () => 'in', {
    apiKey: true,
    rateLimit: { limit: LIMIT, window: WINDOW_MS / 1000, by: 'apiKey', scope: 'global' },
  })
  .get(
    '/slow',
    async ({ query }) => {
      await Bun.sleep(Number(query.ms))
      return 'done'
    },
    { apiKey: true, rateLimit: { concurrent: CONCURRENT, by: 'apiKey', scope: 'global' } },
  )
  .listen({ port: 0, hostname: '127.0.0.1' })

await core.ready
console.log(`http://127.0.0.1:${app.server?.port}`)
