/** A guarded server on the database of its folder; prints its address, and stops as it should on SIGTERM. */
import { Elysia } from 'elysia'
import { createMachineAuth, machineAuth } from '../../src/index.ts'

const core = createMachineAuth({ docs: false })
const app = new Elysia()
  .use(machineAuth(core))
  .get('/key', ({ apiKey }) => apiKey.name, { apiKey: true })
  .get('/open', () => 'open', { public: true })
  .post('/guess', () => 'wrong', { public: true, rateLimit: { limit: 2, window: '1m', lockout: '1h' } })
  .listen({ port: 0, hostname: '127.0.0.1' })

process.once('SIGTERM', async () => {
  await app.stop(true)
  await core.close()
  process.exit(0)
})

console.log(`http://127.0.0.1:${app.server?.port}`)
